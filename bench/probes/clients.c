/* clients PORT COUNT: so many clients at once, each of which connects, asks, reads the answer and
 * rests 10 ms, again and again. It says "ready", and on SIGTERM "counted ANSWERED REFUSED OTHER
 * P99 MAX", the times in nanoseconds, from connect(2) to the end of the answer. */
#include "stamp.h"
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

enum { MOST = 1 << 20 };

static struct sockaddr_in where = {.sin_family = AF_INET};
static long long times[MOST];
static long answered, refused, other;
static volatile int over;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* 0, or why there was no answer; an end without one counts as a reset. */
static int ask(void) {
    char answer[16];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), size = 0, last;
    if (connect(fd, (struct sockaddr *)&where, sizeof where) < 0) {
        int error = errno;
        close(fd);
        return error;
    }
    if (send(fd, "get\n", 4, MSG_NOSIGNAL) == 4)
        while ((last = read(fd, answer + size, sizeof answer - size)) > 0)
            size += last;
    close(fd);
    return size == 3 && memcmp(answer, "ok\n", 3) == 0 ? 0 : ECONNRESET;
}

static void *client(void *unused) {
    while (!over) {
        long long began = now();
        int error = ask();
        long long took = now() - began;
        pthread_mutex_lock(&lock);
        if (error)
            error == ECONNREFUSED ? refused++ : other++;
        else if (answered < MOST)
            times[answered++] = took;
        pthread_mutex_unlock(&lock);
        usleep(10000);
    }
    return unused;
}

static int compare(const void *one, const void *two) {
    long long a = *(const long long *)one, b = *(const long long *)two;
    return a < b ? -1 : a > b;
}

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    int count = atoi(argv[2]), number;
    pthread_t *threads = calloc(count, sizeof *threads);
    where.sin_port = htons(atoi(argv[1]));
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &term, NULL);
    for (int each = 0; each < count; each++)
        if (pthread_create(&threads[each], NULL, client, NULL))
            return 1;
    puts("ready");
    fflush(stdout);
    sigwait(&term, &number);
    over = 1;
    for (int each = 0; each < count; each++)
        pthread_join(threads[each], NULL);
    qsort(times, answered, sizeof *times, compare);
    long long p99 = answered ? times[answered * 99 / 100] : 0;
    long long max = answered ? times[answered - 1] : 0;
    printf("counted %ld %ld %ld %lld %lld\n", answered, refused, other, p99, max);
    return 0;
}
