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

// TestFieldsBehindTheBodySayNobody: servers that join trailers to the head must not learn from there who asks.
func TestFieldsBehindTheBodySayNobody(t *testing.T) {
	t.Parallel()
	got := make(chan http.Header, 1)
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		got <- r.Trailer
	}))
	t.Cleanup(backend.Close)
	g := start(t, map[string]string{"gateway.config.yml": proxyTo(backend.URL)}, nil)
	line := ask(t, g.Status().Listeners["http"], "POST / HTTP/1.1\r\nHost: front\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"+
		"1\r\nx\r\n0\r\nEg-Consumer-Id: spoofed\r\nEg_consumer_id: spoofed\r\nEg-Request-Id: spoofed\r\nAuthorization: spoofed\r\nX-Sum: 1\r\n\r\n")
	if !strings.Contains(line, "200") {
		t.Fatalf("answered %q", line)
	}
	if trailer := <-got; len(trailer) != 1 || trailer.Get("X-Sum") != "1" {
		t.Errorf("the backend got %v", trailer)
	}
}

// TestHostBesideAuthority: an HTTP/2 request has one host, that by which it is routed.
func TestHostBesideAuthority(t *testing.T) {
	t.Parallel()
	got := make(chan string, 1)
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.Host }))
	t.Cleanup(backend.Close)
	g := start(t, map[string]string{"gateway.config.yml": proxyTo(backend.URL)}, nil)
	for host, want := range map[string]bool{"inner.test": false, "FRONT.test": true} {
		status := askHTTP2(t, g.Status().Listeners["http"], ":authority", "front.test", "host", host)
		if want != (status == http.StatusOK) {
			t.Errorf("Host: %s beside :authority: status %d", host, status)
		}
		select {
		case seen := <-got:
			if !want || "http://"+seen != backend.URL {
				t.Errorf("Host: %s: the service was asked for %s", host, seen)
			}
		default:
		}
	}
}

// askHTTP2 sends one request with the given fields, which no client library would, and returns the status of the
// answer: 200, 400 or 0.
func askHTTP2(t *testing.T, address string, fields ...string) int {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	block := []byte{0x82, 0x86, 0x84} // GET, http, / (RFC 7541, appendix A)
	for i, text := range fields {
		if i%2 == 0 {
			block = append(block, 0) // a literal that is not indexed
		}
		block = append(append(block, byte(len(text))), text...)
	}
	head := append([]byte{0, 0, byte(len(block)), 1, 5, 0, 0, 0, 1}, block...) // HEADERS, END_STREAM and END_HEADERS
	_, _ = io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+"\x00\x00\x00\x04\x00\x00\x00\x00\x00"+string(head))
	r := bufio.NewReader(conn)
	for {
		var frame [9]byte
		if _, err := io.ReadFull(r, frame[:]); err != nil {
			return 0
		}
		payload := make([]byte, int(frame[0])<<16|int(frame[1])<<8|int(frame[2]))
		if _, err := io.ReadFull(r, payload); err != nil {
			return 0
		}
		if frame[3] == 1 && len(payload) > 0 {
			return map[byte]int{0x88: 200, 0x8c: 400}[payload[0]]
		}
	}
}

// TestOneCredentialReachesTheService: the one that policies saw.
func TestOneCredentialReachesTheService(t *testing.T) {
	t.Parallel()
	got := make(chan http.Header, 1)
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.Header }))
	t.Cleanup(backend.Close)
	g := start(t, map[string]string{"gateway.config.yml": proxyTo(backend.URL)}, nil)
	line := ask(t, g.Status().Listeners["http"], "GET / HTTP/1.1\r\nHost: front\r\nConnection: close\r\n"+
		"Authorization: Bearer seen\r\nX-Many: 1\r\nauthorization: Bearer unseen\r\nX-Many: 2\r\n\r\n")
	if !strings.Contains(line, "200") {
		t.Fatalf("answered %q", line)
	}
	if h := <-got; len(h["Authorization"]) != 1 || h.Get("Authorization") != "Bearer seen" || len(h["X-Many"]) != 2 {
		t.Errorf("the backend got %v", h)
	}
}
