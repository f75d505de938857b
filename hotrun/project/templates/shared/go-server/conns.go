package main

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// firstWords is how long a client may take from connecting to asking, when the app is told
// to stop: one that is about to ask must be answered.
const firstWords = 50 * time.Millisecond

// conns knows the connections of a server, so that it can end without cutting anybody off.
//
// http.Server.Shutdown is not made for restarts at every save. Connections on which nothing
// was asked yet, as browsers open them ahead of need, get five seconds to speak; and a
// request that is read just then is dropped.
type conns struct {
	mu     sync.Mutex
	silent map[net.Conn]time.Time // since when
	open   sync.WaitGroup
}

func newConns() *conns {
	return &conns{silent: make(map[net.Conn]time.Time)}
}

// track is the server's ConnState hook.
func (c *conns) track(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.silent, conn)
	switch state {
	case http.StateNew:
		c.silent[conn] = time.Now()
		c.open.Add(1)
	case http.StateHijacked, http.StateClosed:
		c.open.Done()
	}
}

// finish waits until every connection is closed; it closes those that stay silent.
func (c *conns) finish(ctx context.Context) error {
	c.mu.Lock()
	for conn, since := range c.silent {
		time.AfterFunc(time.Until(since.Add(firstWords)), func() { c.hush(conn) })
	}
	c.mu.Unlock()

	closed := make(chan struct{})
	go func() {
		c.open.Wait()
		close(closed)
	}()
	select {
	case <-closed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *conns) hush(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, silent := c.silent[conn]; silent {
		conn.Close()
	}
}
