/* The routes, and what they answer. Handlers run at the same time, each in its own thread. */
#include "handlers.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#define PLAIN "text/plain; charset=utf-8"
#define HTML "text/html; charset=utf-8"

const char title[] = __hotrun_title__;

static void home(FILE *body)
{
	fputs("<!doctype html>\n"
	      "<html lang=\"en\">\n"
	      "<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<style>body { max-width: 40rem; margin: 15vh auto; font: 1.1rem/1.6 sans-serif }</style>\n"
	      "<title>", body);
	put_escaped(body, title);
	fputs("</title>\n<h1>", body);
	put_escaped(body, title);
	fputs("</h1>\n"
	      "<p>It runs. Change <code>handlers.c</code>, save, and reload this page.</p>\n", body);
	fprintf(body, "<p>Process %ld.</p>\n", (long)getpid());
}

/* Answer as soon as the app is serving. */
static void health(FILE *body)
{
	fputs("ok\n", body);
}

static const struct route {
	const char *path;
	const char *type;
	void (*write)(FILE *body);
} routes[] = {
	{"/", HTML, home},
	{"/healthz", PLAIN, health},
};

static const struct route *find(const char *path)
{
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
		if (strcmp(routes[i].path, path) == 0)
			return &routes[i];
	return NULL;
}

struct answer respond(const char *method, const char *path)
{
	struct answer answer = {.status = 200, .type = PLAIN};
	const struct route *route = find(path);
	FILE *body = open_memstream(&answer.body, &answer.length); /* grows as it is written */
	if (!body)
		return (struct answer){.status = 500, .type = PLAIN};
	if (!route) {
		answer.status = 404;
		fprintf(body, "there is no %s\n", path);
	} else if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		answer.status = 405;
		fprintf(body, "%s only answers GET\n", path);
	} else {
		answer.type = route->type;
		route->write(body);
	}
	if (fclose(body) != 0) /* half a page must not go out as a success */
		answer.status = 500;
	return answer;
}

struct answer bad_request(void)
{
	return (struct answer){.status = 400, .type = PLAIN}; /* with no body: free(NULL) is fine */
}

const char *reason(int status)
{
	switch (status) {
	case 200: return "OK";
	case 400: return "Bad Request";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	default: return "Internal Server Error";
	}
}

void put_escaped(FILE *out, const char *text)
{
	for (; *text; text++)
		switch (*text) {
		case '&': fputs("&amp;", out); break;
		case '<': fputs("&lt;", out); break;
		case '>': fputs("&gt;", out); break;
		case '"': fputs("&#34;", out); break;
		default: putc(*text, out);
		}
}
