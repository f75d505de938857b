/* burst ROOT WRITES DIRECTORIES [EACH LAST]: as fast as it goes, write the files
 * part%d/unit%d/file%d.txt of ROOT in turn (200 units of 5 files) in place; in between make
 * directories new/part%d/unit%d with EACH files in them: file.txt, and then file1.txt and so on.
 * The last act is to make ROOT/end; with LAST, to write "final" to that file and to say "last TIME".
 * Nothing else is truncated, for ext4 writes such a file out when it is closed: that would be a slow
 * burst. */
#include "stamp.h"
#include <sys/stat.h>

static const char *root;
static int each = 1;

static void put(const char *path, int text) {
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 || dprintf(fd, "%8d\n", text) < 0) {
        perror(path);
        exit(1);
    }
    close(fd);
}

static void overwrite(int number) {
    char path[4096];
    int unit = number / 5 % 200;
    snprintf(path, sizeof path, "%s/part%d/unit%d/file%d.txt", root, unit / 100, unit, number % 5);
    put(path, number);
}

static void make(int number) {
    char path[4096];
    int size = snprintf(path, sizeof path, "%s/new", root);
    mkdir(path, 0777);
    size += snprintf(path + size, sizeof path - size, "/part%d", number / 100);
    mkdir(path, 0777);
    size += snprintf(path + size, sizeof path - size, "/unit%d", number);
    mkdir(path, 0777);
    for (int file = 0; file < each; file++) {
        snprintf(path + size, sizeof path - size, file ? "/file%d.txt" : "/file.txt", file);
        put(path, number);
    }
}

static void finish(const char *last) {
    int fd = open(last, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || write(fd, "final\n", 6) != 6) {
        perror(last);
        exit(1);
    }
    close(fd);
    printf("last %lld\n", now());
}

int main(int argc, char **argv) {
    if (argc != 4 && argc != 6)
        return 2;
    each = argc == 6 ? atoi(argv[4]) : 1;
    root = argv[1];
    int writes = atoi(argv[2]), directories = atoi(argv[3]), made = 0;
    for (int number = 0; number < writes; number++) {
        overwrite(number);
        while (made < (long long)directories * (number + 1) / writes)
            make(made++);
    }
    if (argc == 6) {
        finish(argv[5]);
        return 0;
    }
    char end[4096];
    snprintf(end, sizeof end, "%s/end", root);
    put(end, 0);
    return 0;
}
