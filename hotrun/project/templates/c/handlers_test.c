/* What the app answers; no server is needed for that. */
#include "handlers.h"

#include <stdlib.h>
#include <string.h>

static int failures;

#define CHECK(what) \
	do { \
		if (!(what)) { \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what); \
			failures++; \
		} \
	} while (0)

static void each_path_has_its_answer(void)
{
	static const struct {
		const char *method, *path;
		int status;
		const char *type, *body;
	} tests[] = {
		{"GET", "/", 200, "text/html", "It runs."},
		{"HEAD", "/", 200, "text/html", "It runs."},
		{"GET", "/healthz", 200, "text/plain", "ok\n"},
		{"GET", "/nowhere", 404, "text/plain", "there is no /nowhere\n"},
		{"POST", "/", 405, "text/plain", "only answers GET"},
	};
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
		int before = failures;
		struct answer answer = respond(tests[i].method, tests[i].path);
		CHECK(answer.status == tests[i].status);
		CHECK(strncmp(answer.type, tests[i].type, strlen(tests[i].type)) == 0);
		CHECK(strstr(answer.body, tests[i].body));
		CHECK(answer.length == strlen(answer.body));
		if (failures > before)
			fprintf(stderr, "  for %s %s\n", tests[i].method, tests[i].path);
		free(answer.body);
	}
}

static void what_a_page_shows_is_text_and_no_html(void)
{
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	put_escaped(out, "<b title=\"a&b\">");
	fclose(out);
	CHECK(strcmp(text, "&lt;b title=&#34;a&amp;b&#34;&gt;") == 0);
	free(text);
}

int main(void)
{
	each_path_has_its_answer();
	what_a_page_shows_is_text_and_no_html();
	puts(failures ? "FAILED" : "ok");
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
