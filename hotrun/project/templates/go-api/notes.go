package main

import (
	"slices"
	"sync"
)

// note is one resource of the API.
type note struct {
	ID   int    `json:"id"`
	Text string `json:"text"`
}

// noteStore keeps the notes in memory, the oldest first: each restart begins with none.
// Handlers run at the same time, so every method holds the lock.
type noteStore struct {
	mu    sync.Mutex
	notes []note
	last  int // the highest ID that was given; one that was deleted is not given again
}

func newNoteStore() *noteStore {
	return &noteStore{notes: []note{}} // not nil: an empty list is [] in JSON, and not null
}

func (s *noteStore) list() []note {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.notes) // ours goes on changing
}

func (s *noteStore) add(text string) note {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	added := note{ID: s.last, Text: text}
	s.notes = append(s.notes, added)
	return added
}

func (s *noteStore) get(id int) (note, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at := s.index(id); at >= 0 {
		return s.notes[at], true
	}
	return note{}, false
}

func (s *noteStore) set(id int, text string) (note, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at := s.index(id); at >= 0 {
		s.notes[at].Text = text
		return s.notes[at], true
	}
	return note{}, false
}

func (s *noteStore) delete(id int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at := s.index(id); at >= 0 {
		s.notes = slices.Delete(s.notes, at, at+1)
		return true
	}
	return false
}

// index returns where a note is, -1 when there is none; the lock is held.
func (s *noteStore) index(id int) int {
	return slices.IndexFunc(s.notes, func(n note) bool { return n.ID == id })
}
