/* build LOG MS SOURCE: a build command that reads SOURCE at its start and takes MS milliseconds.
 * It appends "begin TIME STATE" at once and "end TIME STATE CPU" as its last act, so that a build
 * that was killed has no end; STATE is what SOURCE held, CPU the nanoseconds it has run itself. */
#include "stamp.h"

int main(int argc, char **argv) {
    long long began = now();
    if (argc != 4)
        return 2;
    char state[64] = "-";
    FILE *source = fopen(argv[3], "r");
    if (source) {
        if (fscanf(source, "%63s", state) != 1)
            state[0] = '-', state[1] = 0;
        fclose(source);
    }
    append(argv[1], "begin %lld %s\n", began, state);
    usleep(atoi(argv[2]) * 1000);
    struct timespec ran;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ran);
    append(argv[1], "end %lld %s %lld\n", now(), state, ran.tv_sec * 1000000000LL + ran.tv_nsec);
    return 0;
}
