/* family LOG: an app with five children, each of which leaves it in another way. They and the app
 * itself append "NAME PID APP", APP being the app's own pid, and sleep:
 *   group    an ordinary child
 *   setsid   in a session of its own
 *   ignterm  ignores SIGTERM, SIGINT and SIGHUP
 *   daemon   in a session of its own, and its parent is gone
 *   cleared  in a session of its own, and executed with an empty environment
 * Whoever nobody ends is ended by an alarm. */
#include "stamp.h"
#include <signal.h>
#include <string.h>

#define MINUTES 5

static const char *names[] = {"group", "setsid", "ignterm", "daemon", "cleared"};

static void live(const char *log, const char *name, const char *app) {
    alarm(MINUTES * 60);
    append(log, "%s %d %s\n", name, (int)getpid(), app);
    for (;;)
        pause();
}

static void leave(char **argv, const char *name, char *app) {
    if (strcmp(name, "ignterm") == 0) {
        signal(SIGTERM, SIG_IGN);
        signal(SIGINT, SIG_IGN);
        signal(SIGHUP, SIG_IGN);
    } else if (strcmp(name, "group") != 0)
        setsid();
    if (strcmp(name, "daemon") == 0 && fork() != 0)
        _exit(0);
    if (strcmp(name, "cleared") == 0) {
        char *again[] = {argv[0], argv[1], "cleared", app, NULL}, *nothing[] = {NULL};
        execve("/proc/self/exe", again, nothing);
        _exit(127);
    }
    live(argv[1], name, app);
}

int main(int argc, char **argv) {
    if (argc == 4)
        live(argv[1], argv[2], argv[3]);
    if (argc != 2)
        return 2;
    char app[16];
    snprintf(app, sizeof app, "%d", (int)getpid());
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (fork() == 0)
            leave(argv, names[i], app);
    live(argv[1], "app", app);
}
