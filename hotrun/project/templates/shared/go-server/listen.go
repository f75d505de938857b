package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
)

// listen takes the socket that was opened for this program, or opens one itself:
// 127.0.0.1:$PORT, 8080 when PORT is not set.
func listen() (net.Listener, error) {
	if isHandedOver() {
		return handedOver()
	}
	address := net.JoinHostPort("127.0.0.1", cmp.Or(os.Getenv("PORT"), "8080"))
	listener, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is taken by another program\nhint: stop that one, or set PORT to a free port", address)
	}
	return listener, err
}

// isHandedOver tells whether hotrun, or systemd, holds an open socket for this program:
// connections wait in it while the program restarts, and none is refused.
// See sd_listen_fds(3).
func isHandedOver() bool {
	count, _ := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	pid := os.Getenv("LISTEN_PID")
	for _, name := range []string{"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"} {
		os.Unsetenv(name) // programs that this one starts must not take them for theirs
	}
	return count > 0 && (pid == "" || pid == strconv.Itoa(os.Getpid()))
}

// handedOver returns the first socket that was handed over.
func handedOver() (net.Listener, error) {
	file := os.NewFile(3, "the socket of LISTEN_FDS")
	defer file.Close() // the listener has a copy, which programs started from here do not inherit
	listener, err := net.FileListener(file)
	if err != nil {
		return nil, fmt.Errorf("LISTEN_FDS is set, but descriptor 3 is no socket: %w", err)
	}
	return listener, nil
}
