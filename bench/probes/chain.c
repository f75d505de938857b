/* chain BUILD... then APP...: run BUILD and, if it was good, become APP; what `sh -c 'build && exec
 * app'` does, without the shell's own start. */
#include "words.h"
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
    char **build = argv + 1, **app = argc > 1 ? after("then", build) : NULL;
    if (!app || !*app || !*build)
        return 2;
    pid_t child = vfork();
    if (child == 0) {
        execv(build[0], build);
        _exit(127);
    }
    int status;
    if (child < 0 || waitpid(child, &status, 0) < 0 || status)
        return 1;
    execv(app[0], app);
    return 127;
}
