package h1

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"

	"egk8s.dev/egk8s/gateway/message"
)

// Do sends r and returns the head of the answer. Interim answers (1xx) are skipped; 101 is returned when
// r asked for it. When a connection from the pool turns out to be closed, a request that may be repeated
// is sent once more on a new one. Errors are of type *Error.
func (p *Pool) Do(ctx context.Context, r *Request) (*Response, error) {
	if c := p.take(); c != nil {
		resp, err := c.roundTrip(ctx, r)
		if err == nil || !Unanswered(err) || !IsIdempotent(r.Method) {
			return resp, err
		}
	}
	c, err := p.dial(ctx)
	if err != nil {
		return nil, &Error{Stage: Connecting, Err: err}
	}
	return c.roundTrip(ctx, r)
}

// roundTrip sends r over c, which belongs to the answer's body afterwards. On an error it is closed.
func (c *conn) roundTrip(ctx context.Context, r *Request) (*Response, error) {
	if err := c.format(r); err != nil {
		c.pool.put(c)
		return nil, &Error{Stage: Refused, Err: err}
	}
	c.begin(ctx, r.FirstTimeout())
	rewind, err := c.send(r)
	if err == nil {
		var resp *Response
		if resp, err = c.receive(r); err == nil {
			return resp, nil
		}
	}
	return nil, c.failed(err, rewind)
}

// send sends the head and, where it is at hand, the body with it. Any other body is on its way then.
// The function returned makes a body that was sent ready to be sent again; nil: it cannot be, or there is none.
func (c *conn) send(r *Request) (rewind func() error, err error) {
	if r.Body == nil || r.ContentLength == 0 {
		return nil, c.writeHead()
	}
	held, ok := r.Body.(interface {
		io.ReadSeeker
		Len() int
	})
	if !ok || int64(held.Len()) != r.ContentLength || held.Len() > bufferSize {
		c.startUpload(r)
		return nil, nil
	}
	from := len(c.out)
	c.out = append(c.out, make([]byte, r.ContentLength)...)
	if _, err := io.ReadFull(held, c.out[from:]); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBody, err)
	}
	back := -r.ContentLength
	return func() error { _, err := held.Seek(back, io.SeekCurrent); return err }, c.writeHead()
}

// failed closes the connection and says how far the request came.
func (c *conn) failed(err error, rewind func() error) error {
	e := &Error{Stage: Waiting, Reused: c.reused, Err: err}
	if u := c.upload; u != nil {
		e.BodyUsed = true
		if c.ctx.Err() != nil {
			u.settle()
		}
		if u.state.Load() == unread {
			e.Err = u.err
		}
	}
	if rewind != nil && rewind() != nil {
		e.BodyUsed = true
	}
	switch {
	case c.ctx.Err() != nil || errors.Is(err, ErrTimeout):
		e.Stage = GaveUp
	case c.to > 0 || errors.Is(err, ErrResponse):
		e.Stage = Answering
	}
	c.unwatch()
	c.close()
	return e
}

// receive reads the answer's head.
func (c *conn) receive(r *Request) (*Response, error) {
	c.from, c.to = 0, 0
	for range maxInterim {
		text, err := c.readHead(c.pool.options.MaxHead)
		if err != nil {
			return nil, err
		}
		h, err := parseHead(text, c.fields)
		c.fields = h.fields
		if err != nil {
			return nil, err
		}
		switch {
		case h.status == 101:
			return c.switched(r, &h)
		case h.status >= 200:
			return c.answer(r, &h), nil
		}
	}
	return nil, malformed("more than %d interim answers", maxInterim)
}

// answer makes the response of a final answer's head.
func (c *conn) answer(r *Request, h *head) *Response {
	resp := &Response{Status: h.status, Header: r.Reply, ContentLength: h.length}
	if resp.Header.Map() == nil {
		resp.Header = message.NewHeader(len(h.fields))
	}
	h.reply(resp.Header.Map(), resp.values[:0])
	c.timeout = r.Timeout
	b := &resp.body
	resp.Body = b
	b.c, b.reusable = c, h.reusable()
	switch {
	case r.Method == "HEAD" || h.status == 304:
	case h.status == 204:
		resp.ContentLength = 0
	case h.chunked:
		b.framing, resp.ContentLength = chunked, -1
	case h.length > 0:
		b.framing, b.left = fixed, h.length
	case h.length < 0:
		b.framing = untilClose
	}
	if b.framing == none {
		b.finish(io.EOF)
	}
	return resp
}

// switched makes the response of an answer that leaves HTTP.
func (c *conn) switched(r *Request, h *head) (*Response, error) {
	if r.Upgrade == "" || !strings.EqualFold(h.upgrade, r.Upgrade) {
		return nil, malformed("it switches to %.40q, which was not asked for", h.upgrade)
	}
	c.unwatch()
	resp := &Response{Status: 101, Header: r.Reply}
	if resp.Header.Map() == nil {
		resp.Header = message.NewHeader(len(h.fields))
	}
	h.reply(resp.Header.Map(), nil)
	resp.body.err = io.EOF
	resp.Body = &resp.body
	resp.Conn = &tunnel{Conn: c.nc, c: c}
	return resp, clearDeadline(c.nc)
}

// tunnel is a connection that left HTTP, with what was read of it already.
type tunnel struct {
	net.Conn
	c      *conn
	closed atomic.Bool
}

// Read returns first what came with the answer's head.
func (t *tunnel) Read(p []byte) (int, error) {
	if c := t.c; c.from < c.to {
		n := copy(p, c.in[c.from:c.to])
		c.from += n
		return n, nil
	}
	return t.Conn.Read(p)
}

// Close closes the connection.
func (t *tunnel) Close() error {
	if t.closed.CompareAndSwap(false, true) {
		t.c.pool.open.Add(-1)
	}
	return t.Conn.Close()
}

// CloseWrite tells the service that nothing more comes, where the connection can.
func (t *tunnel) CloseWrite() error {
	if half, ok := t.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return t.Close()
}
