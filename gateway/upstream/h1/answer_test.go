package h1_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/upstream/h1"
)

type fields = map[string][]string

func TestAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, method, raw string
		want              answer
		reused            bool // the connection serves the next request
	}{
		{
			name: "length", raw: "HTTP/1.1 200 OK\nContent-Length: 2\nx-own: 1\n\nok", reused: true,
			want: answer{Status: 200, Body: "ok", Header: fields{"Content-Length": {"2"}, "X-Own": {"1"}}},
		},
		{
			name: "no reason", raw: "HTTP/1.1 204\n\n", reused: true,
			want: answer{Status: 204, Header: fields{}},
		},
		{
			name: "fields that occur twice", raw: "HTTP/1.1 200 OK\nSet-Cookie: a\nContent-Length:0\nset-cookie:\tb \n\n", reused: true,
			want: answer{Status: 200, Header: fields{"Set-Cookie": {"a", "b"}, "Content-Length": {"0"}}},
		},
		{
			name: "chunks", raw: "HTTP/1.1 200 OK\nTransfer-Encoding: Chunked\n\n2\nab\n3;x=y\ncde\nA \n0123456789\n0\n\n", reused: true,
			want: answer{Status: 200, Header: fields{}, Body: "abcde0123456789"},
		},
		{
			name: "trailer", raw: "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nTrailer: X-Sum\n\n2\nab\n0\nX-Sum: 9\nContent-Length: 7\n\n", reused: true,
			want: answer{Status: 200, Header: fields{}, Body: "ab", Trailer: fields{"X-Sum": {"9"}}},
		},
		{
			name: "until the end", raw: "HTTP/1.1 200 OK\n\nall",
			want: answer{Status: 200, Header: fields{}, Body: "all"},
		},
		{
			name: "interim answers", raw: "HTTP/1.1 100 Continue\n\nHTTP/1.1 103 Early Hints\nLink: x\n\nHTTP/1.1 200 OK\nContent-Length: 1\n\na", reused: true,
			want: answer{Status: 200, Header: fields{"Content-Length": {"1"}}, Body: "a"},
		},
		{
			name: "head of a body", method: "HEAD", raw: "HTTP/1.1 200 OK\nContent-Length: 99\n\n", reused: true,
			want: answer{Status: 200, Header: fields{"Content-Length": {"99"}}},
		},
		{
			name: "not modified", raw: "HTTP/1.1 304 Not Modified\nContent-Length: 99\n\n", reused: true,
			want: answer{Status: 304, Header: fields{"Content-Length": {"99"}}},
		},
		{
			name: "asked to close", raw: "HTTP/1.1 200 OK\nContent-Length: 1\nConnection: x-hop, Close\nX-Hop: 1\nKeep-Alive: 5\n\na",
			want: answer{Status: 200, Header: fields{"Content-Length": {"1"}}, Body: "a"},
		},
		{
			name: "old protocol", raw: "HTTP/1.0 200 OK\nContent-Length: 1\n\na",
			want: answer{Status: 200, Header: fields{"Content-Length": {"1"}}, Body: "a"},
		},
		{
			name: "old protocol that stays", raw: "HTTP/1.0 200 OK\nConnection: keep-alive\nContent-Length: 1\n\na", reused: true,
			want: answer{Status: 200, Header: fields{"Content-Length": {"1"}}, Body: "a"},
		},
		{
			name: "more than the answer", raw: "HTTP/1.1 200 OK\nContent-Length: 1\n\naHTTP/1.1 200 OK\nContent-Length: 6\n\nforged",
			want: answer{Status: 200, Header: fields{"Content-Length": {"1"}}, Body: "a"},
		},
		{
			name: "a body where none is allowed", raw: "HTTP/1.1 204 No Content\n\nHTTP/1.1 200 OK\nContent-Length: 6\n\nforged",
			want: answer{Status: 204, Header: fields{}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			closing := !tt.reused
			b := always(t, crlf(tt.raw), closing)
			p := newPool(t, b, h1.Options{})
			method := tt.method
			if method == "" {
				method = "GET"
			}
			for range 2 {
				if diff := cmp.Diff(tt.want, do(t, p, request(method, "/"))); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
			if got := b.opened.Load() == 1; got != tt.reused {
				t.Errorf("the connection was used again: %v, want %v", got, tt.reused)
			}
		})
	}
}

func TestAnswersThatAreRefused(t *testing.T) {
	t.Parallel()
	head := "HTTP/1.1 200 OK\r\n"
	chunks := head + "Transfer-Encoding: chunked\r\n\r\n"
	for name, raw := range map[string]string{
		"two lengths":            head + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nok",
		"a list of lengths":      head + "Content-Length: 2, 2\r\n\r\nok",
		"a signed length":        head + "Content-Length: +2\r\n\r\nok",
		"an empty length":        head + "Content-Length:\r\n\r\nok",
		"a huge length":          head + "Content-Length: 9999999999999999999\r\n\r\nok",
		"both framings":          head + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"chunked twice":          head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"another coding":         head + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"identity":               head + "Transfer-Encoding: identity\r\n\r\nok",
		"chunked in 1.0":         "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"a folded line":          head + "X-A: b\r\n c\r\nContent-Length: 2\r\n\r\nok",
		"a space before a colon": head + "Content-Length : 2\r\n\r\nok",
		"no name":                head + ": x\r\nContent-Length: 2\r\n\r\nok",
		"no colon":               head + "X-A\r\nContent-Length: 2\r\n\r\nok",
		"a bare LF":              head + "X-A: b\nContent-Length: 2\r\n\r\nok",
		"a bare CR":              head + "X-A: b\rX-B: c\r\nContent-Length: 2\r\n\r\nok",
		"bare LFs at the end":    head + "Content-Length: 2\r\n\nok",
		"a NUL":                  head + "X-A: b\x00c\r\nContent-Length: 2\r\n\r\nok",
		"a name with a space":    head + "X A: b\r\nContent-Length: 2\r\n\r\nok",
		"an empty first line":    "\r\n" + head + "Content-Length: 2\r\n\r\nok",
		"another protocol":       "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"a short status":         "HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok",
		"a long status":          "HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok",
		"a low status":           "HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\nok",
		"a switch nobody wants":  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
		"a huge head":            head + "X-A: " + strings.Repeat("a", 300<<10) + "\r\nContent-Length: 2\r\n\r\nok",
		"too many fields":        head + strings.Repeat("A: b\r\n", 1001) + "Content-Length: 2\r\n\r\nok",
		"too many options":       head + "Connection: " + strings.Repeat("a,", 70) + "\r\nContent-Length: 2\r\n\r\nok",
		"endless interim":        strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 20) + head + "Content-Length: 2\r\n\r\nok",
		"a chunk without size":   chunks + "\r\nok\r\n0\r\n\r\n",
		"a hexadecimal prefix":   chunks + "0x2\r\nok\r\n0\r\n\r\n",
		"a signed chunk":         chunks + "+2\r\nok\r\n0\r\n\r\n",
		"a huge chunk":           chunks + "fffffffffffffffff\r\nok\r\n0\r\n\r\n",
		"a chunk that is longer": chunks + "2\r\nokay\r\n0\r\n\r\n",
		"a chunk's bare LF":      chunks + "2\nok\r\n0\r\n\r\n",
		"a long extension":       chunks + "2;" + strings.Repeat("x", 2000) + "\r\nok\r\n0\r\n\r\n",
		"a broken trailer":       chunks + "2\r\nok\r\n0\r\nX : y\r\n\r\n",
		"a huge trailer":         chunks + "2\r\nok\r\n0\r\n" + strings.Repeat("X: "+strings.Repeat("y", 997)+"\r\n", 300) + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPool(t, always(t, raw, false), h1.Options{})
			got := do(t, p, request("GET", "/"))
			if !strings.Contains(got.Err, "not a valid HTTP/1.1 answer") {
				t.Errorf("taken: %+v", got)
			}
			if p.Idle() != 0 {
				t.Error("the connection is kept")
			}
		})
	}
}

// TestAnswersThatBreakOff cuts an answer at each of its bytes: none of the parts may look whole.
func TestAnswersThatBreakOff(t *testing.T) {
	t.Parallel()
	for _, whole := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nX: y\r\n\r\n",
		"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
	} {
		for n := range len(whole) {
			p := newPool(t, always(t, whole[:n], true), h1.Options{})
			got := do(t, p, request("GET", "/"))
			if got.Err == "" {
				t.Errorf("%q looks whole: %+v", whole[:n], got)
			}
		}
		p := newPool(t, always(t, whole, true), h1.Options{})
		if got := do(t, p, request("GET", "/")); got.Body != "hello" || got.Err != "" {
			t.Errorf("%q: %+v", whole, got)
		}
	}
}

// TestAnswersThatDrip sends an answer byte by byte.
func TestAnswersThatDrip(t *testing.T) {
	t.Parallel()
	raw := crlf("HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\nTransfer-Encoding: chunked\nX-Long: " + strings.Repeat("l", 100) +
		"\n\n2\nhe\n3;e\nllo\n0\nX: y\n\n")
	p := newPool(t, serve(t, func(conn net.Conn, r *bufio.Reader) {
		for {
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			for i := range len(raw) {
				_, _ = io.WriteString(conn, raw[i:i+1])
				if i%16 == 0 {
					time.Sleep(time.Millisecond)
				}
			}
		}
	}), h1.Options{})
	want := answer{Status: 200, Header: fields{"X-Long": {strings.Repeat("l", 100)}}, Body: "hello", Trailer: fields{"X": {"y"}}}
	for range 3 {
		if diff := cmp.Diff(want, do(t, p, request("GET", "/"))); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}
	if p.Open() != 1 {
		t.Errorf("%d connections, want 1", p.Open())
	}
}

// TestLargeHeadsAndBodies passes the buffers' sizes on all sides.
func TestLargeHeadsAndBodies(t *testing.T) {
	t.Parallel()
	for _, n := range []int{8191, 8192, 8193, 40 << 10, 200 << 10} {
		long := strings.Repeat("x", n)
		raw := "HTTP/1.1 200 OK\r\nX-Long: " + long + "\r\nTransfer-Encoding: chunked\r\n\r\n"
		for range 3 {
			raw += "2000\r\n" + long[:8190] + "yz\r\n"
		}
		raw += "0\r\n\r\n"
		p := newPool(t, always(t, raw, false), h1.Options{})
		for range 2 {
			got := do(t, p, request("GET", "/"))
			if got.Err != "" || len(got.Header["X-Long"][0]) != n || got.Body != strings.Repeat(long[:8190]+"yz", 3) {
				t.Fatalf("%d: error %q, %d bytes", n, got.Err, len(got.Body))
			}
		}
	}
}
