#ifndef LISTEN_H
#define LISTEN_H

/*
 * Take the socket that was opened for this program, or open one: 127.0.0.1:$PORT, 8080 when
 * PORT is not set. Returns -1 when there is none, and has said why.
 */
int take_socket(void);

/* Keep a descriptor from the programs that this one starts. */
void keep_private(int fd);

#endif
