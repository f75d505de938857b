/* app LOG: an app that appends the time of its first instruction and its pid to LOG, and exits
 * at once on SIGTERM. When whoever started it is killed, the kernel kills it too. */
#include "stamp.h"
#include <signal.h>
#include <sys/prctl.h>

int main(int argc, char **argv) {
    long long began = now();
    if (argc != 2)
        return 2;
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    append(argv[1], "%lld %d\n", began, (int)getpid());
    int number;
    sigwait(&term, &number);
    return 0;
}
