/* ender LOG MS [worker]: an app that appends "begin TIME PID" for its first instruction, "heard TIME"
 * when SIGTERM comes and, MS milliseconds later, "end TIME" as its last act. With "worker" a child
 * of it does the latter and it ends at once itself, so that the worker is the last of its tree.
 * When whoever started it is killed, the kernel kills it too. */
#include "stamp.h"
#include <signal.h>
#include <sys/prctl.h>

int main(int argc, char **argv) {
    long long began = now();
    if (argc < 3)
        return 2;
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int has_worker = argc > 3, is_worker = has_worker && fork() == 0;
    if (!is_worker)
        append(argv[1], "begin %lld %d\n", began, (int)getpid());
    int number, pause = atoi(argv[2]) * 1000;
    sigwait(&term, &number);
    append(argv[1], "heard %lld\n", now());
    if (has_worker && !is_worker)
        return 0;
    if (pause)
        usleep(pause);
    append(argv[1], "end %lld\n", now());
    return 0;
}
