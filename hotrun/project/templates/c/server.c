/* HTTP: one request on each connection, and an end that cuts nobody off. */
#include "server.h"

#include "handlers.h"
#include "listen.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_LIMIT 8192  /* bytes that the head of a request may have */
#define SILENCE_LIMIT 60000 /* milliseconds that a client may take to speak, or to listen */
#define GOODBYE_LIMIT 1000  /* milliseconds that a client may take to close, once answered */

/*
 * Milliseconds that a client may take to ask, when the app is told to stop: one that is about
 * to ask must be answered. Browsers also open connections ahead of need; these must not hold
 * up the end.
 */
#define FIRST_WORDS 50

struct client {
	struct server *server;
	int fd;
};

void server_start(struct server *server, int listener, int told)
{
	server->listener = listener;
	server->told = told;
	server->open = 0;
	pthread_mutex_init(&server->lock, NULL);
	pthread_cond_init(&server->changed, NULL);
}

static void count(struct server *server, int more)
{
	pthread_mutex_lock(&server->lock);
	server->open += more;
	pthread_cond_signal(&server->changed);
	pthread_mutex_unlock(&server->lock);
}

/* poll(2), however often the process is stopped and continued meanwhile. */
static int look(struct pollfd *fds, nfds_t number, int milliseconds)
{
	int ready;
	do
		ready = poll(fds, number, milliseconds);
	while (ready < 0 && errno == EINTR);
	return ready;
}

/* Wait until there is something to read; return whether there is. */
static bool wait_for_words(const struct client *client, bool silent)
{
	struct pollfd fds[] = {
		{.fd = client->fd, .events = POLLIN},
		{.fd = client->server->told, .events = POLLIN},
	};
	int ready = look(fds, silent ? 2 : 1, SILENCE_LIMIT);
	if (ready > 0 && fds[0].revents == 0) /* it is time to stop */
		ready = look(fds, 1, FIRST_WORDS);
	return ready > 0;
}

/* Read the head of a request; return whether it is whole. */
static bool read_head(const struct client *client, char head[REQUEST_LIMIT])
{
	size_t length = 0;
	while (length < REQUEST_LIMIT - 1 && wait_for_words(client, length == 0)) {
		ssize_t got = read(client->fd, head + length, REQUEST_LIMIT - 1 - length);
		if (got <= 0)
			return false;
		length += (size_t)got;
		head[length] = '\0';
		if (strstr(head, "\r\n\r\n"))
			return true;
	}
	return false;
}

static bool write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t done = write(fd, bytes, length);
		if (done < 0)
			return false;
		bytes += done;
		length -= (size_t)done;
	}
	return true;
}

static void write_answer(int fd, const struct answer *answer, bool with_body)
{
	char head[512];
	int length = snprintf(head, sizeof head,
		"HTTP/1.1 %d %s\r\n"
		"Content-Type: %s\r\n"
		"Content-Length: %zu\r\n"
		"%s"
		"Connection: close\r\n\r\n",
		answer->status, reason(answer->status), answer->type, answer->length,
		answer->status == 405 ? "Allow: GET, HEAD\r\n" : "");
	if (write_all(fd, head, (size_t)length) && with_body)
		write_all(fd, answer->body, answer->length);
}

/*
 * Wait until the client has closed too. What it sent and nobody read (the body of a POST)
 * would make the kernel reset the connection, and the answer would be lost on its way.
 */
static void part(const struct client *client)
{
	char unread[4096];
	struct pollfd fds[] = {
		{.fd = client->fd, .events = POLLIN},
		{.fd = client->server->told, .events = POLLIN},
	};
	shutdown(client->fd, SHUT_WR);
	for (int i = 0; i < 256; i++)
		if (look(fds, 2, GOODBYE_LIMIT) <= 0 || fds[0].revents == 0 ||
		    read(client->fd, unread, sizeof unread) <= 0)
			break;
}

static void answer_client(const struct client *client)
{
	char head[REQUEST_LIMIT], method[16] = "", path[2048] = "";
	int end = 0; /* stays 0 when what stands before it in the format does not fit */
	if (!read_head(client, head))
		return;
	sscanf(head, "%15s %2047s HTTP/1.%n", method, path, &end);
	path[strcspn(path, "?")] = '\0';
	struct answer answer = end > 0 ? respond(method, path) : bad_request();
	write_answer(client->fd, &answer, strcmp(method, "HEAD") != 0);
	free(answer.body);
	part(client);
}

static void *work(void *argument)
{
	struct client *client = argument;
	struct server *server = client->server;
	answer_client(client);
	close(client->fd);
	free(client);
	count(server, -1);
	return NULL;
}

static void start_work(struct server *server, int fd)
{
	struct timeval limit = {.tv_sec = SILENCE_LIMIT / 1000};
	struct client *client = malloc(sizeof *client);
	pthread_t thread;
	keep_private(fd);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK); /* some systems pass it on */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	count(server, 1);
	if (client) {
		*client = (struct client){server, fd};
		if (pthread_create(&thread, NULL, work, client) == 0) {
			pthread_detach(thread);
			return;
		}
	}
	perror("error: a connection was dropped");
	free(client);
	close(fd);
	count(server, -1);
}

void server_run(struct server *server)
{
	struct pollfd fds[] = {
		{.fd = server->listener, .events = POLLIN},
		{.fd = server->told, .events = POLLIN},
	};
	while (look(fds, 2, -1) >= 0 && fds[1].revents == 0) {
		int fd = accept(server->listener, NULL, NULL);
		if (fd >= 0)
			start_work(server, fd);
		else if (errno == EMFILE || errno == ENFILE)
			look(&fds[1], 1, 100); /* the client waits until a descriptor is free */
	}
}

bool server_finish(struct server *server, int seconds)
{
	struct timespec end;
	int error = 0;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += seconds;
	pthread_mutex_lock(&server->lock);
	while (server->open > 0 && error == 0)
		error = pthread_cond_timedwait(&server->changed, &server->lock, &end);
	bool all = server->open == 0;
	pthread_mutex_unlock(&server->lock);
	return all;
}
