package framing

import (
	"bytes"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// Conn is a connection of a client whose requests are scanned while net/http reads them.
//
// A doubtful request is broken up, so that net/http refuses it with 400 and closes: answers to requests
// before it are not disturbed. Of a head that is too large net/http is led beyond its own limit, which is
// 431. Of a target that is too long the handler gets the beginning, so that it can answer 414.
// Reads belong to one goroutine at a time, as net/http has it.
type Conn struct {
	net.Conn
	scan    scanner
	passing bool // nothing is scanned any more: another protocol
	waiting bool // an upgrade was asked for, and it is open whether it is granted

	held   []byte // read from the client, but not passed on yet
	unseen []byte // passed on without a look while waiting
	end    ending
	poison []byte // what is left of the bytes that break the request up

	closing atomic.Bool
}

// ending is how a connection that was objected to goes on.
type ending int

const (
	open   ending = iota
	broken        // bytes that no parser accepts, then the end
	flood         // bytes without end, until the reader's limit is met
)

// NewConn guards a connection whose first byte has not been read.
func NewConn(c net.Conn, l Limits) *Conn { return &Conn{Conn: c, scan: scanner{limits: l}} }

// Read reads what may be passed on.
func (c *Conn) Read(p []byte) (int, error) {
	switch {
	case c.end == broken:
		if len(c.poison) == 0 {
			return 0, io.EOF
		}
		n := copy(p, c.poison)
		c.poison = c.poison[n:]
		return n, nil
	case c.end == flood:
		for i := range p {
			p[i] = 'x'
		}
		return len(p), nil
	case len(p) == 0:
		return 0, nil
	}
	n, err := c.fill(p)
	if n == 0 || c.passing {
		return n, err
	}
	if c.waiting {
		// net/http listens for one byte to notice a client that is gone; what follows is read when it is
		// decided whose it is.
		c.unseen = append(c.unseen, p[:n]...)
		return n, err
	}
	ok, v := c.scan.scan(p[:n])
	if c.judge(v, p[ok:n]); ok > 0 {
		return ok, err
	}
	return c.Read(p)
}

// fill reads from what was held back, else from the client.
func (c *Conn) fill(p []byte) (int, error) {
	if len(c.held) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.held)
	if c.held = c.held[n:]; len(c.held) == 0 {
		c.held = nil
	}
	return n, nil
}

// judge acts on what the scanner said; rest are the bytes that it did not let pass.
func (c *Conn) judge(v verdict, rest []byte) {
	switch v {
	case fine:
	case doubtful:
		c.end = broken
		if c.scan.inHead() {
			c.poison = []byte("\x00\r\n\r\n") // a NUL is allowed neither in a request line nor in a field
		} else {
			c.poison = bytes.Repeat([]byte("x"), maxLine) // no end of a chunk, no size and no trailer is so long
		}
	case tooLong:
		c.end = broken
		c.poison = []byte(strings.Repeat("x", c.scan.limits.Target+1) + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if len(c.scan.line) == 0 { // nothing of it has passed
			c.poison = append([]byte("GET /"), c.poison...)
		}
	case tooLarge:
		c.end = flood
	case upgrade:
		c.waiting = true
		c.hold(rest)
	case foreign:
		c.passing = true
		c.hold(rest)
	}
}

// hold puts bytes back in front of what is still to be read.
func (c *Conn) hold(rest []byte) {
	if len(rest) > 0 {
		c.held = append(slices.Clone(rest), c.held...)
	}
}

// Next says that a request was answered, and that what follows is another one.
func (c *Conn) Next() {
	if !c.waiting {
		return
	}
	c.waiting = false
	ok, v := c.scan.scan(c.unseen)
	c.judge(v, c.unseen[ok:])
	c.unseen = nil
}

// Pass says that the connection was taken over: what follows is another protocol.
func (c *Conn) Pass() { c.passing, c.waiting, c.unseen = true, false, nil }

// ReadFrom lets large answers go from connection to connection inside of the system.
func (c *Conn) ReadFrom(r io.Reader) (int64, error) { return io.Copy(c.Conn, r) }

const (
	lingerTime  = 500 * time.Millisecond
	lingerBytes = 1 << 20
)

// Close closes the connection. After an objection it reads on for a moment: a client that still sends would
// get a reset, and lose the answer that says what is wrong.
func (c *Conn) Close() error {
	if c.end == open || c.closing.Swap(true) {
		return c.Conn.Close()
	}
	if err := c.CloseWrite(); err != nil {
		return c.Conn.Close()
	}
	go func() {
		_ = c.SetReadDeadline(time.Now().Add(lingerTime))
		_, _ = io.CopyN(io.Discard, c.Conn, lingerBytes)
		_ = c.Conn.Close()
	}()
	return nil
}

// CloseWrite ends the answer, so that a client that still sends can read it.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
