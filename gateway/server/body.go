package server

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"egk8s.dev/egk8s/gateway/message"
)

var (
	errBodyTooLarge = errors.New("the body is larger than the limit")
	errBodyStalled  = errors.New("the client was silent in the middle of the body")
)

const (
	drainBytes = 256 << 10 // of an unread body, to keep its connection
	drainTime  = time.Second
)

// body is a client's body with a bound on its size and on the client's silence. An upload may be slow, as
// long as it moves. It is not pooled: a service that answers early leaves its connection reading it.
type body struct {
	io.ReadCloser
	w       http.ResponseWriter
	control *http.ResponseController
	http2   bool
	expects bool  // the client waits for 100 before it sends the body
	left    int64 // -1: no bound
	silence time.Duration

	whole  atomic.Bool // read to its end
	failed atomic.Bool // cannot be read to its end

	mu   sync.Mutex // held while control is used, so that over also says that nobody uses it
	over bool       // the request is answered
}

func newBody(w http.ResponseWriter, r *http.Request, l *limits) *body {
	b := &body{
		ReadCloser: r.Body, w: w, control: http.NewResponseController(w), left: -1, silence: l.body,
		http2: r.ProtoMajor == 2, expects: r.Header.Get("Expect") != "",
	}
	if l.bodyBytes > 0 {
		b.left = l.bodyBytes
	}
	// A service may answer before it has read everything; HTTP/2 can do that anyhow.
	_ = b.control.EnableFullDuplex()
	return b
}

// Read reads the next part.
func (b *body) Read(p []byte) (int, error) {
	if !b.await(b.silence) {
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := b.ReadCloser.Read(p)
	if b.left >= 0 {
		if b.left -= int64(n); b.left < 0 {
			b.left = 0
			n, err = 0, &message.StatusError{Status: http.StatusRequestEntityTooLarge, Text: "Payload Too Large", Err: errBodyTooLarge}
		}
	}
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, io.EOF):
		b.whole.Store(true)
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = &message.StatusError{Status: http.StatusRequestTimeout, Text: "Request Timeout", Err: errBodyStalled}
		fallthrough
	default:
		b.failed.Store(true)
	}
	b.await(0) // from here on net/http reads to notice a client that is gone, and may wait for that
	return n, err
}

// await sets how long the client may be silent, 0: for ever; false: the request is answered.
//
// A service's connection may still read the body then. It must not touch the response any more: net/http has
// given that of HTTP/2 away, and a panic there would be nobody's request's but the end of the process.
func (b *body) await(silence time.Duration) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.over:
		return false
	case b.silence <= 0:
	case silence > 0:
		_ = b.control.SetReadDeadline(time.Now().Add(silence))
	default:
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return true
}

func (b *body) answered() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
}

// end is behind the answer. What is left of the body is read when that is little; else the connection is
// closed behind the answer: what comes next on it is still this body, and no request.
//
// net/http does that itself, but not for a body that it may be read while the answer is written.
func (b *body) end(x *message.Exchange) {
	if b.answered(); b.http2 || b.whole.Load() {
		return
	}
	if !b.failed.Load() && !b.expects {
		_ = x.Response.Flush()
		_ = b.control.SetReadDeadline(time.Now().Add(drainTime)) // also of a service's connection that still reads
		if _, err := io.CopyN(io.Discard, b.ReadCloser, drainBytes); errors.Is(err, io.EOF) {
			_ = b.control.SetReadDeadline(time.Time{})
			return
		}
	}
	_ = b.control.SetReadDeadline(time.Unix(1, 0))
	closeBehind(b.w)
}

// closeBehind has net/http close the connection behind the answer, whose head may be sent already: reading
// more than http.MaxBytesReader allows is the one way to tell it so late.
func closeBehind(w http.ResponseWriter) {
	_, _ = http.MaxBytesReader(w, io.NopCloser(strings.NewReader("x")), 0).Read(make([]byte, 1))
}
