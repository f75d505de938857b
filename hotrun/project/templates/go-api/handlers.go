package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// title is the name of the API, as GET / tells it.
const title = __hotrun_title__

// bodyLimit is how many bytes of a request are read: nobody fills our memory.
const bodyLimit = 1 << 20

var started = time.Now()

// api is what the handlers share.
type api struct {
	notes *noteStore
}

func routes() http.Handler {
	a := &api{notes: newNoteStore()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.about)
	mux.HandleFunc("GET /healthz", a.health)
	mux.HandleFunc("GET /notes", a.listNotes)
	mux.HandleFunc("POST /notes", a.addNote)
	mux.HandleFunc("GET /notes/{id}", a.getNote)
	mux.HandleFunc("PUT /notes/{id}", a.setNote)
	mux.HandleFunc("DELETE /notes/{id}", a.deleteNote)
	return mux
}

func (a *api) about(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{
		"name":    title,
		"process": os.Getpid(),
		"started": started.Format(time.RFC3339),
	})
}

// health answers as soon as the app is serving.
func (a *api) health(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintln(w, "ok")
}

func (a *api) listNotes(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, a.notes.list())
}

func (a *api) addNote(w http.ResponseWriter, r *http.Request) {
	text, ok := noteText(w, r)
	if !ok {
		return
	}
	added := a.notes.add(text)
	w.Header().Set("Location", fmt.Sprintf("/notes/%d", added.ID))
	reply(w, http.StatusCreated, added)
}

func (a *api) getNote(w http.ResponseWriter, r *http.Request) {
	found, ok := a.notes.get(id(r))
	if !ok {
		refuse(w, http.StatusNotFound, "there is no such note")
		return
	}
	reply(w, http.StatusOK, found)
}

func (a *api) setNote(w http.ResponseWriter, r *http.Request) {
	text, ok := noteText(w, r)
	if !ok {
		return
	}
	changed, ok := a.notes.set(id(r), text)
	if !ok {
		refuse(w, http.StatusNotFound, "there is no such note")
		return
	}
	reply(w, http.StatusOK, changed)
}

func (a *api) deleteNote(w http.ResponseWriter, r *http.Request) {
	if !a.notes.delete(id(r)) {
		refuse(w, http.StatusNotFound, "there is no such note")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// id returns the {id} of a path; 0, which no note has, when that is no number.
func id(r *http.Request) int {
	number, _ := strconv.Atoi(r.PathValue("id"))
	return number
}

// noteText reads the text of a note from a request, and refuses one that holds none.
func noteText(w http.ResponseWriter, r *http.Request) (string, bool) {
	var body struct {
		Text string `json:"text"`
	}
	if err := read(w, r, &body); err != nil {
		var tooLong *http.MaxBytesError
		if errors.As(err, &tooLong) {
			refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("a request is at most %d bytes", tooLong.Limit))
		} else {
			refuse(w, http.StatusBadRequest, err.Error())
		}
		return "", false
	}
	text := strings.TrimSpace(body.Text)
	if text == "" {
		refuse(w, http.StatusUnprocessableEntity, `"text" is missing or empty`)
		return "", false
	}
	return text, true
}

// read takes exactly one JSON value; a key that nobody knows is a typo, and is said.
func read(w http.ResponseWriter, r *http.Request, into any) error {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyLimit))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("the body is not what was expected: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("there is more than one JSON value in the body")
	}
	return nil
}

// refuse answers with what is wrong, as JSON too.
func refuse(w http.ResponseWriter, status int, message string) {
	reply(w, status, map[string]string{"error": message})
}

// reply encodes into memory first: what cannot be encoded must not go out as a success.
func reply(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		log.Printf("cannot encode %T: %v", value, err)
		status, body = http.StatusInternalServerError, []byte(`{"error":"see the log"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(body, '\n'))
}
