// Command echo is the backend service of the demo and of the end-to-end tests: it
// answers every request with what it saw of it.
//
// PORT is where it listens (8080), SERVICE the name it gives itself. The path
// /slow?ms=N waits N milliseconds before it answers. On SIGTERM it serves on for
// five seconds, as long as other nodes may still send requests to it, then takes
// no more connections, ends those that are busy, and exits 0.
//
// As "echo load" it is the client: it sends requests at a steady rate and prints
// what came back.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

const (
	// serveOn is how long it goes on after SIGTERM, drain how long requests that
	// have begun may take after that.
	serveOn = 5 * time.Second
	drain   = 20 * time.Second
	// slowest is the longest wait of /slow.
	slowest = 60 * time.Second
)

// answer is the body of every response.
type answer struct {
	Pod     string      `json:"pod"`
	Service string      `json:"service"`
	Method  string      `json:"method"`
	Path    string      `json:"path"`
	Headers http.Header `json:"headers"`
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "load" {
		os.Exit(load(os.Args[2:]))
	}
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "echo: %v\n", err)
		os.Exit(1)
	}
}

func run() error {
	pod, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("read host name: %w", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", ":"+port)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	return serve(ctx, l, handler{pod: pod, service: os.Getenv("SERVICE")})
}

// serve answers until the context ends, and then as the package comment says.
func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	fmt.Printf("echo: listening on %s\n", l.Addr())
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	time.Sleep(serveOn)
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	if err := server.Shutdown(limit); err != nil {
		return fmt.Errorf("drain: %w", err)
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// handler answers with what it saw.
type handler struct{ pod, service string }

// ServeHTTP implements http.Handler.
func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/slow" && !wait(w, r) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	err := json.NewEncoder(w).Encode(answer{
		Pod: h.pod, Service: h.service, Method: r.Method, Path: r.URL.RequestURI(), Headers: r.Header,
	})
	if err != nil {
		fmt.Fprintf(os.Stderr, "echo: answer: %v\n", err)
	}
}

// wait spends the time that the request asks for; it says whether to go on.
func wait(w http.ResponseWriter, r *http.Request) bool {
	ms, err := strconv.Atoi(r.URL.Query().Get("ms"))
	if err != nil || ms < 0 || time.Duration(ms)*time.Millisecond > slowest {
		http.Error(w, "want /slow?ms=N with N from 0 to 60000", http.StatusBadRequest)
		return false
	}
	select {
	case <-time.After(time.Duration(ms) * time.Millisecond):
		return true
	case <-r.Context().Done():
		return false
	}
}
