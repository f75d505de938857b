/* stamp FILE: append the time of the first instruction to FILE and exit. */
#include "stamp.h"

int main(int argc, char **argv) {
    long long began = now();
    if (argc != 2)
        return 2;
    append(argv[1], "%lld\n", began);
    return 0;
}
