package framing_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"egk8s.dev/egk8s/gateway/framing"
)

const post = "POST /p HTTP/1.1\r\nHost: a.test\r\n"

// chunked is a request whose body has the given bytes.
func chunked(body string) string { return post + "Transfer-Encoding: chunked\r\n\r\n" + body }

// hidden has one more request in what one reader takes for the body.
func hidden(field string) string {
	const body = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n"
	return post + "Content-Length: " + strconv.Itoa(len(body)) + "\r\n" + field + "\r\n" + body
}

// corpus are requests by name; true: valid, and to be served.
func corpus() map[string]struct {
	raw   string
	valid bool
} {
	type one = struct {
		raw   string
		valid bool
	}
	return map[string]one{
		"length":                        {post + "Content-Length: 5\r\n\r\nhello", true},
		"length zero":                   {post + "Content-Length: 0\r\n\r\n", true},
		"length with spaces":            {post + "content-LENGTH:\t 5 \t\r\n\r\nhello", true},
		"chunked":                       {chunked("5\r\nhello\r\n0\r\n\r\n"), true},
		"chunked in capitals":           {post + "TRANSFER-ENCODING: Chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n", true},
		"chunk extension":               {chunked("5;a=b\r\nhello\r\n0;c\r\n\r\n"), true},
		"chunk extension behind spaces": {chunked("5 ; a\r\nhello\r\n0\r\n\r\n"), false},
		"trailer":                       {chunked("5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n"), true},
		"no body":                       {"GET /p HTTP/1.1\r\nHost: a.test\r\n\r\n", true},
		"1.0":                           {"GET /p HTTP/1.0\r\n\r\n", true},
		"GET with a body":               {"GET /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello", true},
		"two requests at once":          {post + "Content-Length: 5\r\n\r\nhelloGET /p HTTP/1.1\r\nHost: a.test\r\n\r\n", true},
		"upgrade":                       {"GET /p HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nGET /p HTTP/1.1\r\nHost: a.test\r\n\r\n", true},

		"both lengths":                      {hidden("Transfer-Encoding: chunked\r\n"), false},
		"both lengths, other order":         {post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", false},
		"coding with space before colon":    {hidden("Transfer-Encoding : chunked\r\n"), false},
		"coding with tab before colon":      {hidden("Transfer-Encoding\t: chunked\r\n"), false},
		"unknown coding":                    {post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", false},
		"codings in a list":                 {post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", false},
		"coding twice":                      {post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false},
		"quoted coding":                     {post + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", false},
		"coding behind vertical tab":        {post + "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", false},
		"coding before NUL":                 {post + "Transfer-Encoding: chunked\x00\r\n\r\n0\r\n\r\n", false},
		"coding before two CR":              {post + "Transfer-Encoding: chunked\r\r\n\r\n0\r\n\r\n", false},
		"coding with the sign for Kelvin":   {post + "Transfer-Encoding: chun\u212aed\r\n\r\n0\r\n\r\n", false},
		"folded coding":                     {post + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", false},
		"coding in a folded line":           {hidden("X: y\r\n Transfer-Encoding: chunked\r\n"), false},
		"coding behind bare LF":             {hidden("X: y\nTransfer-Encoding: chunked\r\n"), false},
		"coding behind bare CR":             {hidden("X: y\rTransfer-Encoding: chunked\r\n"), false},
		"coding in HTTP/1.0":                {"POST /p HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false},
		"space before the first field":      {"GET /p HTTP/1.1\r\n Host: a.test\r\nHost: a.test\r\n\r\n", false},
		"length twice":                      {post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", false},
		"lengths that differ":               {post + "Content-Length: 5\r\nContent-Length: 0\r\n\r\nhello", false},
		"length as a list":                  {post + "Content-Length: 5, 5\r\n\r\nhello", false},
		"length with a sign":                {post + "Content-Length: +5\r\n\r\nhello", false},
		"length in hexadecimal":             {post + "Content-Length: 0x5\r\n\r\nhello", false},
		"length beyond 64 bits":             {post + "Content-Length: 18446744073709551621\r\n\r\nhello", false},
		"empty length":                      {post + "Content-Length: \r\n\r\nhello", false},
		"length with space before colon":    {post + "Content-Length : 5\r\n\r\nhello", false},
		"chunk size before bare LF":         {chunked("5\nhello\r\n0\r\n\r\n"), false},
		"chunk extension before bare LF":    {chunked("5;\nhello\r\n0\r\n\r\n"), false},
		"last chunk before bare LF":         {chunked("5\r\nhello\r\n0;a\n\r\n"), false},
		"chunk without its end":             {chunked("5\r\nhelloXX0\r\n\r\n"), false},
		"chunk before bare LF":              {chunked("5\r\nhello\n0\r\n\r\n"), false},
		"chunk size with 0x":                {chunked("0x5\r\nhello\r\n0\r\n\r\n"), false},
		"chunk size with a sign":            {chunked("+5\r\nhello\r\n0\r\n\r\n"), false},
		"chunk size beyond 64 bits":         {chunked("100000000000000005\r\nhello\r\n0\r\n\r\n"), false},
		"chunk size before a space":         {chunked("5 \r\nhello\r\n0\r\n\r\n"), false},
		"no chunk size":                     {chunked("\r\nhello\r\n0\r\n\r\n"), false},
		"trailer before bare LF":            {chunked("0\r\nX: 1\n\r\n"), false},
		"folded trailer":                    {chunked("0\r\nX: 1\r\n 2\r\n\r\n"), false},
		"no host":                           {"GET /p HTTP/1.1\r\n\r\n", false},
		"two hosts":                         {"GET /p HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\n\r\n", false},
		"host with a path":                  {"GET /p HTTP/1.1\r\nHost: a.test/x\r\n\r\n", false},
		"space in a name":                   {"GET /p HTTP/1.1\r\nHost: a.test\r\nX Y: 1\r\n\r\n", false},
		"NUL in a name":                     {"GET /p HTTP/1.1\r\nHost: a.test\r\nX\x00Y: 1\r\n\r\n", false},
		"NUL in a value":                    {"GET /p HTTP/1.1\r\nHost: a.test\r\nX: a\x00b\r\n\r\n", false},
		"CR in a value":                     {"GET /p HTTP/1.1\r\nHost: a.test\r\nX: a\rb\r\n\r\n", false},
		"line without colon":                {"GET /p HTTP/1.1\r\nHost: a.test\r\nX\r\n\r\n", false},
		"bare LF throughout":                {"GET /p HTTP/1.1\nHost: a.test\n\n", false},
		"bare LF at the end of the head":    {"GET /p HTTP/1.1\r\nHost: a.test\r\n\n", false},
		"0.9":                               {"GET /p\r\n\r\n", false},
		"version in small letters":          {"GET /p http/1.1\r\nHost: a.test\r\n\r\n", false},
		"space in the method":               {"GE T /p HTTP/1.1\r\nHost: a.test\r\n\r\n", false},
		"control sign in the path":          {"GET /p\x01q HTTP/1.1\r\nHost: a.test\r\n\r\n", false},
		"doubtful second request":           {post + "Content-Length: 5\r\n\r\nhello" + hidden("Transfer-Encoding: chunked\r\n"), false},
		"doubtful behind an upgrade":        {"GET /p HTTP/1.1\r\nHost: a.test\r\nUpgrade: x\r\n\r\n" + hidden("Transfer-Encoding: chunked\r\n"), false},
		"preface of HTTP/2 behind requests": {post + "Content-Length: 0\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", false},
	}
}

// guarded hands out connections that are guarded.
type guarded struct {
	net.Listener
	limits framing.Limits
	// chop makes every read of a connection one byte, so that every line comes in parts.
	chop bool
}

func (g guarded) Accept() (net.Conn, error) {
	c, err := g.Listener.Accept()
	if err == nil && g.chop {
		c = chopped{c}
	}
	return framing.NewConn(c, g.limits), err
}

type chopped struct{ net.Conn }

func (c chopped) Read(p []byte) (int, error) { return iotest.OneByteReader(c.Conn).Read(p) }

// serve starts a server behind the guard and returns its address; whole counts requests that came whole.
func serve(t *testing.T, g guarded, handler http.Handler) string {
	t.Helper()
	var err error
	if g.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	s := &http.Server{
		Handler: handler, ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: g.limits.HeadBytes,
		ConnState: func(c net.Conn, state http.ConnState) {
			switch conn := c.(*framing.Conn); state {
			case http.StateIdle:
				conn.Next()
			case http.StateHijacked:
				conn.Pass()
			case http.StateNew, http.StateActive, http.StateClosed:
			}
		},
	}
	go func() { _ = s.Serve(g) }()
	t.Cleanup(func() { _ = s.Close() })
	return g.Addr().String()
}

// talk sends raw and returns the statuses of the answers.
func talk(t *testing.T, address, raw string) []int {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, raw); err != nil {
		t.Fatal(err)
	}
	_ = c.(*net.TCPConn).CloseWrite()
	var out []int
	for r := bufio.NewReader(c); ; {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			return out
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		out = append(out, resp.StatusCode)
	}
}

// TestCorpus holds which requests are refused, and that none of the refused ones was taken for whole.
func TestCorpus(t *testing.T) {
	t.Parallel()
	whole := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			w.Header().Set("Connection", "close")
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if r.URL.Path != "/p" {
			t.Errorf("the server saw %s %s", r.Method, r.URL)
		}
	})
	for how, chop := range map[string]bool{"at once": false, "byte by byte": true} {
		address := serve(t, guarded{chop: chop}, whole)
		for name, tt := range corpus() {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				got := talk(t, address, tt.raw)
				if len(got) == 0 {
					t.Fatal("no answer")
				}
				if ok := got[len(got)-1] == http.StatusOK; ok != tt.valid {
					t.Errorf("answers %v, valid: %v", got, tt.valid)
				}
			})
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	limits := framing.Limits{Target: 1 << 10, HeadBytes: 8 << 10, Fields: 50}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.RequestURI) > limits.Target {
			w.WriteHeader(http.StatusRequestURITooLong)
		}
	})
	address := serve(t, guarded{limits: limits}, handler)
	fields := func(n int) string { return strings.Repeat("X: y\r\n", n) }
	tests := map[string]struct {
		raw  string
		want int
	}{
		"all at their limit":      {"GET /" + strings.Repeat("a", 1023) + " HTTP/1.1\r\nHost: a\r\n" + fields(49) + "\r\n", 200},
		"one field more":          {"GET / HTTP/1.1\r\nHost: a\r\n" + fields(50) + "\r\n", 431},
		"very many fields":        {"GET / HTTP/1.1\r\nHost: a\r\n" + fields(20_000) + "\r\n", 431},
		"one byte more of target": {"GET /" + strings.Repeat("a", 1024) + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
		"a very long target":      {"GET /" + strings.Repeat("a", 1<<17) + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
		"a large field":           {"GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("a", 8<<10) + "\r\n\r\n", 431},
		"a very large field":      {"GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("a", 1<<20) + "\r\n\r\n", 431},
		"a field near the limit":  {"GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("a", 8<<10-100) + "\r\n\r\n", 200},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := talk(t, address, tt.raw); len(got) != 1 || got[0] != tt.want {
				t.Errorf("answers %v, want %d", got, tt.want)
			}
		})
	}
}

// TestUpgradeIsLeftAlone takes a connection over while the client has sent its first bytes already.
func TestUpgradeIsLeftAlone(t *testing.T) {
	t.Parallel()
	address := serve(t, guarded{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(20 * time.Millisecond) // the client's bytes arrive meanwhile
		c, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
		_, _ = io.Copy(c, buffered)
	}))
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	raw := []byte("\n\x00 not HTTP\n\r\x00\x81")
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
	_, _ = c.Write(raw[:5])
	time.Sleep(5 * time.Millisecond)
	_, _ = c.Write(raw[5:])
	_ = c.(*net.TCPConn).CloseWrite()
	all, _ := io.ReadAll(c)
	if _, echo, _ := bytes.Cut(all, []byte("\r\n\r\n")); !bytes.Equal(echo, raw) {
		t.Errorf("sent %q, came back %q", raw, echo)
	}
}

// FuzzAgainstNetHTTP holds that what passes is what net/http reads, request by request, and that what
// passes has no doubtful sign in it.
func FuzzAgainstNetHTTP(f *testing.F) {
	for _, tt := range corpus() {
		f.Add([]byte(tt.raw), uint8(3))
	}
	f.Fuzz(func(t *testing.T, raw []byte, part uint8) {
		once := passed(raw, len(raw)+1)
		ours := readAll(once)
		if parts := readAll(passed(raw, int(part)+1)); !slices.Equal(parts, ours) {
			t.Fatalf("in parts %q passes, at once %q", parts, ours)
		}
		theirs := readAll(raw)
		for i, r := range ours {
			if i >= len(theirs) || theirs[i] != r {
				t.Fatalf("request %d is %q behind the guard, net/http reads %q", i, r, theirs)
			}
		}
		if len(ours) == 0 {
			return
		}
		if head, _, _ := bytes.Cut(once, []byte("\r\n\r\n")); bytes.Contains(bytes.ReplaceAll(head, []byte("\r\n"), nil), []byte("\n")) {
			t.Fatalf("a bare LF passed: %q", head)
		}
	})
}

// passed is what comes through the guard when it reads size bytes at a time.
func passed(raw []byte, size int) []byte {
	c := framing.NewConn(stream{bytes.NewReader(raw)}, framing.Limits{})
	var out []byte
	buf := make([]byte, size)
	for {
		n, err := c.Read(buf)
		out = append(out, buf[:n]...)
		if err != nil {
			return out
		}
	}
}

type stream struct{ *bytes.Reader }

func (stream) Close() error                     { return nil }
func (stream) LocalAddr() net.Addr              { return nil }
func (stream) RemoteAddr() net.Addr             { return nil }
func (stream) SetDeadline(time.Time) error      { return nil }
func (stream) SetReadDeadline(time.Time) error  { return nil }
func (stream) SetWriteDeadline(time.Time) error { return nil }
func (s stream) Write(p []byte) (int, error)    { return len(p), nil }

// readAll returns the requests that net/http reads whole, up to the first one that it refuses.
func readAll(raw []byte) []string {
	var out []string
	for r := bufio.NewReader(bytes.NewReader(raw)); ; {
		req, err := http.ReadRequest(r)
		if err != nil {
			return out
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return out
		}
		out = append(out, req.Method+" "+req.RequestURI+" "+strconv.Quote(string(body)))
	}
}

func BenchmarkScan(b *testing.B) {
	raw := []byte("GET /api/v1/users/42?verbose=true HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n" +
		"Accept: text/html,application/xhtml+xml\r\nAccept-Encoding: gzip, deflate\r\nAccept-Language: en\r\n" +
		"Authorization: apiKey 0123456789:abcdefghij\r\nX-Request-Id: 7f1b\r\nCookie: a=b\r\nConnection: keep-alive\r\n\r\n")
	endless := &repeat{raw: raw}
	c := framing.NewConn(endless, framing.Limits{Target: 16 << 10, HeadBytes: 64 << 10, Fields: 200})
	buf := make([]byte, 4096)
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if n, err := c.Read(buf); err != nil || n != len(raw) {
			b.Fatal(n, err)
		}
	}
}

type repeat struct {
	stream
	raw []byte
}

func (r *repeat) Read(p []byte) (int, error) { return copy(p, r.raw), nil }
