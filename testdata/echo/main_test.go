package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAnswer(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(handler{pod: "p-1", service: "s"})
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, server.URL+"/a/b?c=d", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Seen", "yes")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got answer
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Headers.Get("X-Seen") != "yes" {
		t.Errorf("headers %v", got.Headers)
	}
	got.Headers = nil
	want := answer{Pod: "p-1", Service: "s", Method: http.MethodPut, Path: "/a/b?c=d"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestSlow(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]int{"ms=30": 200, "ms=x": 400, "ms=-1": 400, "ms=60001": 400, "": 400} {
		w := httptest.NewRecorder()
		began := time.Now()
		handler{}.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/slow?"+query, http.NoBody))
		if w.Code != want {
			t.Errorf("%q: status %d, want %d", query, w.Code, want)
		}
		if want == http.StatusOK && time.Since(began) < 30*time.Millisecond {
			t.Errorf("%q: answered after %v", query, time.Since(began))
		}
	}
}

// After the signal it must still take new connections for a while, and a request
// that began in time must be answered.
func TestEndIsGentle(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String()
	ctx, signal := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, l, handler{}) }()
	signal()
	began := time.Now()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for time.Since(began) < serveOn-time.Second {
		get(t, client, url)
		time.Sleep(500 * time.Millisecond)
	}
	get(t, client, url+"/slow?ms=2500")
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took < serveOn {
		t.Errorf("ended after %v", took)
	}
}

func get(t *testing.T, client *http.Client, url string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Errorf("%s: %s", url, resp.Status)
	}
}
