/* stubborn LOG: an app that appends "begin TIME PID" and ignores the signals by which programs
 * are asked to end: TERM, INT, HUP, USR1, USR2. When nobody kills it an alarm ends it. */
#include "stamp.h"
#include <signal.h>

#define MINUTES 5

int main(int argc, char **argv) {
    long long began = now();
    if (argc != 2)
        return 2;
    int asked[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};
    for (unsigned i = 0; i < sizeof asked / sizeof *asked; i++)
        signal(asked[i], SIG_IGN);
    alarm(MINUTES * 60);
    append(argv[1], "begin %lld %d\n", began, (int)getpid());
    for (;;)
        pause();
}
