package h1_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/upstream/h1"
)

// backend serves connections with a script: no library tidies up what it says.
type backend struct {
	address string
	opened  atomic.Int64
}

// serve calls script for each connection, which is closed behind it.
func serve(tb testing.TB, script func(conn net.Conn, r *bufio.Reader)) *backend {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { l.Close() })
	b := &backend{address: l.Addr().String()}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			b.opened.Add(1)
			go func() {
				defer conn.Close()
				script(conn, bufio.NewReader(conn))
			}()
		}
	}()
	return b
}

// always answers each request with the same bytes, and closes the connection after each when closing is true.
func always(tb testing.TB, answer string, closing bool) *backend {
	tb.Helper()
	return serve(tb, func(conn net.Conn, r *bufio.Reader) {
		for {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			if _, err := io.WriteString(conn, answer); err != nil || closing {
				return
			}
		}
	})
}

func newPool(tb testing.TB, b *backend, o h1.Options) *h1.Pool {
	tb.Helper()
	p := h1.New(b.address, o)
	tb.Cleanup(func() {
		p.Close()
		for end := time.Now().Add(5 * time.Second); p.Open() > 0; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				tb.Errorf("%d connections stay open", p.Open())
				return
			}
		}
	})
	return p
}

func request(method, path string) *h1.Request {
	return &h1.Request{Method: method, Path: path, Host: "backend.test", Header: message.NewHeader(4)}
}

// answer is what a request led to, as far as tests compare it.
type answer struct {
	Status  int
	Header  map[string][]string
	Body    string
	Trailer map[string][]string
	Err     string // of Do, or "body: " and that of the body
}

func do(tb testing.TB, p *h1.Pool, r *h1.Request) answer {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	resp, err := p.Do(ctx, r)
	if err != nil {
		return answer{Err: err.Error()}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	a := answer{Status: resp.Status, Header: resp.Header.Map(), Body: string(body), Trailer: resp.Trailer().Map()}
	if err != nil {
		a.Err = "body: " + err.Error()
	}
	return a
}

// crlf turns a text with line ends as people write them into what HTTP sends.
func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
