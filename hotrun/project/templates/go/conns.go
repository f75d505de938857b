package main

import (
	"net"
	"net/http"
	"sync"
)

// silentConns knows the connections on which nothing was asked yet. Browsers open
// such connections ahead of need, and http.Server.Shutdown would give each of them
// five seconds to speak: every restart would be that slow.
type silentConns struct {
	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	closed bool
}

func newSilentConns() *silentConns {
	return &silentConns{conns: make(map[net.Conn]struct{})}
}

// track is the server's ConnState hook.
func (s *silentConns) track(conn net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case state != http.StateNew:
		delete(s.conns, conn)
	case s.closed:
		conn.Close()
	default:
		s.conns[conn] = struct{}{}
	}
}

// close closes the silent connections, and those still to come.
func (s *silentConns) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for conn := range s.conns {
		conn.Close()
	}
}
