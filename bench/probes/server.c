/* server PORT MS LOG [stubborn]: takes MS milliseconds to start, then takes connections on the
 * socket that it was passed (LISTEN_FDS) or on one of its own, and appends "begin TIME PID"; when the
 * port is taken it appends "taken TIME" and ends with 1. Each connection is answered by "ok", one
 * after the other. SIGTERM ends it between two; a stubborn one ignores it. */
#define _GNU_SOURCE
#include "stamp.h"
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

static void end(int number) {
    (void)number;
    _exit(0);
}

static int listener(int port, const char *log) {
    if (getenv("LISTEN_FDS"))
        return 3;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(port)};
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&where, sizeof where) < 0 || listen(fd, 512) < 0) {
        append(log, "taken %lld\n", now());
        perror("server");
        exit(1);
    }
    return fd;
}

static void answer(int fd) {
    char request[64];
    if (read(fd, request, sizeof request) > 0 && write(fd, "ok\n", 3) < 0)
        perror("answer");
    close(fd);
}

int main(int argc, char **argv) {
    if (argc < 4)
        return 2;
    signal(SIGTERM, argc > 4 ? SIG_IGN : end);
    signal(SIGPIPE, SIG_IGN);
    usleep(atoi(argv[2]) * 1000);
    sigset_t term, none;
    sigemptyset(&none);
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    struct pollfd door = {.fd = listener(atoi(argv[1]), argv[3]), .events = POLLIN};
    append(argv[3], "begin %lld %d\n", now(), (int)getpid());
    for (;;)
        if (ppoll(&door, 1, NULL, &none) > 0)
            answer(accept(door.fd, NULL, NULL));
}
