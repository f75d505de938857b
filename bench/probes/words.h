/* Two commands in one row of arguments. */
#include <string.h>

/* End the first command at a mark, and return the second one; NULL where there is no mark. */
static char **after(const char *mark, char **argv) {
    for (; *argv; argv++)
        if (strcmp(*argv, mark) == 0) {
            *argv = NULL;
            return argv + 1;
        }
    return NULL;
}
