package main

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"os"
	"time"
)

// title is the name of the app, as its pages show it.
const title = __hotrun_title__

// files holds the pages and static files. They are part of the binary, so the
// program that was built is the whole program, and a changed page is a changed program.
//
//go:embed templates static
var files embed.FS

var (
	pages   = template.Must(template.ParseFS(files, "templates/*.html"))
	started = time.Now()
)

func routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", home)
	mux.HandleFunc("GET /healthz", health)
	mux.Handle("GET /static/", http.FileServerFS(files))
	return mux
}

func home(w http.ResponseWriter, _ *http.Request) {
	show(w, "index.html", map[string]any{
		"Title":   title,
		"Process": os.Getpid(),
		"Started": started.Format(time.TimeOnly),
	})
}

// health answers as soon as the app is serving.
func health(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintln(w, "ok")
}

// show renders into memory first: a page that fails half-way must not go out as a success.
func show(w http.ResponseWriter, page string, data any) {
	var body bytes.Buffer
	if err := pages.ExecuteTemplate(&body, page, data); err != nil {
		log.Printf("page %s: %v", page, err)
		http.Error(w, "this page is broken, see the log", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	body.WriteTo(w)
}
