/* window PORT LOG: say "ready", then try to connect to PORT of the loopback every 0.2 ms, one at a time. Each streak of
 * failures is appended as "refused BEGAN LENGTH REFUSED", in nanoseconds, from the first that failed
 * to the next that did not; REFUSED is how many were refused rather than unanswered for a second.
 * SIGTERM ends it: it appends the streak that is open then, and says "done". A connection is given up by a reset:
 * thousands a second, each closed in order, would use up the ports. */
#include "stamp.h"
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>

static volatile sig_atomic_t over;

static void end(int number) {
    (void)number;
    over = 1;
}

/* 0, or the error of connect(2). */
static int try(const struct sockaddr_in *where) {
    struct timeval second = {.tv_sec = 1};
    struct linger reset = {.l_onoff = 1};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    int error = connect(fd, (const struct sockaddr *)where, sizeof *where) < 0 ? errno : 0;
    close(fd);
    return error;
}

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct sigaction action = {.sa_handler = end};
    sigaction(SIGTERM, &action, NULL);
    puts("ready");
    fflush(stdout);
    long long since = 0;
    int refused = 0;
    while (!over) {
        long long tried = now();
        int error = try(&where);
        if (error == EINTR)
            continue;
        if (error && !since)
            since = tried;
        refused += error == ECONNREFUSED;
        if (!error && since) {
            append(argv[2], "refused %lld %lld %d\n", since, tried - since, refused);
            since = refused = 0;
        }
        long long rest = tried + 200000 - now();
        struct timespec pause = {.tv_nsec = rest > 0 ? rest : 0};
        nanosleep(&pause, NULL);
    }
    if (since)
        append(argv[2], "refused %lld %lld %d\n", since, now() - since, refused);
    puts("done");
    return 0;
}
