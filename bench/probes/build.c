/* build LOG MS SOURCE: a build command that reads SOURCE at its start and takes MS milliseconds.
 * It appends "begin TIME STATE" at once and "end TIME STATE" as its last act, so that a build
 * that was killed has no end; STATE is what SOURCE held. */
#include "stamp.h"

int main(int argc, char **argv) {
    long long began = now();
    if (argc != 4)
        return 2;
    char state[64] = "";
    FILE *source = fopen(argv[3], "r");
    if (source) {
        if (fscanf(source, "%63s", state) != 1)
            state[0] = 0;
        fclose(source);
    }
    append(argv[1], "begin %lld %s\n", began, state);
    usleep(atoi(argv[2]) * 1000);
    append(argv[1], "end %lld %s\n", now(), state);
    return 0;
}
