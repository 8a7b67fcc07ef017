package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestProxyPassesBytes speaks over plain sockets on both sides, so that no library tidies anything up.
func TestProxyPassesBytes(t *testing.T) {
	t.Parallel()
	heads := make(chan []string, 1)
	backend, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = backend.Close() })
	go func() {
		for {
			conn, err := backend.Accept()
			if err != nil {
				return
			}
			heads <- readHead(bufio.NewReader(conn))
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: X-Hop\r\nX-Hop: secret\r\nSet-Cookie: a=1\r\n"+
				"Set-Cookie: b=2\r\nX-End: kept\r\nContent-Length: 2\r\n\r\nok")
			_ = conn.Close()
		}
	}()
	g := start(t, map[string]string{"gateway.config.yml": proxyTo("http://" + backend.Addr().String() + "/base/")}, nil)
	for _, target := range []string{"/a%2Fb;c?x=%20+y&&z", "/d%2F%2Fd/x?//", "/é/%C3%A9", "/a?b=c?d"} {
		conn, err := net.Dial("tcp", g.Status().Listeners["http"])
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, "GET "+target+" HTTP/1.1\r\nHost: front\r\nConnection: close, X-Drop\r\nX-Drop: 1\r\n"+
			"X-Keep: 1\r\nEg-Consumer-Id: spoofed\r\nEg-Request-Id: mine\r\nTE: trailers\r\nProxy-Connection: x\r\n\r\n")
		got := readHead(bufio.NewReader(conn))
		_ = conn.Close()
		var head []string
		select {
		case head = <-heads:
		case <-time.After(5 * time.Second):
			t.Fatalf("%s did not reach the backend; the client got %q", target, got)
		}
		if want := "GET /base/" + strings.TrimPrefix(target, "/") + " HTTP/1.1"; head[0] != want {
			t.Errorf("the backend got %q, want %q", head[0], want)
		}
		var fields []string
		for _, f := range head[1:] {
			if strings.HasPrefix(f, "Eg-Request-Id: ") && !strings.HasSuffix(f, " mine") {
				f = "Eg-Request-Id: ID"
			}
			fields = append(fields, f)
		}
		want := []string{"Host: " + backend.Addr().String(), "Eg-Request-Id: ID", "X-Keep: 1"}
		if diff := cmp.Diff(want, fields); diff != "" {
			t.Errorf("fields at the backend (-want +got):\n%s", diff)
		}
		answer := strings.Join(got, "\n")
		if strings.Contains(answer, "X-Hop") || strings.Contains(answer, "Content-Type") || !strings.Contains(answer, "X-End: kept") ||
			strings.Count(answer, "Set-Cookie") != 2 {
			t.Errorf("the client got\n%s", answer)
		}
	}
}

func readHead(r *bufio.Reader) []string {
	var lines []string
	for {
		line, err := r.ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		if err != nil || line == "" {
			return lines
		}
		lines = append(lines, line)
	}
}

func TestProxyStreamsBothWays(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		w.Header().Set("Trailer", "X-Sum")
		_ = http.NewResponseController(w).Flush()
		scanner := bufio.NewScanner(r.Body)
		n := 0
		for scanner.Scan() {
			n++
			fmt.Fprintf(w, "echo %s\n", scanner.Text())
			_ = http.NewResponseController(w).Flush()
		}
		w.Header().Set("X-Sum", fmt.Sprint(n))
	}))
	t.Cleanup(backend.Close)
	g := start(t, map[string]string{"gateway.config.yml": proxyTo(backend.URL)}, nil)
	in, out := io.Pipe()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url("http"), in)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.WriteString(out, "first\n") }()
	resp, err := (&http.Transport{}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(resp.Body)
	for _, word := range []string{"first", "second", "third"} {
		if word != "first" {
			_, _ = io.WriteString(out, word+"\n")
		}
		got, err := lines.ReadString('\n') // comes before the next line is sent
		if err != nil || got != "echo "+word+"\n" {
			t.Fatalf("got %q, %v", got, err)
		}
	}
	_ = out.Close()
	if rest, err := io.ReadAll(lines); err != nil || len(rest) != 0 {
		t.Fatalf("rest %q, %v", rest, err)
	}
	if got := resp.Trailer.Get("X-Sum"); got != "3" {
		t.Errorf("trailer %q", got)
	}
}

func TestProxyFailures(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hang":
			<-r.Context().Done()
		case "/cut":
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("half"))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		case "/large":
			_, _ = w.Write(make([]byte, 300<<10))
		}
	}))
	t.Cleanup(backend.Close)
	g := start(t, map[string]string{"gateway.config.yml": proxyTo(backend.URL, "proxyTimeout: 150")}, nil)
	if got := get(t, g.url("http")+"/hang"); got.StatusCode != 502 || got.body != "Bad gateway." {
		t.Errorf("a silent backend: %d %q", got.StatusCode, got.body)
	}
	req, _ := http.NewRequest(http.MethodGet, g.url("http")+"/cut", nil)
	if got, err := do(req); err == nil {
		t.Errorf("a broken answer looks whole: %q", got.body)
	}
	if got := get(t, g.url("http")+"/large"); len(got.body) != 300<<10 {
		t.Errorf("a large answer has %d bytes", len(got.body))
	}
	backend.Close()
	if got := get(t, g.url("http")+"/gone"); got.StatusCode != 502 || got.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("no backend: %d %v", got.StatusCode, got.Header)
	}
}

func TestProbeLearnsWhoAnswered(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Egk8s-Probe") != "" {
			t.Error("the nonce reached the backend")
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(backend.Close)
	config := strings.Replace(proxyTo(backend.URL), "{host: '*'}", "{host: '*', paths: /known}", 1)
	g := start(t, map[string]string{"gateway.config.yml": config}, map[string]string{"EGK8S_CONFIG_DIGEST": "n0nce", "EGK8S_DRAIN_DELAY": "0"})
	for _, tt := range []struct{ path, nonce, want string }{
		{"/known", "n0nce", "upstream"}, {"/unknown", "n0nce", "gateway"}, {"/known", "guess", ""}, {"/unknown", "", ""},
	} {
		got := get(t, g.url("http")+tt.path, "Egk8s-Probe", tt.nonce)
		if got.StatusCode != 404 || got.Header.Get("Egk8s-Answer") != tt.want {
			t.Errorf("%s with %q: %d by %q, want %q", tt.path, tt.nonce, got.StatusCode, got.Header.Get("Egk8s-Answer"), tt.want)
		}
	}
	metrics := get(t, g.url("metrics")+"/metrics").body
	for _, want := range []string{
		`egk8s_requests_total{endpoint="api",pipeline="main",status="4xx"} 2`,
		`egk8s_requests_total{endpoint="",pipeline="",status="4xx"} 2`,
		`egk8s_request_duration_seconds_count{endpoint="api",pipeline="main"} 2`,
		"egk8s_requests_in_flight 0",
		`egk8s_policy_answers_total{pipeline="main",policy="proxy",status="4xx"} 2`,
		`egk8s_upstream_endpoint_state{service="backend",endpoint="` + strings.TrimPrefix(backend.URL, "http://") + `",state="healthy"} 1`,
		`egk8s_upstream_answers_total{service="backend",endpoint="` + strings.TrimPrefix(backend.URL, "http://") + `",status="4xx"} 2`,
		`egk8s_upstream_request_duration_seconds_count{service="backend"} 2`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("the metrics lack %s:\n%s", want, metrics)
		}
	}
}

// answering is a service that says the same to each head that comes in one piece, without any work, so that
// what is measured is the gateway.
func answering(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	answer := []byte("HTTP/1.1 200 OK\r\nDate: Mon, 02 Jan 2006 15:04:05 GMT\r\nContent-Type: text/plain\r\nContent-Length: 17\r\n\r\nseventeen bytes..")
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				buf := make([]byte, 8<<10)
				for {
					if _, err := conn.Read(buf); err != nil {
						return
					}
					if _, err := conn.Write(answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

func BenchmarkProxy(b *testing.B) {
	g := start(b, map[string]string{"gateway.config.yml": proxyTo(answering(b))}, nil)
	conn, err := net.Dial("tcp", g.Status().Listeners["http"])
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	request := []byte("GET /some/path?q=1 HTTP/1.1\r\nHost: front.test\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n")
	answer := make([]byte, 4096)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := conn.Write(request); err != nil {
			b.Fatal(err)
		}
		if _, err := conn.Read(answer); err != nil {
			b.Fatal(err)
		}
	}
}

func TestBrokenBodyIsTheClientsFault(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.ReadAll(r.Body) }))
	t.Cleanup(backend.Close)
	g := start(t, map[string]string{"gateway.config.yml": proxyTo(backend.URL)}, nil)
	conn, err := net.Dial("tcp", g.Status().Listeners["http"])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n")
	if got := readHead(bufio.NewReader(conn)); len(got) == 0 || got[0] != "HTTP/1.1 400 Bad Request" {
		t.Errorf("got %q", got)
	}
}

// TestFramingAliasesStayOutside sends fields that some servers read as the length of the body.
func TestFramingAliasesStayOutside(t *testing.T) {
	t.Parallel()
	got := make(chan http.Header, 1)
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.Header.Clone() }))
	t.Cleanup(backend.Close)
	g := start(t, map[string]string{"gateway.config.yml": proxyTo(backend.URL)}, nil)
	get(t, g.url("http"), "Transfer_Encoding", "chunked", "Content_Length", "7", "X_Own", "1")
	h := <-got
	if h.Get("Transfer_Encoding") != "" || h.Get("Content_Length") != "" || h.Get("X_Own") != "1" {
		t.Errorf("the backend got %v", h)
	}
}
