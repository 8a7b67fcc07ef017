package message

import (
	"io"
	"strconv"
)

// Sink is where an engine sends a response. Its methods are called in the order of the protocol.
type Sink interface {
	// WriteHead sends the status and the fields of the Response's Header.
	WriteHead(status int)
	// Write sends a part of the body.
	Write(p []byte) (int, error)
	// Flush hands everything written so far to the network.
	Flush() error
	// Trailer adds fields behind a body whose length was not announced.
	Trailer(name string, values []string)
}

// Response is the answer while it is made. Its head is sent by the first of WriteHead, Write and Send.
type Response struct {
	// Header are the fields to send; changes after the head was sent have no effect.
	Header Header

	sink     Sink
	status   int
	bytes    int64
	upstream bool
	sending  bool // the head is about to be sent: what onHead calls cannot begin another answer
	onHead   []func(*Response)
	filters  []Filter
	held     *held // nil: nothing is kept back
}

// NewResponse returns a response that goes to sink; header is what the engine will send.
func NewResponse(header Header, sink Sink) Response {
	return Response{Header: header, sink: sink}
}

// OnHead calls f just before the head is sent, in order of registration: f may change Header.
func (r *Response) OnHead(f func(*Response)) { r.onHead = append(r.onHead, f) }

// Status returns the status that was sent; 0 when nothing was sent yet.
func (r *Response) Status() int { return r.status }

// Started tells whether the head was sent.
func (r *Response) Started() bool { return r.status != 0 }

// Bytes returns how many bytes of body were sent.
func (r *Response) Bytes() int64 { return r.bytes }

// FromUpstream marks the answer as a backend's; without it the answer is the gateway's own.
func (r *Response) FromUpstream() { r.upstream = true }

// IsFromUpstream tells whose answer it is.
func (r *Response) IsFromUpstream() bool { return r.upstream }

// WriteHead sends the head. A second call does nothing.
func (r *Response) WriteHead(status int) {
	if r.status != 0 || r.sending {
		return
	}
	if r.hold(status) {
		r.status = status
		return
	}
	r.head(status)
}

// head calls each function of onHead once: of one that panics the error page that follows is sent without it.
func (r *Response) head(status int) {
	functions := r.onHead
	r.onHead, r.sending = nil, true
	defer func() { r.sending = false }()
	for _, f := range functions {
		f(r)
	}
	r.status = status
	r.sink.WriteHead(status)
}

// Write sends a part of the body, after a head with status 200 when none was sent.
func (r *Response) Write(p []byte) (int, error) {
	r.WriteHead(200)
	if r.held != nil {
		return r.keep(p)
	}
	n, err := r.sink.Write(p)
	r.bytes += int64(n)
	return n, err
}

// Flush hands everything written so far to the network.
func (r *Response) Flush() error {
	if r.held != nil {
		return nil
	}
	return r.sink.Flush()
}

// Trailer adds fields behind a body of unknown length.
func (r *Response) Trailer(name string, values []string) {
	if r.held != nil {
		r.held.trailers = append(r.held.trailers, trailer{name, values})
		return
	}
	r.sink.Trailer(name, values)
}

// Send sends a whole answer. Statuses 204 and 304 go without body and without type.
// EG: res.status(status).send(body) of Express.
func (r *Response) Send(status int, contentType, body string) {
	if r.status != 0 || r.sending {
		return
	}
	if status == 204 || status == 304 {
		r.Header.Del("Content-Type")
		r.Header.Del("Content-Length")
		r.WriteHead(status)
		return
	}
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	r.WriteHead(status)
	if r.held != nil {
		_, _ = r.keep([]byte(body))
		return
	}
	n, _ := io.WriteString(r.sink, body) // a client that is gone is seen by the engine
	r.bytes += int64(n)
}

// SendText sends body as plain text.
func (r *Response) SendText(status int, body string) {
	r.Send(status, "text/plain; charset=utf-8", body)
}

// SendHTML sends body as HTML.
func (r *Response) SendHTML(status int, body string) {
	r.Send(status, "text/html; charset=utf-8", body)
}
