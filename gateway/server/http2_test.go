package server_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"egk8s.dev/egk8s/gateway/server"
)

// overTLS is a configuration with https and one step for everything; the service is called backend.
func overTLS(t *testing.T, backend, step string) string {
	t.Helper()
	dir := t.TempDir()
	cert, key := pair(t, "localhost", 1)
	writeFiles(t, dir, map[string]string{"tls.crt": cert, "tls.key": key})
	return `http: {port: 0, hostname: 127.0.0.1}
https: {port: 0, hostname: 127.0.0.1, tls: {default: {cert: '` + dir + `/tls.crt', key: '` + dir + `/tls.key'}}}
apiEndpoints: {api: {host: '*'}}
serviceEndpoints: {backend: {url: '` + backend + `'}}
policies: [proxy, terminate]
pipelines: {main: {apiEndpoints: [api], policies: [` + step + `]}}
`
}

const toBackend = "proxy: {action: {serviceEndpoint: backend, xfwd: true}}"

// h2c is a client that speaks HTTP/2 in the clear, with prior knowledge.
func h2c() *http.Client {
	var only http.Protocols
	only.SetUnencryptedHTTP2(true)
	return &http.Client{Transport: &http.Transport{Protocols: &only, DisableCompression: true}}
}

// h2 is a client that takes whatever HTTP the handshake agrees on.
func h2() *http.Client {
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true, DisableCompression: true,
	}}
}

func TestHTTP2(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Seen", r.Method+" "+r.URL.String()+" "+r.Header.Get("X-Forwarded-Proto"))
		_, _ = io.Copy(w, r.Body)
	}))
	t.Cleanup(backend.Close)
	g := start(t, map[string]string{"gateway.config.yml": overTLS(t, backend.URL, toBackend)}, nil)
	tests := map[string]struct {
		client *http.Client
		url    string
		major  int
		scheme string
	}{
		"over TLS":     {h2(), strings.Replace(g.url("https"), "http:", "https:", 1), 2, "https"},
		"in the clear": {h2c(), g.url("http"), 2, "http"},
		"1.1 over TLS": {
			&http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}}}},
			strings.Replace(g.url("https"), "http:", "https:", 1), 1, "https",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 3 {
				resp, err := tt.client.Post(tt.url+"/a%2Fb?c=d", "text/plain", strings.NewReader("body"))
				if err != nil {
					t.Fatal(err)
				}
				body, _ := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				want, seen := "POST /a%2Fb?c=d "+tt.scheme, resp.Header.Get("X-Seen")
				if resp.ProtoMajor != tt.major || string(body) != "body" || seen != want {
					t.Errorf("HTTP/%d, body %q, the service saw %q, want %q", resp.ProtoMajor, body, seen, want)
				}
			}
		})
	}
}

// TestHTTP2BothWays holds what gRPC needs: parts go on at once in both directions, with fields behind both bodies.
func TestHTTP2BothWays(t *testing.T) {
	t.Parallel()
	for name, options := range map[string][]string{"to HTTP/1.1": nil, "to HTTP/2": {"http2: true"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backend := httptest.NewUnstartedServer(http.HandlerFunc(capitals))
			backend.Config.Protocols = new(http.Protocols)
			backend.Config.Protocols.SetHTTP1(options == nil)
			backend.Config.Protocols.SetUnencryptedHTTP2(options != nil)
			backend.Start()
			t.Cleanup(backend.Close)
			g := start(t, map[string]string{"gateway.config.yml": proxyTo(backend.URL, options...)}, nil)
			talk(t, g.url("http"))
		})
	}
}

// capitals answers each part of a body with the same in capitals, at once.
func capitals(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	_ = control.EnableFullDuplex()
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Trailer", "Grpc-Status")
	_ = control.Flush()
	buf := make([]byte, 64)
	for {
		n, err := r.Body.Read(buf)
		_, _ = w.Write(bytes.ToUpper(buf[:n]))
		_ = control.Flush()
		if err != nil {
			break
		}
	}
	w.Header().Set("Grpc-Status", "0")
	w.Header().Set(http.TrailerPrefix+"X-Late", r.Trailer.Get("X-Sum"))
}

// talk sends parts and reads the answer to each before the next.
func talk(t *testing.T, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	read, write := io.Pipe()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, read)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/grpc")
	req.Header.Set("Te", "trailers")
	req.Trailer = http.Header{"X-Sum": nil}
	go func() { _, _ = write.Write([]byte("one")) }()
	resp, err := h2c().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	buf := make([]byte, 64)
	for _, part := range []string{"one", "two", "three"} {
		if part != "one" {
			_, _ = write.Write([]byte(part))
		}
		n, err := io.ReadFull(resp.Body, buf[:len(part)])
		if err != nil || string(buf[:n]) != strings.ToUpper(part) {
			t.Fatalf("sent %q, got %q, %v", part, buf[:n], err)
		}
	}
	req.Trailer["X-Sum"] = []string{"late"}
	_ = write.Close()
	if rest, err := io.ReadAll(resp.Body); len(rest) > 0 || err != nil {
		t.Errorf("more came: %q, %v", rest, err)
	}
	if resp.Trailer.Get("Grpc-Status") != "0" || resp.Trailer.Get("X-Late") != "late" {
		t.Errorf("behind the body: %v", resp.Trailer)
	}
}

// TestHTTP2IsToldToGo looks at the end of a connection that a client would keep.
func TestHTTP2IsToldToGo(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-release
		}
	}))
	t.Cleanup(backend.Close)
	g := start(t, map[string]string{"gateway.config.yml": proxyTo(backend.URL)}, map[string]string{"EGK8S_DRAIN_DELAY": "300ms"})
	client, url := h2c(), g.url("http")
	ask := func(path string) error {
		resp, err := client.Get(url + path)
		if err == nil {
			_ = resp.Body.Close()
		}
		return err
	}
	if err := ask("/"); err != nil {
		t.Fatal(err)
	}
	slow := make(chan error, 1)
	go func() { slow <- ask("/slow") }()
	eventually(t, "two requests", func() bool { return strings.Contains(get(t, g.url("metrics")+"/metrics").body, "in_flight 1\n") })
	g.signals <- syscall.SIGTERM
	for begin := time.Now(); time.Since(begin) < 200*time.Millisecond; time.Sleep(5 * time.Millisecond) {
		if err := ask("/"); err != nil {
			t.Fatalf("a request in the delay: %v", err)
		}
	}
	time.AfterFunc(300*time.Millisecond, func() { close(release) })
	if err := <-slow; err != nil {
		t.Errorf("the request in flight: %v", err)
	}
	err := <-g.ended
	g.ended <- err
	if err != nil {
		t.Error(err)
	}
}

func TestHTTP2Limits(t *testing.T) {
	t.Parallel()
	g := start(t, map[string]string{"gateway.config.yml": saying("x")}, map[string]string{"EGK8S_MAX_HEADERS": "20", "EGK8S_MAX_TARGET_BYTES": "100"})
	for want, change := range map[int]func(*http.Request){
		200: func(*http.Request) {},
		431: func(r *http.Request) {
			for range 21 {
				r.Header.Add("X", "y")
			}
		},
		414: func(r *http.Request) { r.URL.Path = "/" + strings.Repeat("a", 100) },
		400: func(r *http.Request) { r.Header.Set("Te", "gzip") },
	} {
		req, _ := http.NewRequest(http.MethodGet, g.url("http"), nil)
		change(req)
		resp, err := h2c().Do(req)
		if err != nil {
			t.Errorf("want %d: %v", want, err)
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("got %d, want %d", resp.StatusCode, want)
		}
	}
}

// runOnce runs a gateway that should not start.
func runOnce(t *testing.T, config string, env map[string]string) error {
	t.Helper()
	dir := t.TempDir()
	writeFiles(t, dir, models())
	writeFiles(t, dir, map[string]string{"gateway.config.yml": config})
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return server.Run(ctx, server.Options{
		ConfigDir: dir, LookupEnv: func(name string) (string, bool) { v, ok := env[name]; return v, ok }, Output: &syncBuffer{},
	})
}
