/* floor rename|write DIRECTORY PROGRAM ARGUMENT...: the least that a tool on inotify can do.
 * After each save of that kind in DIRECTORY it starts PROGRAM by vfork and exec, and waits. */
#include <string.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
    static char events[64 * 1024];
    int fd = inotify_init1(IN_CLOEXEC);
    if (argc < 4 || fd < 0)
        return 2;
    int mask = strcmp(argv[1], "rename") == 0 ? IN_MOVED_TO : IN_CLOSE_WRITE;
    if (inotify_add_watch(fd, argv[2], mask) < 0)
        return 2;
    while (read(fd, events, sizeof events) > 0) {
        pid_t child = vfork();
        if (child == 0) {
            execv(argv[3], argv + 3);
            _exit(127);
        }
        waitpid(child, NULL, 0);
    }
    return 1;
}
