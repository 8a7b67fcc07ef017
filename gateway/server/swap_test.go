package server_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"egk8s.dev/egk8s/gateway/server"
)

// volume lays files out as a ConfigMap's volume does: links to ..data, which is a link to a folder of one version.
type volume struct {
	t   *testing.T
	dir string
	n   int
}

// swap makes a new version the current one with one rename.
func (m *volume) swap(files map[string]string) {
	m.t.Helper()
	m.n++
	version := "..v" + strconv.Itoa(m.n)
	writeFiles(m.t, filepath.Join(m.dir, version), files)
	next := filepath.Join(m.dir, "..data_tmp")
	if err := os.Symlink(version, next); err != nil {
		m.t.Fatal(err)
	}
	if err := os.Rename(next, filepath.Join(m.dir, "..data")); err != nil {
		m.t.Fatal(err)
	}
	for name := range files {
		link := filepath.Join(m.dir, name)
		if _, err := os.Lstat(link); err != nil {
			if err := os.Symlink(filepath.Join("..data", name), link); err != nil {
				m.t.Fatal(err)
			}
		}
	}
	if m.n > 1 {
		_ = os.RemoveAll(filepath.Join(m.dir, "..v"+strconv.Itoa(m.n-1)))
	}
}

func TestReloadOverAConfigMap(t *testing.T) {
	t.Parallel()
	g := start(t, map[string]string{"gateway.config.yml": saying("first")}, nil)
	if err := os.Remove(filepath.Join(g.dir, "gateway.config.yml")); err != nil {
		t.Fatal(err)
	}
	m := &volume{t: t, dir: g.dir}
	say := func() string { return get(t, g.url("http")).body }
	for _, text := range []string{"second", "third"} {
		m.swap(map[string]string{"gateway.config.yml": saying(text)})
		eventually(t, text, func() bool { return say() == text })
	}
	m.swap(map[string]string{"gateway.config.yml": "http: ["})
	eventually(t, "a problem", func() bool { return len(g.Status().Problems) > 0 })
	if got := say(); got != "third" {
		t.Errorf("a broken version changed the answer to %q", got)
	}
	m.swap(map[string]string{"gateway.config.yml": saying("fourth")})
	eventually(t, "fourth", func() bool { return say() == "fourth" })
}

// TestReloadKeepsConnectionsToServices holds that a new configuration uses the warm connections of the old one.
func TestReloadKeepsConnectionsToServices(t *testing.T) {
	t.Parallel()
	var opened atomic.Int64
	backend := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("X-Version"))
	}))
	backend.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	backend.Start()
	t.Cleanup(backend.Close)
	config := func(n int) map[string]string {
		return map[string]string{"gateway.config.yml": proxyTo(backend.URL, "headers: {x-version: '"+strconv.Itoa(n)+"'}")}
	}
	g := start(t, config(0), nil)
	for n := range 6 {
		writeFiles(t, g.dir, config(n))
		eventually(t, "version "+strconv.Itoa(n), func() bool { return get(t, g.url("http")).body == strconv.Itoa(n) })
	}
	if got := opened.Load(); got != 1 {
		t.Errorf("%d connections were opened to the service, want 1", got)
	}
}

// TestAThousandReloads holds that reloads leave nothing behind. It runs alone: it counts the process's goroutines.
func TestAThousandReloads(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(backend.Close)
	config := func(n int) map[string]string { // every one names other services, endpoints and pipelines
		text := proxyTo(backend.URL, "headers: {x-version: '"+strconv.Itoa(n)+"'}")
		return map[string]string{"gateway.config.yml": strings.NewReplacer(
			"api: {", "api"+strconv.Itoa(n)+": {", "[api]", "[api"+strconv.Itoa(n)+"]",
			"127.0.0.1:", "127.0.0."+strconv.Itoa(1+n%200)+":", "  main:", "  main"+strconv.Itoa(n)+":").Replace(text)}
	}
	g := start(t, config(0), map[string]string{"EG_DISABLE_CONFIG_WATCH": "1", "EGK8S_ACCESS_LOG": "off", "LOG_LEVEL": "error"})
	reload := func(from, to int) (goroutines int, heap uint64) {
		for n := from; n < to; n++ {
			writeFiles(t, g.dir, config(n))
			server.Reload(g.Gateway)
			if n%50 == 0 {
				_ = get(t, g.url("http"))
			}
		}
		var m runtime.MemStats
		eventually(t, "goroutines of old services gone", func() bool {
			runtime.GC()
			goroutines = runtime.NumGoroutine()
			return goroutines < 200
		})
		runtime.GC()
		runtime.ReadMemStats(&m)
		return goroutines, m.HeapAlloc
	}
	before, heap := reload(0, 200)
	after, now := reload(200, 1000)
	if after > before+20 {
		t.Errorf("goroutines: %d after 200 reloads, %d after 1000", before, after)
	}
	if now > heap+8<<20 {
		t.Errorf("heap: %d KiB after 200 reloads, %d KiB after 1000", heap>>10, now>>10)
	}
	if text := get(t, g.url("metrics")+"/metrics").body; strings.Count(text, "egk8s_requests_total{") > 3 {
		t.Errorf("series of endpoints that are gone stay:\n%s", text)
	}
}

// TestSlowRequestsSurvive has requests in flight over a reload and over the end.
func TestSlowRequestsSurvive(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{}, 20)
	release := make(chan struct{})
	open := sync.OnceFunc(func() { close(release) })
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-release
		_, _ = io.WriteString(w, "whole")
	}))
	t.Cleanup(backend.Close)
	t.Cleanup(open)
	g := start(t, map[string]string{"gateway.config.yml": proxyTo(backend.URL)}, nil)
	url := g.url("http")
	answers := make(chan string, 20)
	for range 20 {
		go func() {
			req, _ := http.NewRequest(http.MethodGet, url, nil)
			got, err := do(req)
			if err != nil {
				got.body = err.Error()
			}
			answers <- got.body
		}()
	}
	for range 20 {
		<-arrived
	}
	writeFiles(t, g.dir, map[string]string{"gateway.config.yml": saying("other")})
	eventually(t, "the other configuration", func() bool { return len(g.Config().ServiceEndpoints) == 0 })
	g.signals <- syscall.SIGTERM
	time.Sleep(50 * time.Millisecond)
	open()
	for range 20 {
		if got := <-answers; got != "whole" {
			t.Errorf("a request in flight: %q", got)
		}
	}
}
