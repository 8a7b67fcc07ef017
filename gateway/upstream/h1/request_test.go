package h1_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/upstream/h1"
)

// heard serves one request at a time and returns its bytes as they came, up to the pause behind them.
func heard(t *testing.T, r *h1.Request) (string, error) {
	t.Helper()
	got := make(chan string, 1)
	b := serve(t, func(conn net.Conn, _ *bufio.Reader) {
		var all []byte
		buf := make([]byte, 64<<10)
		for !bytes.HasSuffix(all, []byte("END")) && !bytes.HasSuffix(all, []byte("\r\n\r\n")) {
			n, err := conn.Read(buf)
			all = append(all, buf[:n]...)
			if err != nil {
				break
			}
		}
		got <- string(all)
		_, _ = io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
	})
	p := newPool(t, b, h1.Options{})
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	resp, err := p.Do(ctx, r)
	if err != nil {
		return "", err
	}
	resp.Body.Close()
	return <-got, nil
}

// stream hides what a reader can do besides reading.
type stream struct{ io.Reader }

func TestRequestsAsSent(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		r    h1.Request
		want string
	}{
		{name: "plain", r: h1.Request{Method: "GET"}, want: "GET / HTTP/1.1\nHost: b\n\n"},
		{
			name: "only what is for the service",
			r: h1.Request{Method: "GET", Path: "//a%2F?x=ü&&", Header: message.HeaderOf(fields{
				"X-B": {"1", "2"}, "A": {"v"}, "Connection": {"close"}, "Te": {"trailers"}, "Trailer": {"X"}, "Expect": {"100-continue"},
				"Transfer-Encoding": {"chunked"}, "Transfer_encoding": {"chunked"}, "transfer-encoding": {"chunked"},
				"Content-Length": {"7"}, "CONTENT_LENGTH": {"7"}, "Host": {"other"}, "Keep-Alive": {"1"}, "Proxy-Connection": {"x"},
				"Proxy-Authorization": {"x"}, "Upgrade": {"h2c"},
			})},
			want: "GET //a%2F?x=ü&& HTTP/1.1\nHost: b\nA: v\nX-B: 1\nX-B: 2\n\n",
		},
		{name: "no body", r: h1.Request{Method: "POST"}, want: "POST / HTTP/1.1\nHost: b\nContent-Length: 0\n\n"},
		{
			name: "body at hand", r: h1.Request{Method: "POST", Body: strings.NewReader("the END"), ContentLength: 7},
			want: "POST / HTTP/1.1\nHost: b\nContent-Length: 7\n\nthe END",
		},
		{
			name: "body that streams", r: h1.Request{Method: "PUT", Body: stream{strings.NewReader("the ENDmore")}, ContentLength: 7},
			want: "PUT / HTTP/1.1\nHost: b\nContent-Length: 7\n\nthe END",
		},
		{
			name: "body of unknown length", r: h1.Request{Method: "POST", Body: stream{strings.NewReader("0123456789abcdefg")}, ContentLength: -1},
			want: "POST / HTTP/1.1\nHost: b\nTransfer-Encoding: chunked\n\n11\n0123456789abcdefg\n0\n\n",
		},
		{
			name: "switch", r: h1.Request{Method: "GET", Upgrade: "websocket"},
			want: "GET / HTTP/1.1\nHost: b\nConnection: Upgrade\nUpgrade: websocket\n\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.r.Host = "b"
			got, err := heard(t, &tt.r)
			if err != nil && tt.name != "body of unknown length" {
				t.Fatal(err)
			}
			if tt.r.ContentLength == -1 {
				return // its head and body come apart: see TestUploads
			}
			if diff := cmp.Diff(crlf(tt.want), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	t.Parallel()
	b := always(t, "HTTP/1.1 204 No Content\r\n\r\n", false)
	p := newPool(t, b, h1.Options{})
	for name, change := range map[string]func(*h1.Request){
		"method":         func(r *h1.Request) { r.Method = "GET / HTTP/1.1\r\nX: y\r\n\r\n" },
		"no method":      func(r *h1.Request) { r.Method = "" },
		"target":         func(r *h1.Request) { r.Path = "/a b" },
		"target's lines": func(r *h1.Request) { r.Path = "/ HTTP/1.1\r\nX:" },
		"host":           func(r *h1.Request) { r.Host = "a\r\nX: y" },
		"host's path":    func(r *h1.Request) { r.Host = "a/b" },
		"no host":        func(r *h1.Request) { r.Host = "" },
		"name":           func(r *h1.Request) { r.Header.Map()["X: y\r\nZ"] = []string{"1"} },
		"name's space":   func(r *h1.Request) { r.Header.Map()["X "] = []string{"1"} },
		"empty name":     func(r *h1.Request) { r.Header.Map()[""] = []string{"1"} },
		"value":          func(r *h1.Request) { r.Header.Set("X", "1\r\nY: 2") },
		"value's LF":     func(r *h1.Request) { r.Header.Set("X", "1\nY: 2") },
		"value's NUL":    func(r *h1.Request) { r.Header.Set("X", "1\x00") },
		"upgrade":        func(r *h1.Request) { r.Upgrade = "a\r\nb: c" },
	} {
		r := request("GET", "/")
		change(r)
		_, err := p.Do(context.Background(), r)
		if !errors.Is(err, h1.ErrRequest) || h1.Unanswered(err) || h1.Unsent(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUploads(t *testing.T) {
	t.Parallel()
	b := serve(t, func(conn net.Conn, r *bufio.Reader) {
		for {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			n, err := io.Copy(io.Discard, req.Body)
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Got: "+http.StatusText(200)+"\r\n\r\n")
			_ = n
		}
	})
	p := newPool(t, b, h1.Options{})
	for _, size := range []int{1, 100, 8 << 10, 8<<10 + 1, 32 << 10, 33 << 10, 300 << 10} {
		for _, length := range []int64{int64(size), -1} {
			for _, body := range []io.Reader{strings.NewReader(strings.Repeat("x", size)), stream{strings.NewReader(strings.Repeat("x", size))}} {
				r := request("POST", "/")
				r.Body, r.ContentLength = body, length
				if got := do(t, p, r); got.Status != 200 || got.Err != "" {
					t.Fatalf("%d bytes, length %d: %+v", size, length, got)
				}
			}
		}
	}
}

// TestEarlyAnswer answers while the body is still coming: the caller must not wait for the rest.
func TestEarlyAnswer(t *testing.T) {
	t.Parallel()
	b := serve(t, func(conn net.Conn, r *bufio.Reader) {
		_, _ = http.ReadRequest(r) // the head comes, though no byte of the body does
		_, _ = io.WriteString(conn, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")
		_, _ = r.ReadByte()
	})
	p := newPool(t, b, h1.Options{})
	in, out := io.Pipe()
	r := request("POST", "/")
	r.Body, r.ContentLength = in, 1<<20
	got := do(t, p, r)
	if got.Status != 413 || got.Body != "no" {
		t.Errorf("%+v", got)
	}
	if p.Idle() != 0 {
		t.Error("a connection with half a request on it is kept")
	}
	out.Close()
}

func TestBodyThatBreaksOff(t *testing.T) {
	t.Parallel()
	b := always(t, "HTTP/1.1 204 No Content\r\n\r\n", false)
	for name, r := range map[string]*h1.Request{
		"error":     {Body: io.MultiReader(strings.NewReader("part"), failing{}), ContentLength: 99},
		"too short": {Body: stream{strings.NewReader("part")}, ContentLength: 99},
		"chunked":   {Body: io.MultiReader(strings.NewReader("part"), failing{}), ContentLength: -1},
	} {
		r.Method, r.Host, r.Header = "PUT", "b", message.NewHeader(0)
		p := newPool(t, b, h1.Options{})
		if _, err := p.Do(context.Background(), r); !errors.Is(err, h1.ErrBody) || h1.Unanswered(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("the client is gone") }

// TestTrailerIsSent sends fields behind a body; those that frame messages are not among them.
func TestTrailerIsSent(t *testing.T) {
	t.Parallel()
	got := make(chan http.Header, 1)
	b := serve(t, func(conn net.Conn, r *bufio.Reader) {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, req.Body)
		got <- req.Trailer
		_, _ = io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
	})
	p := newPool(t, b, h1.Options{})
	r := request("POST", "/")
	r.Body, r.ContentLength = stream{strings.NewReader("x")}, -1
	r.Trailer = func() message.Header {
		return message.HeaderOf(fields{"X-Sum": {"1"}, "Content-Length": {"9"}, "X-Bad": {"a\r\nb"}})
	}
	if a := do(t, p, r); a.Status != 204 {
		t.Fatalf("%+v", a)
	}
	if diff := cmp.Diff(http.Header{"X-Sum": {"1"}}, <-got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// ending is a body that ends its request's context before it says why it cannot be read, as net/http's does.
type ending struct{ end context.CancelFunc }

func (b ending) Read([]byte) (int, error) {
	b.end()
	time.Sleep(100 * time.Millisecond) // so that the caller sees the context first
	return 0, io.ErrNoProgress
}

// TestBodyThatEndsItsContext holds that the body's error is the request's, so that it can be answered for.
func TestBodyThatEndsItsContext(t *testing.T) {
	t.Parallel()
	p := newPool(t, always(t, "HTTP/1.1 204 No Content\r\n\r\n", false), h1.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r := request("PUT", "/")
	r.Body, r.ContentLength = io.MultiReader(strings.NewReader("part"), ending{cancel}), 99
	if _, err := p.Do(ctx, r); !errors.Is(err, h1.ErrBody) || !errors.Is(err, io.ErrNoProgress) || h1.Unanswered(err) {
		t.Errorf("%v, want the body's error", err)
	}
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("nobody expects it") }

// TestBodyThatPanics: the body is read on a goroutine of ours, whose panic would end the process.
func TestBodyThatPanics(t *testing.T) {
	t.Parallel()
	b := serve(t, func(_ net.Conn, r *bufio.Reader) { _, _ = io.Copy(io.Discard, r) })
	r := request("POST", "/")
	r.Body, r.ContentLength = panicking{}, -1
	if got := do(t, newPool(t, b, h1.Options{}), r); !strings.Contains(got.Err, "panic") {
		t.Errorf("error %q", got.Err)
	}
}
