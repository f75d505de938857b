/* Where the server listens. */
#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HANDED_OVER 3 /* the first descriptor that is handed over, see sd_listen_fds(3) */
#define BACKLOG 512   /* connections that may wait to be accepted */

/*
 * Whether hotrun, or systemd, holds an open socket for this program: connections wait in it
 * while the program restarts, and none is refused.
 */
static bool is_handed_over(void)
{
	const char *count = getenv("LISTEN_FDS");
	const char *pid = getenv("LISTEN_PID");
	bool ours = count && atoi(count) > 0 && (!pid || !*pid || atol(pid) == (long)getpid());
	/* Programs that this one starts must not take them for theirs. */
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDNAMES");
	return ours;
}

/* Return the port to listen on, -1 when PORT is no number. */
static int port(void)
{
	const char *text = getenv("PORT");
	if (!text || !*text)
		return 8080;
	char *end;
	errno = 0;
	long number = strtol(text, &end, 10);
	if (errno == 0 && *end == '\0' && number >= 0 && number <= 65535)
		return (int)number;
	fprintf(stderr, "error: PORT is \"%s\"\nhint: it takes a number up to 65535\n", text);
	return -1;
}

static void explain(int number, int error)
{
	if (error == EADDRINUSE)
		fprintf(stderr, "error: 127.0.0.1:%d is taken by another program\n"
			"hint: stop that one, or set PORT to a free port\n", number);
	else
		fprintf(stderr, "error: cannot listen on 127.0.0.1:%d: %s\n", number, strerror(error));
}

static int open_socket(int number)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((in_port_t)number),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	/* Connections of the program before this one linger a while on the port. */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, BACKLOG) != 0) {
		explain(number, errno);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

static int handed_over(void)
{
	int type;
	socklen_t size = sizeof type;
	if (getsockopt(HANDED_OVER, SOL_SOCKET, SO_TYPE, &type, &size) == 0)
		return HANDED_OVER;
	fprintf(stderr, "error: LISTEN_FDS is set, but descriptor %d is no socket: %s\n",
		HANDED_OVER, strerror(errno));
	return -1;
}

static void say_where(int fd)
{
	struct sockaddr_in address;
	socklen_t size = sizeof address;
	if (getsockname(fd, (struct sockaddr *)&address, &size) == 0 && address.sin_family == AF_INET)
		fprintf(stderr, "listening on http://%s:%d\n", inet_ntoa(address.sin_addr),
			ntohs(address.sin_port));
}

int take_socket(void)
{
	int fd, number;
	if (is_handed_over())
		fd = handed_over();
	else
		fd = (number = port()) < 0 ? -1 : open_socket(number);
	if (fd < 0)
		return -1;
	keep_private(fd);
	/* Who is seen to connect may be gone when it is accepted: that must not be waited for. */
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	say_where(fd);
	return fd;
}

void keep_private(int fd)
{
	fcntl(fd, F_SETFD, FD_CLOEXEC);
}
