/* floor DIRECTORY PROGRAM ARGUMENT...: the least that a tool on inotify can do. After each
 * finished save in DIRECTORY it starts PROGRAM by vfork and exec, and waits for it. */
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
    static char events[64 * 1024];
    int fd = inotify_init1(IN_CLOEXEC);
    if (argc < 3 || fd < 0 || inotify_add_watch(fd, argv[1], IN_CLOSE_WRITE | IN_MOVED_TO) < 0)
        return 2;
    while (read(fd, events, sizeof events) > 0) {
        pid_t child = vfork();
        if (child == 0) {
            execv(argv[2], argv + 2);
            _exit(127);
        }
        waitpid(child, NULL, 0);
    }
    return 1;
}
