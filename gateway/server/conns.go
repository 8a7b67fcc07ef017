package server

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"egk8s.dev/egk8s/gateway/framing"
)

// connections are the clients' connections that are open.
type connections struct {
	max     int           // 0: no bound
	stall   time.Duration // for a client to take something of an answer; 0: no bound
	refused atomic.Uint64

	mu   sync.Mutex
	open map[*connection]struct{}
}

// connection is a client's connection as the system has it, below TLS.
type connection struct {
	net.Conn
	all  *connections
	peer netip.AddrPort

	// writes is odd while a write goes on, and never the same for two of them.
	writes atomic.Uint64
	taken  atomic.Bool // another protocol than HTTP is spoken: net/http has let it go
	once   sync.Once

	// What the last sweep saw; only sweeps use them.
	seen  uint64
	since time.Time
}

func newConnections(l limits) *connections {
	return &connections{max: l.connections, stall: l.write, open: map[*connection]struct{}{}}
}

// add keeps track of an accepted connection; nil: there are too many, and it was closed.
func (c *connections) add(conn net.Conn) *connection {
	out := &connection{Conn: conn, all: c}
	if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		out.peer = tcp.AddrPort()
	}
	c.mu.Lock()
	full := c.max > 0 && len(c.open) >= c.max
	if !full {
		c.open[out] = struct{}{}
	}
	c.mu.Unlock()
	if full {
		c.refused.Add(1)
		_ = conn.Close()
		return nil
	}
	return out
}

// Write writes, and lets sweeps see that it does.
func (c *connection) Write(p []byte) (int, error) {
	c.writes.Add(1)
	n, err := c.Conn.Write(p)
	c.writes.Add(1)
	return n, err
}

// CloseWrite ends what goes to the client.
func (c *connection) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Close closes the connection and forgets it.
func (c *connection) Close() error {
	c.once.Do(func() {
		c.all.mu.Lock()
		delete(c.all.open, c)
		c.all.mu.Unlock()
	})
	return c.Conn.Close()
}

// tracked finds the connection below what net/http was given; nil: it is none of ours.
func tracked(c net.Conn) *connection {
	for {
		switch conn := c.(type) {
		case *connection:
			return conn
		case *framing.Conn:
			c = conn.Conn
		case *secureConn:
			c = conn.Conn.Conn
		case *tls.Conn:
			c = conn.NetConn()
		default:
			return nil
		}
	}
}

// sweep closes connections whose client has taken nothing of an answer for too long, until ctx ends.
// Requests would hold their service's connections for as long as such a client likes.
func (c *connections) sweep(ctx context.Context) {
	if c.stall <= 0 {
		return
	}
	ticker := time.NewTicker(max(c.stall/4, 10*time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			for _, conn := range c.stalled(now) {
				_ = conn.Close()
			}
		}
	}
}

func (c *connections) stalled(now time.Time) []*connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []*connection
	for conn := range c.open {
		writes := conn.writes.Load()
		switch {
		case writes != conn.seen:
			conn.seen, conn.since = writes, now
		case writes%2 == 1 && now.Sub(conn.since) >= c.stall && !conn.taken.Load():
			out = append(out, conn)
		}
	}
	return out
}

// drainTaken waits until the connections that another protocol took over are closed, and closes those that
// are left when ctx ends. net/http does not wait for them. It returns how many it closed.
func (c *connections) drainTaken(ctx context.Context) int {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		taken := c.taken()
		if len(taken) == 0 {
			return 0
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			for _, conn := range taken {
				_ = conn.Close()
			}
			return len(taken)
		}
	}
}

func (c *connections) taken() []*connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []*connection
	for conn := range c.open {
		if conn.taken.Load() {
			out = append(out, conn)
		}
	}
	return out
}

// collect prints how many there are.
func (c *connections) collect(b *strings.Builder) {
	c.mu.Lock()
	n := len(c.open)
	c.mu.Unlock()
	head(b, "egk8s_connections", "gauge", "Connections of clients that are open.")
	fmt.Fprintf(b, "egk8s_connections %d\n", n)
	head(b, "egk8s_connections_refused_total", "counter", "Connections closed at once because there were too many.")
	fmt.Fprintf(b, "egk8s_connections_refused_total %d\n", c.refused.Load())
}
