package server_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestProxyPassesHeadsOnAtOnce has a service send its head long before its body, as event streams do.
func TestProxyPassesHeadsOnAtOnce(t *testing.T) {
	t.Parallel()
	proceed := make(chan struct{})
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_ = http.NewResponseController(w).Flush()
		<-proceed
		_, _ = io.WriteString(w, "data: 1\n\n")
	}))
	t.Cleanup(backend.Close)
	g := start(t, map[string]string{"gateway.config.yml": proxyTo(backend.URL)}, nil)
	resp, err := http.Get(g.url("http"))
	close(proceed)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if string(body) != "data: 1\n\n" || err != nil {
		t.Errorf("%q, %v", body, err)
	}
}

// TestProxyAnswersBeforeTheBodyIsThere has a service refuse a body of which nothing came yet.
func TestProxyAnswersBeforeTheBodyIsThere(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(backend.Close)
	g := start(t, map[string]string{"gateway.config.yml": proxyTo(backend.URL)}, nil)
	conn, err := net.Dial("tcp", g.Status().Listeners["http"])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
	if head := readHead(bufio.NewReader(conn)); len(head) == 0 || head[0] != "HTTP/1.1 403 Forbidden" {
		t.Errorf("%q", head)
	}
}

// TestProxyRefusesAmbiguousAnswers has services say things that two readers could understand differently.
func TestProxyRefusesAmbiguousAnswers(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok",
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				_ = readHead(bufio.NewReader(conn))
				_, _ = io.WriteString(conn, raw)
				conn.Close()
			}
		}()
		g := start(t, map[string]string{"gateway.config.yml": proxyTo("http://" + l.Addr().String())}, nil)
		if got := get(t, g.url("http")); got.StatusCode != 502 || got.body != "Bad gateway." {
			t.Errorf("%q: %d %q", raw, got.StatusCode, got.body)
		}
	}
}

// TestProxyCarriesLargeBodies sends bodies of all kinds of sizes there and back, in both framings.
func TestProxyCarriesLargeBodies(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > 0 {
			w.Header()["Content-Length"] = r.Header["Content-Length"]
		}
		_ = http.NewResponseController(w).EnableFullDuplex()
		_, _ = io.Copy(w, r.Body)
	}))
	t.Cleanup(backend.Close)
	g := start(t, map[string]string{"gateway.config.yml": proxyTo(backend.URL)}, nil)
	for _, size := range []int{1, 4 << 10, 32<<10 - 1, 32 << 10, 100 << 10, 3 << 20} {
		text := strings.Repeat("0123456789abcdef", size/16+1)[:size]
		for _, body := range []io.Reader{strings.NewReader(text), io.MultiReader(strings.NewReader(text))} {
			resp, err := http.Post(g.url("http"), "text/plain", body)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || string(got) != text {
				t.Fatalf("%d bytes: %d came back, %v", size, len(got), err)
			}
		}
	}
}
