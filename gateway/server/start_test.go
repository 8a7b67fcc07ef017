package server_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"egk8s.dev/egk8s/gateway/server"
)

// models are the files that every configuration has, the smallest that work.
func models() map[string]string {
	model := func(name, properties string) string {
		return `{"$id": "http://express-gateway.io/models/` + name + `.json", "type": "object", "properties": ` + properties + `}`
	}
	return map[string]string{
		"system.config.yml":        emulated,
		"models/users.json":        model("users", `{"username": {"type": "string"}}`),
		"models/applications.json": model("applications", `{"name": {"type": "string"}}`),
		"models/credentials.json":  model("credentials", `{"key-auth": {"type": "object"}, "basic-auth": {"type": "object"}}`),
	}
}

const emulated = "db:\n  redis:\n    emulate: true\n"

// running is a gateway that a test started.
type running struct {
	*server.Gateway
	dir     string
	signals chan os.Signal
	ended   chan error
	log     *syncBuffer
}

// syncBuffer is a log that two goroutines may use.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func writeFiles(tb testing.TB, dir string, files map[string]string) {
	tb.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
			tb.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil { // whoever looks on never sees half a file
			tb.Fatal(err)
		}
	}
}

// start runs a gateway with the given files on free ports until the test ends.
func start(tb testing.TB, files, env map[string]string) *running {
	tb.Helper()
	r := &running{dir: tb.TempDir(), signals: make(chan os.Signal, 2), ended: make(chan error, 1), log: &syncBuffer{}}
	writeFiles(tb, r.dir, models())
	writeFiles(tb, r.dir, files)
	ctx, cancel := context.WithCancel(context.Background())
	up := make(chan *server.Gateway, 1)
	o := server.Options{
		ConfigDir: r.dir, StatusAddress: "127.0.0.1:0", MetricsAddress: "127.0.0.1:0",
		LookupEnv: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		Output:    r.log, Signals: r.signals, Poll: 10 * time.Millisecond,
		Started: func(g *server.Gateway) { up <- g },
	}
	go func() { r.ended <- server.Run(ctx, o) }()
	tb.Cleanup(func() {
		cancel()
		select {
		case <-r.ended:
		case <-time.After(10 * time.Second):
			tb.Error("the gateway did not end")
		}
	})
	select {
	case r.Gateway = <-up:
	case err := <-r.ended:
		r.ended <- err
		tb.Fatalf("the gateway did not start: %v\n%s", err, r.log)
	}
	return r
}

// stop ends the gateway politely and waits for its end.
func (r *running) stop(tb testing.TB) {
	tb.Helper()
	r.signals <- syscall.SIGTERM
	err := <-r.ended
	r.ended <- err
	if err != nil {
		tb.Errorf("the gateway ended with %v", err)
	}
}

// url returns the address of a listener as URL.
func (r *running) url(listener string) string { return "http://" + r.Status().Listeners[listener] }

type reply struct {
	*http.Response
	body string
}

// get asks and reads the whole answer.
func get(tb testing.TB, url string, header ...string) reply {
	tb.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		tb.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
	}
	got, err := do(req)
	if err != nil {
		tb.Fatalf("GET %s: %v", url, err)
	}
	return got
}

// do asks on a connection of its own.
func do(req *http.Request) (reply, error) {
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return reply{}, err
	}
	body, err := io.ReadAll(resp.Body)
	return reply{resp, string(body)}, errors.Join(err, resp.Body.Close())
}

// eventually waits until f is true.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("%s did not happen", what)
}

// proxyTo is a configuration that proxies everything, with options under the action.
func proxyTo(url string, options ...string) string {
	return `http: {port: 0, hostname: 127.0.0.1}
apiEndpoints: {api: {host: '*'}}
serviceEndpoints: {backend: {url: '` + url + `'}}
policies: [proxy, terminate]
pipelines:
  main:
    apiEndpoints: [api]
    policies:
    - proxy:
      - action: {serviceEndpoint: backend` + strings.Join(append([]string{""}, options...), ", ") + `}
`
}

// saying is a configuration that answers everything with a text.
func saying(text string) string {
	return `http: {port: 0, hostname: 127.0.0.1}
apiEndpoints: {api: {host: '*'}}
policies: [terminate]
pipelines: {main: {apiEndpoints: [api], policies: [{terminate: [{action: {statusCode: 200, message: '` + text + `'}}]}]}}
`
}
