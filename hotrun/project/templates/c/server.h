#ifndef SERVER_H
#define SERVER_H

#include <pthread.h>
#include <stdbool.h>

/* A server that answers each connection in a thread of its own. */
struct server {
	int listener;
	int told; /* readable, and stays so, when it is time to stop */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int open; /* connections that are not closed */
};

void server_start(struct server *server, int listener, int told);

/* Take connections until it is time to stop. */
void server_run(struct server *server);

/* Let the running requests finish; return whether all did. */
bool server_finish(struct server *server, int seconds);

#endif
