/* walk ROOT [leaves]: watch a tree as a plain C program does: each directory is watched first and
 * listed then (opendir, readdir, the type from the entry, no stat), a link is never followed. It
 * says "armed WATCHES NANOSECONDS", from its first instruction on, and waits to be killed.
 * With "leaves" it asks for each directory's link count, and lists none that has no directory
 * within: only right on filesystems that count so. */
#include "stamp.h"
#include <dirent.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

static const unsigned mask = IN_CREATE | IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_DELETE |
                             IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF |
                             IN_ONLYDIR | IN_DONT_FOLLOW | IN_MASK_ADD;
static char **stack;
static size_t depth, room;

static void push(const char *directory, const char *name) {
    if (depth == room) {
        room = room ? 2 * room : 1024;
        stack = realloc(stack, room * sizeof *stack);
    }
    size_t size = strlen(directory) + strlen(name) + 2;
    char *path = malloc(size);
    if (!stack || !path)
        exit(1);
    snprintf(path, size, "%s/%s", directory, name);
    stack[depth++] = path;
}

static void list(const char *path) {
    DIR *directory = opendir(path);
    if (!directory)
        return;
    for (struct dirent *entry; (entry = readdir(directory));) {
        const char *name = entry->d_name;
        if (entry->d_type == DT_DIR && strcmp(name, ".") && strcmp(name, ".."))
            push(path, name);
    }
    closedir(directory);
}

static int is_leaf(const char *path) {
    struct stat found;
    return lstat(path, &found) == 0 && found.st_nlink == 2;
}

int main(int argc, char **argv) {
    long long began = now(), watches = 0;
    if (argc < 2)
        return 2;
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), leaves = argc > 2;
    push(argv[1], "");
    stack[0][strlen(argv[1])] = 0;
    while (depth) {
        char *path = stack[--depth];
        if (inotify_add_watch(fd, path, mask) >= 0) {
            watches++;
            if (!leaves || !is_leaf(path))
                list(path);
        }
        free(path);
    }
    printf("armed %lld %lld\n", watches, now() - began);
    fflush(stdout);
    pause();
    return 0;
}
