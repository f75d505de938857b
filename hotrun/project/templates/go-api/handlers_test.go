package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestANoteIsAddedReadChangedAndDeleted(t *testing.T) {
	steps := []struct {
		method, path, body string
		status             int
		answer             string
	}{
		{"GET", "/notes", "", http.StatusOK, `[]`},
		{"POST", "/notes", `{"text": " milk "}`, http.StatusCreated, `{"id":1,"text":"milk"}`},
		{"POST", "/notes", `{"text": "bread"}`, http.StatusCreated, `{"id":2,"text":"bread"}`},
		{"GET", "/notes/1", "", http.StatusOK, `{"id":1,"text":"milk"}`},
		{"PUT", "/notes/1", `{"text": "oat milk"}`, http.StatusOK, `{"id":1,"text":"oat milk"}`},
		{"GET", "/notes", "", http.StatusOK, `[{"id":1,"text":"oat milk"},{"id":2,"text":"bread"}]`},
		{"DELETE", "/notes/2", "", http.StatusNoContent, ""},
		{"DELETE", "/notes/2", "", http.StatusNotFound, `{"error":"there is no such note"}`},
		{"POST", "/notes", `{"text": "salt"}`, http.StatusCreated, `{"id":3,"text":"salt"}`},
	}
	server := routes()
	for _, step := range steps {
		answer := ask(server, step.method, step.path, step.body)
		if answer.Code != step.status {
			t.Errorf("%s %s: status %d, want %d", step.method, step.path, answer.Code, step.status)
		}
		if got := strings.TrimSpace(answer.Body.String()); got != step.answer {
			t.Errorf("%s %s: %s, want %s", step.method, step.path, got, step.answer)
		}
	}
}

func TestANewNoteSaysWhereItIs(t *testing.T) {
	answer := ask(routes(), "POST", "/notes", `{"text": "milk"}`)
	if got := answer.Header().Get("Location"); got != "/notes/1" {
		t.Errorf("Location %q, want /notes/1", got)
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	tests := []struct {
		name, method, path, body string
		status                   int
		message                  string
	}{
		{"no JSON", "POST", "/notes", `milk`, http.StatusBadRequest, "invalid character"},
		{"no body", "POST", "/notes", ``, http.StatusBadRequest, "EOF"},
		{"a typo", "POST", "/notes", `{"txt": "milk"}`, http.StatusBadRequest, `unknown field "txt"`},
		{"two values", "POST", "/notes", `{"text": "a"} {}`, http.StatusBadRequest, "more than one"},
		{"no text", "POST", "/notes", `{"text": " "}`, http.StatusUnprocessableEntity, `"text" is missing`},
		{"too long", "POST", "/notes", `{"text": "` + strings.Repeat("a", bodyLimit) + `"}`, http.StatusRequestEntityTooLarge, "at most 1048576 bytes"},
		{"no such note", "GET", "/notes/7", ``, http.StatusNotFound, "no such note"},
		{"no number", "GET", "/notes/seven", ``, http.StatusNotFound, "no such note"},
		{"nothing to change", "PUT", "/notes/7", `{"text": "milk"}`, http.StatusNotFound, "no such note"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			answer := ask(routes(), test.method, test.path, test.body)
			if answer.Code != test.status {
				t.Errorf("status %d, want %d", answer.Code, test.status)
			}
			var body struct{ Error string }
			if err := json.Unmarshal(answer.Body.Bytes(), &body); err != nil {
				t.Fatalf("the answer is no JSON: %v", err)
			}
			if !strings.Contains(body.Error, test.message) {
				t.Errorf("no %q in %q", test.message, body.Error)
			}
		})
	}
}

func TestTheOtherRoutes(t *testing.T) {
	tests := []struct {
		method, path string
		status       int
		content      string
	}{
		{"GET", "/", http.StatusOK, "application/json"},
		{"GET", "/healthz", http.StatusOK, "text/plain"},
		{"GET", "/nowhere", http.StatusNotFound, "text/plain"},
		{"PATCH", "/notes", http.StatusMethodNotAllowed, "text/plain"},
	}
	for _, test := range tests {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			answer := ask(routes(), test.method, test.path, "")
			if answer.Code != test.status {
				t.Errorf("status %d, want %d", answer.Code, test.status)
			}
			if got := answer.Header().Get("Content-Type"); !strings.HasPrefix(got, test.content) {
				t.Errorf("content type %q, want %q", got, test.content)
			}
		})
	}
}

func TestWhatCannotBeEncodedIsAnError(t *testing.T) {
	answer := httptest.NewRecorder()
	reply(answer, http.StatusOK, func() {})
	if answer.Code != http.StatusInternalServerError {
		t.Errorf("status %d, want 500", answer.Code)
	}
}

func ask(server http.Handler, method, path, body string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	server.ServeHTTP(answer, httptest.NewRequest(method, path, strings.NewReader(body)))
	return answer
}
