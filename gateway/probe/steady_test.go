package probe_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"egk8s.dev/egk8s/gateway/probe"
)

// TestSteady: traffic goes on at its rate on new and on kept connections, and each lost request is counted.
func TestSteady(t *testing.T) {
	t.Parallel()
	var connections, requests atomic.Int64
	var broken atomic.Bool
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		switch {
		case broken.Load() && r.URL.Path == "/a":
			panic(http.ErrAbortHandler)
		case r.URL.Path == "/b":
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	in, out := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := probe.Run(ctx, probe.Spec{
			Requests: []probe.Request{{ID: "a", URL: server.URL + "/a"}, {ID: "b", URL: server.URL + "/b"}},
			Steady:   &probe.Steady{Rate: 200, WindowMs: 50},
		}, out)
		out.Close()
		done <- err
	}()
	seen := map[string]int{}
	sent, latencies, reasons := 0, 0, 0
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var w probe.Window
		if err := json.Unmarshal(lines.Bytes(), &w); err != nil || !w.Window {
			t.Fatalf("%q is no window: %v", lines.Text(), err)
		}
		sent, latencies, reasons = sent+w.Sent, latencies+len(w.Us), reasons+len(w.Errors)
		for id, answers := range w.Answers {
			for status, n := range answers {
				seen[id+" "+status] += n
			}
		}
		switch {
		case sent > 40 && !broken.Load():
			broken.Store(true)
		case seen["a 0"] > 3:
			stop()
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if seen["a 200"] < 10 || seen["b 401"] < 10 || seen["a 0"] <= 3 || seen["b 0"] != 0 || latencies != sent || reasons == 0 {
		t.Errorf("seen %v, %d sent, %d latencies, %d reasons", seen, sent, latencies, reasons)
	}
	if c, r := connections.Load(), requests.Load(); c < r/4 || c > r*9/10 {
		t.Errorf("%d connections for %d requests; want every other one new", c, r)
	}
}
