// A small web app: main.go starts and stops it, handlers.go answers.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// stopLimit is how long running requests may take to finish when the app is told to stop;
// hotrun kills what has not stopped after 5 s (stop_timeout).
const stopLimit = 4 * time.Second

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// run serves until SIGINT or SIGTERM, then lets the running requests finish.
func run() error {
	ctx, release := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer release()

	listener, err := listen()
	if err != nil {
		return err
	}
	server := newServer()
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	log.Printf("listening on http://%s", listener.Addr())

	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		release() // a second signal ends the app at once
		return stop(server)
	}
}

// listen opens 127.0.0.1:$PORT, 8080 when PORT is not set.
func listen() (net.Listener, error) {
	address := net.JoinHostPort("127.0.0.1", cmp.Or(os.Getenv("PORT"), "8080"))
	listener, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is taken by another program\nhint: stop that one, or set PORT to a free port", address)
	}
	return listener, err
}

func newServer() *http.Server {
	waiting := newSilentConns()
	server := &http.Server{
		Handler:           routes(),
		ReadHeaderTimeout: 5 * time.Second,
		ConnState:         waiting.track,
	}
	server.RegisterOnShutdown(waiting.close)
	return server
}

// stop takes no new requests and waits for the running ones, for stopLimit at most.
func stop(server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		server.Close()
		return fmt.Errorf("some requests were cut off: not finished within %s", stopLimit)
	}
	return nil
}
