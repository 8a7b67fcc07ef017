package h1_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"egk8s.dev/egk8s/gateway/upstream/h1"
)

// FuzzAnswer holds our reader to net/http's: what ours takes, that one must take too, with the same status,
// fields and body. Ours may refuse more.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\nContent-Length: 2\nX-A: b\n\nok", "HTTP/1.1 204\n\n", "HTTP/1.0 200 OK\n\nall",
		"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2;a=b\nok\n0\nX: y\n\n", "HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\nContent-Length: 1\n\na",
		"HTTP/1.1 200 OK\nContent-Length: 2\nContent-Length: 2\n\nok", "HTTP/1.1 200 OK\nX: a\n b\n\n", "HTTP/1.1 304 X\nContent-Length: 5\n\n",
		"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nContent-Length: 3\n\n0\n\n", "HTTP/1.1 200 OK\nConnection: close, x\nX: y\n\n",
	} {
		f.Add(crlf(seed), false)
		f.Add(crlf(seed), true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, raw string, head bool) {
		method := "GET"
		if head {
			method = "HEAD"
		}
		client, server := net.Pipe()
		defer client.Close()
		go func() {
			_, _ = bufio.NewReader(server).ReadString('\n')
			_ = server.SetDeadline(time.Now().Add(time.Second))
			_, _ = io.WriteString(server, raw)
			server.Close()
		}()
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		resp, err := h1.RoundTrip(ctx, client, request(method, "/"))
		if err != nil {
			return
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		compare(t, raw, method, resp, string(body), err)
	})
}

func compare(t *testing.T, raw, method string, got *h1.Response, body string, bodyErr error) {
	t.Helper()
	r := bufio.NewReader(strings.NewReader(raw))
	want, err := http.ReadResponse(r, &http.Request{Method: method})
	for err == nil && want.StatusCode < 200 && want.StatusCode != 101 {
		want, err = http.ReadResponse(r, &http.Request{Method: method})
	}
	if err != nil {
		t.Fatalf("taken, but not by net/http: %v\n%q", err, raw)
	}
	if got.Status != want.StatusCode {
		t.Errorf("status %d, net/http reads %d\n%q", got.Status, want.StatusCode, raw)
	}
	for name, values := range got.Header.All() {
		if !slices.Equal(values, want.Header[name]) {
			t.Errorf("%s: %q, net/http reads %q\n%q", name, values, want.Header[name], raw)
		}
	}
	text, err := io.ReadAll(want.Body)
	if bodyErr == nil && (err != nil || string(text) != body) {
		t.Errorf("body %q, net/http reads %q, %v\n%q", body, text, err, raw)
	}
}
