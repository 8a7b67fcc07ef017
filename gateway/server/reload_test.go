package server_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// TestReloadUnderLoadLosesNothing sends requests on kept connections while the configuration changes ten times.
func TestReloadUnderLoadLosesNothing(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("X-Version"))
	}))
	t.Cleanup(backend.Close)
	config := func(version int) string {
		return strings.Replace(proxyTo(backend.URL), "serviceEndpoint: backend",
			"serviceEndpoint: backend, headers: {x-version: '"+strconv.Itoa(version)+"'}", 1)
	}
	g := start(t, map[string]string{"gateway.config.yml": config(0)}, nil)
	target := g.url("http") // asked before: Status takes a lock
	stop := make(chan struct{})
	var clients sync.WaitGroup
	var asked, latest atomic.Int64
	for range 4 {
		clients.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			for {
				select {
				case <-stop:
					return
				default:
				}
				resp, err := client.Get(target)
				if err != nil {
					t.Errorf("a request was lost: %v", err)
					return
				}
				body, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				version, atoi := strconv.ParseInt(string(body), 10, 64)
				if err != nil || atoi != nil || resp.StatusCode != 200 {
					t.Errorf("%d %q %v", resp.StatusCode, body, err)
					return
				}
				asked.Add(1)
				for now := latest.Load(); version > now && !latest.CompareAndSwap(now, version); now = latest.Load() {
				}
			}
		})
	}
	halt := sync.OnceFunc(func() { close(stop); clients.Wait() })
	defer halt()
	for version := 1; version <= 10; version++ {
		writeFiles(t, g.dir, map[string]string{"gateway.config.yml": config(version)})
		eventually(t, "version "+strconv.Itoa(version), func() bool { return latest.Load() == int64(version) })
	}
	halt()
	if asked.Load() < 20 {
		t.Errorf("only %d requests", asked.Load())
	}
}
