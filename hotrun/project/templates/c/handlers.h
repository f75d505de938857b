#ifndef HANDLERS_H
#define HANDLERS_H

#include <stddef.h>
#include <stdio.h>

/* What goes back to the client. The body is to be freed by who got it. */
struct answer {
	int status;
	const char *type;
	char *body;
	size_t length;
};

/* The name of the app, as its pages show it. */
extern const char title[];

/* Choose what answers. */
struct answer respond(const char *method, const char *path);

/* Answer to what is no HTTP. */
struct answer bad_request(void);

/* Name a status: "OK", "Not Found". */
const char *reason(int status);

/* Write a text so that it is text in HTML, whatever it holds. */
void put_escaped(FILE *out, const char *text);

#endif
