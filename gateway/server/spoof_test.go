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

// ask sends raw bytes to the gateway's port and returns the status line of the answer.
func ask(t *testing.T, address, raw string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(conn, raw); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// TestConnectionDropsOnlyTheClientsFields: what the gateway adds for the backend is not the client's to remove.
func TestConnectionDropsOnlyTheClientsFields(t *testing.T) {
	t.Parallel()
	got := make(chan http.Header, 1)
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.Header }))
	t.Cleanup(backend.Close)
	g := start(t, map[string]string{"gateway.config.yml": proxyTo(backend.URL, "xfwd: true")}, nil)
	line := ask(t, g.Status().Listeners["http"], "GET / HTTP/1.1\r\nHost: front\r\nX-Mine: 1\r\nEg_Consumer_Id: spoofed\r\nEg-Consumer_id: spoofed\r\n"+
		"Connection: close, X-Forwarded-For, Eg-Request-Id, X-Mine\r\n\r\n")
	if !strings.Contains(line, "200") {
		t.Fatalf("answered %q", line)
	}
	h := <-got
	if h.Get("X-Forwarded-For") == "" || h.Get("Eg-Request-Id") == "" || h.Get("X-Mine") != "" {
		t.Errorf("the backend got %v", h)
	}
	for name := range h {
		if strings.EqualFold(strings.ReplaceAll(name, "_", "-"), "Eg-Consumer-Id") {
			t.Errorf("the backend got a consumer from the client: %s", name)
		}
	}
}

// TestTargetsWithoutPath: a target that does not begin with a slash would be put behind the backend's
// host as it stands, and could change that host where a forward proxy is asked.
func TestTargetsWithoutPath(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the backend was asked %s %s", r.Method, r.RequestURI)
	}))
	t.Cleanup(backend.Close)
	g := start(t, map[string]string{"gateway.config.yml": proxyTo(backend.URL)}, nil)
	for _, head := range []string{
		"GET x:@127.0.0.1/", "GET x:.evil.example/", "CONNECT evil.example:80", "CONNECT .evil.example:80", "CONNECT /path",
	} {
		if line := ask(t, g.Status().Listeners["http"], head+" HTTP/1.1\r\nHost: front\r\nConnection: close\r\n\r\n"); !strings.Contains(line, " 400 ") {
			t.Errorf("%s: %q", head, line)
		}
	}
}

// TestStatusThatIsNone: a backend that switches protocols unasked, or answers with a number that is no
// status, has failed.
func TestStatusThatIsNone(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"101 Switching Protocols", "042 No"} {
		t.Run(status[:3], func(t *testing.T) {
			t.Parallel()
			backend, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = backend.Close() })
			go func() {
				conn, err := backend.Accept()
				if err != nil {
					return
				}
				readHead(bufio.NewReader(conn))
				_, _ = io.WriteString(conn, "HTTP/1.1 "+status+"\r\nContent-Length: 0\r\n\r\n")
				_, _ = io.Copy(io.Discard, conn) // keeps it open until the gateway gives up
				_ = conn.Close()
			}()
			g := start(t, map[string]string{"gateway.config.yml": proxyTo("http://" + backend.Addr().String())}, nil)
			if line := ask(t, g.Status().Listeners["http"], "GET / HTTP/1.1\r\nHost: front\r\nConnection: close\r\n\r\n"); !strings.Contains(line, " 502 ") {
				t.Errorf("answered %q", line)
			}
		})
	}
}
