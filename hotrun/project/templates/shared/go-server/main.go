// A small server: main.go starts and stops it, handlers.go answers.
package main

import (
	"context"
	"fmt"
	"log"
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
	conns := newConns()
	server := &http.Server{
		Handler:           routes(),
		ReadHeaderTimeout: 5 * time.Second,
		ConnState:         conns.track,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	log.Printf("listening on http://%s", listener.Addr())

	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		release() // a second signal ends the app at once
	}
	listener.Close()
	<-ended                            // so no connection is new from here on,
	server.SetKeepAlivesEnabled(false) // and none outlives its request
	return finish(server, conns)
}

// finish waits for the running requests, for stopLimit at most.
func finish(server *http.Server, conns *conns) error {
	defer server.Close()
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	if conns.finish(ctx) != nil {
		return fmt.Errorf("some requests were cut off: not finished within %s", stopLimit)
	}
	return nil
}
