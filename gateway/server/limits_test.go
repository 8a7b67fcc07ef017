package server_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// counting is a backend that reads bodies and counts those that came whole.
func counting(t *testing.T, begun, whole *atomic.Int64) string {
	t.Helper()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun.Add(1)
		n, err := io.Copy(io.Discard, r.Body)
		if err == nil {
			whole.Add(1)
		}
		_, _ = fmt.Fprint(w, n)
	}))
	t.Cleanup(backend.Close)
	return backend.URL
}

// dial opens a connection to a listener.
func (r *running) dial(t *testing.T, listener string) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", r.Status().Listeners[listener])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	return c, bufio.NewReader(c)
}

// answer reads one answer and returns its status; 0: there is none.
func answer(r *bufio.Reader) int {
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body         string
		chunked      bool
		want         int
		begun, whole int64
	}{
		"at the limit":           {strings.Repeat("a", 1000), false, 200, 1, 1},
		"declared over it":       {strings.Repeat("a", 1001), false, 413, 0, 0},
		"streamed at the limit":  {strings.Repeat("a", 1000), true, 200, 1, 1},
		"streamed far beyond it": {strings.Repeat("a", 200_000), true, 413, -1, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var begun, whole atomic.Int64
			g := start(t, map[string]string{"gateway.config.yml": proxyTo(counting(t, &begun, &whole))},
				map[string]string{"EGK8S_MAX_BODY_BYTES": "1000"})
			var body io.Reader = strings.NewReader(tt.body)
			if tt.chunked {
				body = io.MultiReader(body)
			}
			req, _ := http.NewRequest(http.MethodPost, g.url("http"), body)
			got, err := do(req)
			if err != nil {
				t.Fatal(err)
			}
			if got.StatusCode != tt.want || tt.begun >= 0 && begun.Load() != tt.begun || whole.Load() != tt.whole {
				t.Errorf("status %d, %d requests reached the service, %d whole", got.StatusCode, begun.Load(), whole.Load())
			}
		})
	}
}

func TestStalledBody(t *testing.T) {
	t.Parallel()
	var begun, whole atomic.Int64
	g := start(t, map[string]string{"gateway.config.yml": proxyTo(counting(t, &begun, &whole))}, map[string]string{"EGK8S_BODY_TIMEOUT": "150ms"})
	c, r := g.dial(t, "http")
	_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc")
	if got := answer(r); got != 408 {
		t.Errorf("a body that stopped: %d", got)
	}
	// What comes now is still that body, however much it looks like a request.
	_, _ = io.WriteString(c, "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n")
	if got := answer(r); got != 0 {
		t.Errorf("the rest of the body was answered with %d", got)
	}
}

func TestSlowBodyThatMoves(t *testing.T) {
	t.Parallel()
	var begun, whole atomic.Int64
	g := start(t, map[string]string{"gateway.config.yml": proxyTo(counting(t, &begun, &whole))}, map[string]string{"EGK8S_BODY_TIMEOUT": "500ms"})
	c, r := g.dial(t, "http")
	_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n")
	for range 20 {
		time.Sleep(40 * time.Millisecond)
		_, _ = io.WriteString(c, "a")
	}
	if got := answer(r); got != 200 || whole.Load() != 1 {
		t.Errorf("status %d, %d whole bodies", got, whole.Load())
	}
}

// TestUnreadBody answers before the body has come: what is left of it must never be read as a request.
func TestUnreadBody(t *testing.T) {
	t.Parallel()
	g := start(t, map[string]string{"gateway.config.yml": saying("early")}, nil)
	t.Run("that came is read, and the connection kept", func(t *testing.T) {
		t.Parallel()
		c, r := g.dial(t, "http")
		for range 3 {
			_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
			if got := answer(r); got != 200 {
				t.Fatalf("status %d", got)
			}
		}
	})
	for name, head := range map[string]string{
		"that stops halfway":        "Content-Length: 100\r\n\r\nab",
		"that stops in a chunk":     "Transfer-Encoding: chunked\r\n\r\n64\r\nab",
		"that waits to be asked":    "Content-Length: 100\r\nExpect: 100-continue\r\n\r\n",
		"that is longer than tried": "Content-Length: 1000000\r\n\r\n" + strings.Repeat("a", 300<<10),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, r := g.dial(t, "http")
			_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\n"+head)
			if got := answer(r); got != 200 {
				t.Fatalf("status %d", got)
			}
			time.Sleep(1200 * time.Millisecond) // longer than the gateway waits for the rest
			_, _ = io.WriteString(c, "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n")
			if got := answer(r); got != 0 {
				t.Errorf("the rest of the body was answered with %d", got)
			}
		})
	}
}

func TestHeadLimits(t *testing.T) {
	t.Parallel()
	env := map[string]string{
		"EGK8S_MAX_HEADERS": "20", "EGK8S_MAX_TARGET_BYTES": "100", "EGK8S_MAX_HEADER_BYTES": "2000", "EGK8S_HEADER_TIMEOUT": "200ms",
	}
	g := start(t, map[string]string{"gateway.config.yml": saying("x")}, env)
	for raw, want := range map[string]int{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n":                                                        200,
		"GET /" + strings.Repeat("a", 100) + " HTTP/1.1\r\nHost: a\r\n\r\n":                        414,
		"GET /" + strings.Repeat("a", 5000) + " HTTP/1.1\r\nHost: a\r\n\r\n":                       414,
		"GET / HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X: y\r\n", 20) + "\r\n":                  431,
		"GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("y", 2000) + "\r\n\r\n":                431,
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n":    400,
		"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n folded\r\n\r\n":                                     400,
		"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n":                                                  400,
		"GET / HTTP/1.1\r\nHost: a\r\nX-Stops: here":                                               0,
		"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\n": 200, // answered without reading it
	} {
		c, r := g.dial(t, "http")
		_, _ = io.WriteString(c, raw)
		if got := answer(r); got != want {
			t.Errorf("%.60q: %d, want %d", raw, got, want)
		}
	}
}

// TestClientThatTakesNothing must not hold a service's connection for ever.
func TestClientThatTakesNothing(t *testing.T) {
	t.Parallel()
	for name, h2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gone := make(chan struct{})
			backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for part := make([]byte, 1<<16); r.Context().Err() == nil; {
					if _, err := w.Write(part); err != nil {
						break
					}
				}
				close(gone)
			}))
			t.Cleanup(backend.Close)
			g := start(t, map[string]string{"gateway.config.yml": proxyTo(backend.URL)}, map[string]string{"EGK8S_WRITE_TIMEOUT": "300ms"})
			if h2 {
				resp, err := h2c().Get(g.url("http"))
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
			} else {
				c, _ := g.dial(t, "http")
				_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			}
			select {
			case <-gone:
			case <-time.After(10 * time.Second):
				t.Error("the service still writes")
			}
		})
	}
}

func TestConnectionLimit(t *testing.T) {
	t.Parallel()
	g := start(t, map[string]string{"gateway.config.yml": saying("x")}, map[string]string{"EGK8S_MAX_CONNECTIONS": "2"})
	ask := func() (net.Conn, int) {
		c, r := g.dial(t, "http")
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		return c, answer(r)
	}
	first, one := ask()
	_, two := ask()
	_, three := ask()
	if one != 200 || two != 200 || three != 0 {
		t.Errorf("answers %d, %d, %d; want two, and none on the third connection", one, two, three)
	}
	if got := get(t, g.url("status")+"/egk8s/live").StatusCode; got != 200 {
		t.Errorf("the probe got %d", got)
	}
	if text := get(t, g.url("metrics")+"/metrics").body; !strings.Contains(text, "egk8s_connections 2\n") ||
		!strings.Contains(text, "egk8s_connections_refused_total 1\n") {
		t.Errorf("the metrics say:\n%s", text)
	}
	_ = first.Close()
	eventually(t, "room for another", func() bool { _, got := ask(); return got == 200 })
}

func TestDoubtfulFramingOverTLS(t *testing.T) {
	t.Parallel()
	g := start(t, map[string]string{"gateway.config.yml": overTLS(t, "http://127.0.0.1:1", "terminate: {action: {statusCode: 200, message: x}}")}, nil)
	address := g.Status().Listeners["https"]
	for raw, want := range map[string]int{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n":                                                     200,
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n": 400,
	} {
		c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, raw)
		if got := answer(bufio.NewReader(c)); got != want {
			t.Errorf("%.60q: %d, want %d", raw, got, want)
		}
		_ = c.Close()
	}
	c, r := g.dial(t, "https")
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	if got := answer(r); got != 400 {
		t.Errorf("plain HTTP on the port of HTTPS: %d", got)
	}
}

func TestWrongLimitsStopTheStart(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{"EGK8S_MAX_HEADERS": "many", "EGK8S_BODY_TIMEOUT": "-1s", "EGK8S_MAX_TARGET_BYTES": "1000000"} {
		if err := runOnce(t, saying("x"), map[string]string{name: value}); err == nil || !strings.Contains(err.Error(), "target") && !strings.Contains(err.Error(), name) {
			t.Errorf("%s=%s: %v", name, value, err)
		}
	}
}
