/* lines BYTES: that many bytes in lines of 80, by stdio, as programs print: to a pipe it writes
 * 4096 at a time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
    char line[80];
    if (argc != 2)
        return 2;
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    for (long left = atol(argv[1]); left >= (long)sizeof line; left -= sizeof line)
        fwrite(line, sizeof line, 1, stdout);
    return fflush(stdout) != 0;
}
