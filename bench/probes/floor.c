/* floor rename|write DIRECTORY BUILD... [-- APP...]: the least that a tool on inotify can do.
 * After each save of that kind in DIRECTORY it runs BUILD by vfork and exec, and waits for it;
 * then, if there is an APP, it stops the old one by SIGTERM, waits, and starts the new one. */
#include "words.h"
#include <signal.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t start(char **argv) {
    pid_t child = vfork();
    if (child == 0) {
        execv(argv[0], argv);
        _exit(127);
    }
    return child;
}

static pid_t replace(pid_t app, char **argv) {
    if (app) {
        kill(app, SIGTERM);
        waitpid(app, NULL, 0);
    }
    return start(argv);
}

int main(int argc, char **argv) {
    static char events[64 * 1024];
    int fd = inotify_init1(IN_CLOEXEC);
    if (argc < 4 || fd < 0)
        return 2;
    int mask = strcmp(argv[1], "rename") == 0 ? IN_MOVED_TO : IN_CLOSE_WRITE;
    if (inotify_add_watch(fd, argv[2], mask) < 0)
        return 2;
    char **build = argv + 3, **app = after("--", build);
    pid_t running = app ? replace(0, app) : 0;
    while (read(fd, events, sizeof events) > 0) {
        waitpid(start(build), NULL, 0);
        if (app)
            running = replace(running, app);
    }
    return 1;
}
