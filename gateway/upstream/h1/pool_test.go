package h1_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"egk8s.dev/egk8s/gateway/upstream/h1"
)

func TestIdleConnections(t *testing.T) {
	t.Parallel()
	b := always(t, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false)
	p := newPool(t, b, h1.Options{IdleTimeout: 20 * time.Millisecond, MaxIdle: 2})
	var group sync.WaitGroup
	start := make(chan struct{})
	for range 8 {
		group.Go(func() {
			<-start
			do(t, p, request("GET", "/"))
		})
	}
	close(start)
	group.Wait()
	if n := p.Idle(); n > 2 {
		t.Errorf("%d idle connections, want at most 2", n)
	}
	waitFor(t, "the idle connections to close", func() bool { return p.Open() == 0 })
	do(t, p, request("GET", "/"))
	p.CloseIdle()
	if p.Open() != 0 {
		t.Error("idle connections survive CloseIdle")
	}
	p.Close()
	do(t, p, request("GET", "/"))
	if p.Open() != 0 {
		t.Error("a closed pool keeps connections")
	}
}

func TestHalfReadBodyEndsTheConnection(t *testing.T) {
	t.Parallel()
	p := newPool(t, always(t, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", false), h1.Options{})
	resp, err := p.Do(context.Background(), request("GET", "/"))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.ReadFull(resp.Body, make([]byte, 2))
	resp.Body.Close()
	resp.Body.Close()
	if p.Open() != 0 || p.Idle() != 0 {
		t.Errorf("%d open, %d idle", p.Open(), p.Idle())
	}
	if _, err := resp.Body.Read(make([]byte, 2)); err == nil {
		t.Error("a closed body can be read")
	}
}

// TestStaleConnections has the service close each connection when its second request comes.
func TestStaleConnections(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	b := serve(t, func(conn net.Conn, r *bufio.Reader) {
		for first := true; ; first = false {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			requests.Add(1)
			if _, err := io.Copy(io.Discard, req.Body); err != nil || !first {
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	p := newPool(t, b, h1.Options{})
	for range 3 {
		if got := do(t, p, request("GET", "/")); got.Status != 200 {
			t.Fatalf("a repeatable request fails: %+v", got)
		}
	}
	r := request("POST", "/")
	r.Body, r.ContentLength = strings.NewReader("x"), 1
	_, err := p.Do(context.Background(), r)
	var e *h1.Error
	if !errors.As(err, &e) || e.Stage != h1.Waiting || !e.Reused || e.BodyUsed || !h1.Unanswered(err) || h1.Unsent(err) {
		t.Fatalf("a request that must not be repeated: %v, %+v", err, e)
	}
	if got := do(t, p, r); got.Status != 200 {
		t.Errorf("the same request again: %+v", got)
	}
	if n := requests.Load(); n != 3+2+2 {
		t.Errorf("the service saw %d requests", n)
	}
}

// TestClosedConnectionsAreNotUsed has the service close connections while they are idle.
func TestClosedConnectionsAreNotUsed(t *testing.T) {
	t.Parallel()
	for name, last := range map[string]string{"closed": "", "with a farewell": "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"} {
		closed := make(chan struct{}, 10)
		b := serve(t, func(conn net.Conn, r *bufio.Reader) {
			_, _ = http.ReadRequest(r)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			time.Sleep(5 * time.Millisecond)
			_, _ = io.WriteString(conn, last)
			conn.Close()
			closed <- struct{}{}
		})
		p := newPool(t, b, h1.Options{})
		for range 3 {
			if got := do(t, p, request("POST", "/")); got.Status != 200 {
				t.Errorf("%s: %+v", name, got)
			}
			<-closed
		}
	}
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	_, err = h1.New(l.Addr().String(), h1.Options{}).Do(context.Background(), request("POST", "/"))
	if !h1.Unsent(err) || !h1.Unanswered(err) {
		t.Errorf("%v", err)
	}
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	silent := serve(t, func(conn net.Conn, r *bufio.Reader) {
		if req, err := http.ReadRequest(r); err == nil && req.URL.Path == "/half" {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha")
		}
		_, _ = io.Copy(io.Discard, r)
	})
	p := newPool(t, silent, h1.Options{})
	r := request("GET", "/")
	r.Timeout = 30 * time.Millisecond
	_, err := p.Do(context.Background(), r)
	var e *h1.Error
	if !errors.Is(err, h1.ErrTimeout) || !errors.As(err, &e) || e.Stage != h1.GaveUp || h1.Unanswered(err) {
		t.Errorf("no answer: %v", err)
	}
	r.Path = "/half"
	if got := do(t, p, r); got.Body != "ha" || !strings.Contains(got.Err, h1.ErrTimeout.Error()) {
		t.Errorf("half an answer: %+v", got)
	}
	tlsPool := newPool(t, silent, h1.Options{TLS: &tls.Config{ServerName: "a"}, HandshakeTimeout: 30 * time.Millisecond})
	if _, err := tlsPool.Do(context.Background(), request("GET", "/")); !errors.Is(err, h1.ErrTimeout) || !h1.Unsent(err) {
		t.Errorf("a silent TLS handshake: %v", err)
	}
}

// TestTimeoutCountsTheServiceOnly: neither a slow answer that moves nor a slow upload is silence.
func TestTimeoutCountsTheServiceOnly(t *testing.T) {
	t.Parallel()
	b := serve(t, func(conn net.Conn, r *bufio.Reader) {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, req.Body)
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n")
		for range 6 {
			time.Sleep(50 * time.Millisecond)
			_, _ = io.WriteString(conn, "x")
		}
	})
	p := newPool(t, b, h1.Options{})
	in, out := io.Pipe()
	go func() {
		for range 6 {
			_, _ = out.Write([]byte("x"))
			time.Sleep(50 * time.Millisecond)
		}
		out.Close()
	}()
	r := request("POST", "/")
	r.Body, r.ContentLength, r.Timeout = in, -1, 200*time.Millisecond
	if got := do(t, p, r); got.Body != "xxxxxx" {
		t.Errorf("%+v", got)
	}
}

// TestTimeoutDoesNotCountTheReader: a caller who reads slowly is not a silent service.
func TestTimeoutDoesNotCountTheReader(t *testing.T) {
	t.Parallel()
	b := serve(t, func(conn net.Conn, r *bufio.Reader) {
		_, _ = http.ReadRequest(r)
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
		time.Sleep(20 * time.Millisecond)
		_, _ = io.WriteString(conn, "cd")
		_, _ = io.Copy(io.Discard, r)
	})
	p := newPool(t, b, h1.Options{})
	r := request("GET", "/")
	r.Timeout = 100 * time.Millisecond
	resp, err := p.Do(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.ReadFull(resp.Body, make([]byte, 2))
	time.Sleep(200 * time.Millisecond)
	if rest, err := io.ReadAll(resp.Body); err != nil || string(rest) != "cd" {
		t.Errorf("%q, %v", rest, err)
	}
}

func TestCancelling(t *testing.T) {
	t.Parallel()
	b := serve(t, func(conn net.Conn, r *bufio.Reader) {
		if req, err := http.ReadRequest(r); err == nil && req.URL.Path == "/half" {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha")
		}
		_, _ = io.Copy(io.Discard, r)
	})
	p := newPool(t, b, h1.Options{})
	gone := errors.New("the client is gone")
	for _, after := range []time.Duration{0, 20 * time.Millisecond, 400 * time.Millisecond} { // before and after the watch begins
		ctx, cancel := context.WithCancelCause(context.Background())
		time.AfterFunc(after, func() { cancel(gone) })
		_, err := p.Do(ctx, request("GET", "/"))
		if !errors.Is(err, gone) && !errors.Is(err, context.Canceled) || h1.Unanswered(err) && after > 0 {
			t.Errorf("after %v: %v", after, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	resp, err := p.Do(ctx, request("GET", "/half"))
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(400*time.Millisecond, cancel)
	body, err := io.ReadAll(resp.Body)
	if string(body) != "ha" || !errors.Is(err, context.Canceled) {
		t.Errorf("%q, %v", body, err)
	}
	resp.Body.Close()
}

func TestSecureConnections(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, r.Host+strings.Repeat("x", int(n)))
	}))
	t.Cleanup(s.Close)
	config := s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	config.ServerName = "example.com"
	p := newPool(t, &backend{address: s.Listener.Addr().String()}, h1.Options{TLS: config})
	for range 3 {
		r := request("POST", "/")
		r.Body, r.ContentLength = stream{strings.NewReader(strings.Repeat("y", 100<<10))}, 100<<10
		if got := do(t, p, r); got.Body != "backend.test"+strings.Repeat("x", 100<<10) {
			t.Fatalf("%d, error %q", got.Status, got.Err)
		}
	}
	if p.Open() > 2 { // a sender may come back after the next request has begun
		t.Errorf("%d connections for requests one after the other", p.Open())
	}
}

// TestNothingIsLeftBehind runs many requests of all kinds at once and counts what stays.
func TestNothingIsLeftBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	b := serve(t, func(conn net.Conn, r *bufio.Reader) {
		for i := 0; ; i++ {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			if req.URL.Path == "/early" {
				_, _ = io.WriteString(conn, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
				return
			}
			body, _ := io.ReadAll(req.Body)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nX-Path: "+req.URL.Path+"\r\nContent-Length: 2\r\n\r\nok")
			if len(body)%7 == 3 {
				return
			}
		}
	})
	p := newPool(t, b, h1.Options{})
	var group sync.WaitGroup
	for worker := range 16 {
		group.Go(func() {
			for i := range 50 {
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
				r := request([]string{"GET", "POST", "PUT"}[i%3], []string{"/a", "/b", "/early"}[worker%3])
				if i%3 > 0 {
					r.Body, r.ContentLength = stream{strings.NewReader(strings.Repeat("x", i))}, int64(i)
				}
				resp, err := p.Do(ctx, r)
				if err == nil {
					if resp.Status == 200 && resp.Header.Get("X-Path") != r.Path {
						t.Errorf("%s got the answer for %s", r.Path, resp.Header.Get("X-Path"))
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
				cancel()
			}
		})
	}
	group.Wait()
	p.Close()
	waitFor(t, "the connections to close", func() bool { return p.Open() == 0 })
	waitFor(t, "the goroutines to end", func() bool { return runtime.NumGoroutine() <= before+2 })
}

func TestSwitching(t *testing.T) {
	t.Parallel()
	b := serve(t, func(conn net.Conn, r *bufio.Reader) {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "+
			strings.ToUpper(req.Header.Get("Upgrade"))+"\r\nX-A: b\r\n\r\nfirst;")
		_, _ = io.Copy(conn, r)
	})
	p := newPool(t, b, h1.Options{})
	r := request("GET", "/")
	r.Upgrade = "echo"
	resp, err := p.Do(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(resp.Conn, "second")
	got := make([]byte, len("first;second"))
	if _, err := io.ReadFull(resp.Conn, got); err != nil || string(got) != "first;second" || resp.Status != 101 || resp.Header.Get("X-A") != "b" {
		t.Errorf("%d %q, %v", resp.Status, got, err)
	}
	resp.Body.Close()
	resp.Conn.Close()
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// TestNobodyGetsTheRestOfAnAnswer: what a service sends behind the end of an answer is not the answer of the next
// request, also where TLS has decrypted it together with that end.
func TestNobodyGetsTheRestOfAnAnswer(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		const length = 12 << 10 // more than our buffer, and with what follows less than a record
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: "+strconv.Itoa(length)+"\r\n\r\n")
		_, _ = io.WriteString(conn, strings.Repeat("x", length)+"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")
		_, _ = io.Copy(io.Discard, conn)
	}))
	s.TLS = &tls.Config{DynamicRecordSizingDisabled: true}
	s.StartTLS()
	t.Cleanup(s.Close)
	config := s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	config.ServerName = "example.com"
	p := newPool(t, &backend{address: s.Listener.Addr().String()}, h1.Options{TLS: config})
	for range 2 {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		resp, err := p.Do(ctx, request("GET", "/"))
		if err != nil {
			t.Fatal(err)
		}
		if resp.ContentLength == 6 {
			t.Error("the request got what followed the answer of another one")
		}
		_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, resp.Body, make([]byte, 32<<10))
		resp.Body.Close()
		cancel()
	}
}
