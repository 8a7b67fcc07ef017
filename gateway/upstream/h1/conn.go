package h1

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"
)

const (
	bufferSize = 8 << 10
	// keptSize is what a connection's buffers may keep while it is idle.
	keptSize = 32 << 10
	// patience is how long a request waits before it cares for whether its caller is still there. Most
	// answers come sooner and cost neither a timer nor a goroutine.
	patience = 300 * time.Millisecond
)

// conn is one connection; one request at a time uses it.
type conn struct {
	pool *Pool
	nc   net.Conn
	// in[from:to] was read and not used yet.
	in       []byte
	from, to int
	out      []byte   // the request's head
	names    []string // of the fields to send, sorted
	fields   []field  // of the answer; reused

	idleSince time.Time
	reused    bool
	alive     quietness

	// What follows belongs to the request in flight.
	ctx      context.Context //nolint:containedctx // the request's, dropped with it
	timeout  time.Duration
	active   time.Time   // when the service last showed life
	deadline time.Time   // what the socket has as its read deadline
	stop     func() bool // ends the watch over ctx; nil: there is none
	upload   *upload     // nil: no body
}

func newConn(p *Pool, nc, raw net.Conn) *conn {
	c := &conn{pool: p, nc: nc, in: make([]byte, bufferSize)}
	c.alive.watch(raw)
	return c
}

func (c *conn) close() {
	c.pool.open.Add(-1)
	_ = c.nc.Close()
}

// quiet tells that nothing came while the connection was idle.
//
// What came with the end of the last answer, in one record of TLS, the socket does not show: it is decrypted already,
// and only reading finds it. With a deadline that is over, that asks the socket nothing.
func (c *conn) quiet() bool {
	if c.from < c.to || !c.alive.still() {
		return false
	}
	if c.pool.options.TLS == nil {
		return true
	}
	c.deadline = time.Unix(1, 0)
	_ = c.nc.SetReadDeadline(c.deadline)
	n, err := c.nc.Read(c.in[:1])
	return n == 0 && errors.Is(err, os.ErrDeadlineExceeded)
}

// begin makes ctx and timeout those of the request that the connection serves now.
func (c *conn) begin(ctx context.Context, timeout time.Duration) {
	c.ctx, c.timeout, c.active = ctx, timeout, time.Now()
	c.arm(c.active)
}

// release ends what began with the request.
func (c *conn) release() {
	c.unwatch()
	c.ctx, c.timeout, c.upload = nil, 0, nil
	c.from, c.to, c.reused = 0, 0, true
	if cap(c.in) > keptSize {
		c.in = make([]byte, bufferSize)
	}
	if cap(c.out) > keptSize {
		c.out = nil
	}
	clear(c.names[:cap(c.names)])
	clear(c.fields[:cap(c.fields)]) // an idle connection holds nothing of its last request
}

func (c *conn) unwatch() {
	if c.stop != nil {
		c.stop()
		c.stop = nil
	}
}

// arm sets the socket's deadline to when somebody has to look: soon for a caller who may go away, else
// when the timeout is over. Deadlines of the last request that come about as soon are left as they are.
func (c *conn) arm(now time.Time) {
	var at time.Time
	if c.timeout > 0 {
		at = c.active.Add(c.timeout)
	}
	if u := c.upload; u != nil && !u.looked {
		u.looked = true
		c.deadline = now.Add(headDelay)
		_ = c.nc.SetReadDeadline(c.deadline)
		return
	}
	// Whether ctx can end at all is not asked: Done makes a channel.
	if c.stop == nil && (at.IsZero() || at.Sub(now) > patience) {
		if left := c.deadline.Sub(now); left > patience/3 && left <= patience {
			return
		}
		at = now.Add(patience)
	}
	if at.IsZero() && c.deadline.IsZero() {
		return
	}
	c.deadline = at
	_ = c.nc.SetReadDeadline(at) // of a closed connection: reading says so
}

// expired is called when the deadline is over. It returns why to give up; nil: wait on.
func (c *conn) expired() error {
	if err := c.ctx.Err(); err != nil {
		return context.Cause(c.ctx)
	}
	now := time.Now()
	if u := c.upload; u != nil {
		u.sendHead()
		if last := time.Unix(0, u.last.Load()); last.After(c.active) {
			c.active = last
		}
		if u.reading.Load() { // the service has nothing to answer yet
			c.active = now
		}
	}
	if c.timeout > 0 && now.Sub(c.active) >= c.timeout {
		return ErrTimeout
	}
	if c.stop == nil {
		nc := c.nc
		c.stop = context.AfterFunc(c.ctx, func() { _ = nc.SetReadDeadline(time.Unix(1, 0)) })
	}
	c.deadline = now // a watch of an earlier request may have set another one: set it in any case
	c.arm(now)
	if c.ctx.Err() != nil { // before the watch could see it
		return context.Cause(c.ctx)
	}
	return nil
}

// read reads what the service sends, waiting for at least one byte.
func (c *conn) read(p []byte) (int, error) {
	if c.timeout > 0 {
		c.active = time.Now() // while nobody read, the service may have been anything but silent
	}
	for {
		n, err := c.nc.Read(p)
		if n > 0 {
			return n, nil
		}
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded):
			if err := c.expired(); err != nil {
				return 0, err
			}
		default:
			return 0, err
		}
	}
}

// fill reads more behind what is in the buffer, which must have room.
func (c *conn) fill() error {
	n, err := c.read(c.in[c.to:])
	c.to += n
	return err
}

// line returns the next line without its CRLF; it stays as it is until the next read.
// A bare LF, a bare CR and more than limit bytes are errors.
func (c *conn) line(limit int) ([]byte, error) {
	for at := c.from; ; {
		for ; at < c.to; at++ {
			if c.in[at] != '\n' {
				continue
			}
			line := c.in[c.from:at]
			if len(line) > limit+1 {
				return nil, malformed("a line is too long")
			}
			if len(line) == 0 || line[len(line)-1] != '\r' {
				return nil, malformed("a line ends without CR")
			}
			c.from = at + 1
			return line[:len(line)-1], nil
		}
		if at-c.from > limit {
			return nil, malformed("a line is too long")
		}
		at = c.makeRoom(at)
		if err := c.fill(); err != nil {
			return nil, truncated(err)
		}
	}
}

// makeRoom moves or enlarges the buffer so that more can be read, and returns where at went.
func (c *conn) makeRoom(at int) int {
	if c.to < len(c.in) {
		return at
	}
	if c.from > 0 {
		at -= c.from
		c.to = copy(c.in, c.in[c.from:c.to])
		c.from = 0
		return at
	}
	c.in = append(c.in, make([]byte, len(c.in))...)
	return at
}

// clearDeadline makes reads of nc wait for as long as it takes.
func clearDeadline(nc net.Conn) error { return nc.SetDeadline(time.Time{}) }

// truncated says that the connection ended too early.
func truncated(err error) error {
	if errors.Is(err, io.EOF) {
		return ErrTruncated
	}
	return err
}
