package h1

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	defaultConnect = 10 * time.Second
	defaultIdle    = 4 * time.Second
	defaultMaxIdle = 512
	defaultMaxHead = 256 << 10
	keepAlive      = 30 * time.Second
)

// Pool keeps the connections to one address. It is safe for concurrent use.
type Pool struct {
	address string
	options Options
	dialer  net.Dialer
	open    atomic.Int64

	mu     sync.Mutex
	idle   []*conn // the one used last is taken first
	timer  *time.Timer
	closed bool
}

// New returns a pool of connections to address, a host and a port. Nothing is dialed before Do.
func New(address string, o Options) *Pool {
	o.ConnectTimeout = cmp.Or(o.ConnectTimeout, defaultConnect)
	o.HandshakeTimeout = cmp.Or(o.HandshakeTimeout, defaultConnect)
	o.IdleTimeout = cmp.Or(o.IdleTimeout, defaultIdle)
	o.MaxIdle = cmp.Or(o.MaxIdle, defaultMaxIdle)
	o.MaxHead = cmp.Or(o.MaxHead, defaultMaxHead)
	return &Pool{address: address, options: o, dialer: net.Dialer{Timeout: o.ConnectTimeout, KeepAlive: keepAlive}}
}

// Open returns how many connections are open, used and idle.
func (p *Pool) Open() int { return int(p.open.Load()) }

// Idle returns how many of them nobody uses.
func (p *Pool) Idle() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle)
}

// CloseIdle closes the connections that nobody uses.
func (p *Pool) CloseIdle() {
	p.mu.Lock()
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	for _, c := range idle {
		c.close()
	}
}

// Close closes the idle connections, and those in use once they are not any more.
// The pool can be used on, without keeping connections.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.CloseIdle()
}

// take returns an idle connection that is still good; nil: there is none.
func (p *Pool) take() *conn {
	for {
		p.mu.Lock()
		n := len(p.idle)
		if n == 0 {
			p.mu.Unlock()
			return nil
		}
		c := p.idle[n-1]
		p.idle[n-1] = nil
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		// What came while nobody asked would be taken for the answer of the next request.
		if time.Since(c.idleSince) < p.options.IdleTimeout && c.quiet() {
			return c
		}
		c.close()
	}
}

// put keeps a connection for the next request.
func (p *Pool) put(c *conn) {
	c.release()
	c.idleSince = time.Now()
	p.mu.Lock()
	if p.closed || len(p.idle) >= p.options.MaxIdle {
		p.mu.Unlock()
		c.close()
		return
	}
	p.idle = append(p.idle, c)
	if p.timer == nil {
		p.timer = time.AfterFunc(p.options.IdleTimeout, p.reap)
	}
	p.mu.Unlock()
}

// reap closes the connections that were idle for too long, and comes back while there are others.
func (p *Pool) reap() {
	limit := time.Now().Add(-p.options.IdleTimeout)
	p.mu.Lock()
	n := 0
	for n < len(p.idle) && !p.idle[n].idleSince.After(limit) {
		n++
	}
	old := append([]*conn(nil), p.idle[:n]...)
	rest := copy(p.idle, p.idle[n:])
	clear(p.idle[rest:])
	p.idle = p.idle[:rest]
	if rest > 0 {
		p.timer.Reset(max(time.Millisecond, p.idle[0].idleSince.Sub(limit)))
	} else {
		p.timer = nil
	}
	p.mu.Unlock()
	for _, c := range old {
		c.close()
	}
}

// dial opens a connection.
func (p *Pool) dial(ctx context.Context) (*conn, error) {
	nc, err := p.dialer.DialContext(ctx, "tcp", p.address)
	if err != nil {
		return nil, timedOut(ctx, err)
	}
	raw := nc
	if p.options.TLS != nil {
		shake, cancel := context.WithTimeout(ctx, p.options.HandshakeTimeout)
		defer cancel()
		secure := tls.Client(nc, p.options.TLS)
		if err := secure.HandshakeContext(shake); err != nil {
			_ = nc.Close()
			return nil, timedOut(ctx, fmt.Errorf("TLS handshake: %w", err))
		}
		nc = secure
	}
	p.open.Add(1)
	return newConn(p, nc, raw), nil
}

// timedOut marks an error that is a timeout of ours, not the caller's.
func timedOut(ctx context.Context, err error) error {
	var n net.Error
	if ctx.Err() == nil && (errors.As(err, &n) && n.Timeout() || errors.Is(err, context.DeadlineExceeded)) {
		return fmt.Errorf("%w: %w", ErrTimeout, err)
	}
	return err
}
