// Package h1 is an HTTP/1.1 client for one address that works on the caller's goroutine.
//
// http.Transport keeps two goroutines for each connection, and each request crosses between them four
// times. Here the caller writes its request and reads the answer itself. Only a request's body is sent
// from a goroutine of its own, so that a service can answer before it has read everything.
//
// Answers are parsed strictly: what could be read in two ways is an error, not a guess.
package h1

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"

	"egk8s.dev/egk8s/gateway/message"
)

// Request is what goes to a service. Do does not change it but for reading its body.
type Request struct {
	Method string
	// Path is the request target, path and query, sent byte for byte; empty: "/".
	Path string
	// Host is the Host header.
	Host string
	// Header are the other fields. Those that belong to one connection only are not sent, nor are
	// Content-Length and its kind, which follow from ContentLength.
	Header message.Header
	// Body is the body; nil when there is none.
	Body io.Reader
	// ContentLength is the body's length in bytes; -1 sends it chunked.
	ContentLength int64
	// Trailer returns the fields behind a body of unknown length, once it is read to its end; nil: there are none.
	Trailer func() message.Header
	// Upgrade is the protocol to switch to, as in the Upgrade field; empty: none.
	Upgrade string
	// Timeout is how long the service may be silent, before the answer and between its parts; 0: for ever.
	// The time in which a body is being sent does not count.
	Timeout time.Duration
	// HeadTimeout is how long the answer may take to begin, where that is sooner than Timeout; 0: no limit of its own.
	HeadTimeout time.Duration
	// Reply is where the answer's fields go: each replaces what has its name. The zero value: a new header.
	// It is not touched before the answer's head is read whole.
	Reply message.Header
}

// FirstTimeout is how long the service may be silent before its answer; 0: for ever.
func (r *Request) FirstTimeout() time.Duration {
	if r.HeadTimeout > 0 && (r.Timeout == 0 || r.HeadTimeout < r.Timeout) {
		return r.HeadTimeout
	}
	return r.Timeout
}

// Response is a service's answer. Its Body must be closed, also where it is empty.
type Response struct {
	Status int
	Header message.Header
	// Body is the body. A connection is used again only when the body was read to its end.
	Body          io.ReadCloser
	ContentLength int64 // -1: unknown
	// Conn is the connection after a switch of protocols (status 101), else nil. Body is empty then, and
	// closing it leaves the connection alone.
	Conn net.Conn
	// Trailers returns the fields behind the body once Body is read to its end; nil: there are none.
	Trailers func() message.Header

	body   body
	values [8]string // of Header, where there are no more
}

// Pending tells that the service has sent its head and no byte yet of a body of unknown length: such a head
// should be passed on at once.
func (r *Response) Pending() bool {
	if r.Trailers != nil {
		return r.ContentLength < 0
	}
	b := &r.body
	return b.c != nil && b.framing != fixed && b.c.from == b.c.to
}

// Trailer returns the fields behind the body, once Body is read to its end.
func (r *Response) Trailer() message.Header {
	if r.Trailers != nil {
		return r.Trailers()
	}
	return r.body.trailer
}

// Options say how to connect.
type Options struct {
	// TLS makes connections secure; nil: plain.
	TLS *tls.Config
	// ConnectTimeout limits the connecting, HandshakeTimeout the TLS handshake; 0: 10 s.
	ConnectTimeout, HandshakeTimeout time.Duration
	// MaxIdle is how many unused connections stay open; 0: 512.
	MaxIdle int
	// IdleTimeout is how long; 0: 4 s, below the 5 s after which node's servers close them.
	IdleTimeout time.Duration
	// MaxHead limits the bytes of an answer's head, and those of its trailer; 0: 256 KiB.
	MaxHead int
}

// Stage is how far a request came.
type Stage int

// The stages.
const (
	// Connecting: nothing was sent.
	Connecting Stage = iota
	// Waiting: some or all was sent, and no byte of an answer came.
	Waiting
	// Answering: the answer began, and its head is broken or incomplete.
	Answering
	// GaveUp: the time was up, or the caller's context done.
	GaveUp
	// Refused: the request cannot be written as HTTP/1.1; nothing was sent.
	Refused
)

// Error is a request without an answer.
type Error struct {
	Stage Stage
	// Reused tells that the connection had served before: the service may have closed it while it was idle,
	// just before the request reached it.
	Reused bool
	// BodyUsed tells that some of the request's body was read, so that it cannot be sent again.
	BodyUsed bool
	Err      error
}

// Error says what went wrong.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }

// Unsent tells that the service has not seen the request: anybody may send it again, whatever its method.
func Unsent(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Stage == Connecting && !e.BodyUsed
}

// Unanswered tells that the connection failed before any byte of an answer came, and that the request can
// be sent again as far as its body goes. One of an idempotent method may be (RFC 9110, section 9.2.2).
func Unanswered(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Stage == Connecting || e.Stage == Waiting) && !e.BodyUsed
}

// Errors that callers tell apart with errors.Is.
var (
	// ErrTimeout: the service was silent for longer than Request.Timeout, or did not take a connection in time.
	ErrTimeout = errors.New("the upstream was silent for longer than its timeout")
	// ErrRequest: the request cannot be written as HTTP/1.1; nothing was sent.
	ErrRequest = errors.New("not a valid HTTP/1.1 request")
	// ErrResponse: the answer is not valid HTTP/1.1, or not unambiguously so.
	ErrResponse = errors.New("not a valid HTTP/1.1 answer")
	// ErrBody: the request's body could not be read to its end; the service is not to blame.
	ErrBody = errors.New("the request's body broke off")
	// ErrTruncated: the connection ended before the answer did.
	ErrTruncated = errors.New("the answer broke off")
)

// IsIdempotent tells whether a request of that method may be sent again when it is not known whether the
// service has seen it.
func IsIdempotent(method string) bool {
	switch method {
	case "GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE":
		return true
	}
	return false
}
