package main

import (
	"html"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestRoutes(t *testing.T) {
	tests := []struct {
		method, path string
		status       int
		content      string
		body         string
	}{
		{"GET", "/", http.StatusOK, "text/html", html.EscapeString(title)},
		{"GET", "/healthz", http.StatusOK, "text/plain", "ok"},
		{"GET", "/static/style.css", http.StatusOK, "text/css", "body"},
		{"GET", "/nowhere", http.StatusNotFound, "text/plain", ""},
		{"POST", "/", http.StatusMethodNotAllowed, "text/plain", ""},
	}
	for _, test := range tests {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			answer := ask(test.method, test.path)
			if answer.Code != test.status {
				t.Errorf("status %d, want %d", answer.Code, test.status)
			}
			if got := answer.Header().Get("Content-Type"); !strings.HasPrefix(got, test.content) {
				t.Errorf("content type %q, want %q", got, test.content)
			}
			if !strings.Contains(answer.Body.String(), test.body) {
				t.Errorf("no %q in the answer:\n%s", test.body, answer.Body)
			}
		})
	}
}

func TestABrokenPageIsAnError(t *testing.T) {
	answer := httptest.NewRecorder()
	show(answer, "missing.html", nil)
	if answer.Code != http.StatusInternalServerError {
		t.Errorf("status %d, want 500", answer.Code)
	}
}

func ask(method, path string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	routes().ServeHTTP(answer, httptest.NewRequest(method, path, nil))
	return answer
}
