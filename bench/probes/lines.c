/* lines BYTES LOG: that many bytes in lines of 80, by stdio, as programs print: to a pipe it writes
 * 4096 at a time. How many nanoseconds that took is appended to LOG. */
#include "stamp.h"
#include <string.h>

int main(int argc, char **argv) {
    long long began = now();
    char line[80];
    if (argc != 3)
        return 2;
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    for (long left = atol(argv[1]); left >= (long)sizeof line; left -= sizeof line)
        fwrite(line, sizeof line, 1, stdout);
    if (fflush(stdout))
        return 1;
    append(argv[2], "%lld\n", now() - began);
    return 0;
}
