/* A small web server: main.c starts and stops it, server.c speaks HTTP, handlers.c answers. */
#include "listen.h"
#include "server.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * Seconds that running requests may take to finish when the app is told to stop;
 * hotrun kills what has not stopped after 5 s (stop_timeout).
 */
#define STOP_LIMIT 4

struct ears {
	sigset_t signals;
	int tell; /* the end of a pipe: closed when a signal was heard */
};

/*
 * Wait for signals in a thread of its own. A handler could do next to nothing, and would
 * interrupt whatever call runs just then.
 */
static void *hear(void *argument)
{
	struct ears *ears = argument;
	int number;
	sigwait(&ears->signals, &number);
	close(ears->tell);
	sigwait(&ears->signals, &number);
	_exit(128 + number); /* a second signal ends the app at once */
}

/* Return a descriptor that becomes readable, and stays so, at the first SIGINT or SIGTERM. */
static int hear_signals(void)
{
	static struct ears ears;
	int ends[2];
	pthread_t thread;
	sigemptyset(&ears.signals);
	sigaddset(&ears.signals, SIGINT);
	sigaddset(&ears.signals, SIGTERM);
	/* Every thread from here on leaves them to the one that waits for them. */
	pthread_sigmask(SIG_BLOCK, &ears.signals, NULL);
	if (pipe(ends) != 0)
		return -1;
	ears.tell = ends[1];
	return pthread_create(&thread, NULL, hear, &ears) == 0 ? ends[0] : -1;
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN); /* a client that goes away is an error of write, and no more */
	setvbuf(stdout, NULL, _IOLBF, 0); /* what is printed is seen at once */

	int told = hear_signals();
	if (told < 0) {
		perror("error: cannot wait for signals");
		return EXIT_FAILURE;
	}
	int listener = take_socket();
	if (listener < 0)
		return EXIT_FAILURE;

	static struct server server; /* connections that are cut off may outlive main() */
	server_start(&server, listener, told);
	server_run(&server);
	close(listener); /* no more than our own: hotrun holds it open for the next app */
	if (!server_finish(&server, STOP_LIMIT)) {
		fprintf(stderr, "error: some requests were cut off: not finished within %d s\n", STOP_LIMIT);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
