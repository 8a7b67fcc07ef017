package policy

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/upstream"
)

const (
	// tunnelIdle ends a tunnel on which nobody says anything, where the step has no timeout.
	tunnelIdle = time.Hour
	// tunnelBuffer is small: there may be many tunnels, and most of them are silent.
	tunnelBuffer = 4 << 10
)

// canSwitch tells whether a client may switch to protocol. Another version of HTTP or TLS would carry requests
// past the policies.
func canSwitch(protocol string) bool {
	if protocol == "" || strings.ContainsAny(protocol, ", \t") {
		return false
	}
	name, _, _ := strings.Cut(strings.ToLower(protocol), "/")
	return name != "h2c" && name != "h2" && name != "http" && name != "tls"
}

// tunnel switches the client's connection too and copies between both until one ends or both are silent.
func (p *proxy) tunnel(ctx context.Context, x *message.Exchange, resp *upstream.Response, to *upstream.Origin) {
	defer func() { _ = resp.Conn.Close() }()
	x.Response.FromUpstream()
	if p.options.rewrites() {
		p.options.rewriteHead(x, resp, to.Host())
		maps.Insert(x.Response.Header.Map(), resp.Header.All())
	}
	client, err := x.Response.Switch(x.Request.Upgrade)
	if err != nil {
		p.failed(ctx, x, err)
		return
	}
	defer func() { _ = client.Close() }()
	t := tunnelHalves{idle: p.options.timeout}
	if t.idle == 0 {
		t.idle = tunnelIdle
	}
	t.active.Store(time.Now().UnixNano())
	done := make(chan struct{})
	go func() {
		defer close(done)
		t.copy(resp.Conn, client)
	}()
	x.Response.Sent(t.copy(client, resp.Conn))
	<-done
}

// tunnelHalves are both directions of a tunnel.
type tunnelHalves struct {
	idle   time.Duration
	active atomic.Int64 // when something last went through, either way, in Unix nanoseconds
}

// copy copies from from to to. An end is passed on as such; any error ends both directions.
func (t *tunnelHalves) copy(to, from net.Conn) int64 {
	buf := make([]byte, tunnelBuffer)
	var sent int64
	for {
		_ = from.SetReadDeadline(time.Unix(0, t.active.Load()).Add(t.idle))
		n, err := from.Read(buf)
		if n > 0 {
			t.active.Store(time.Now().UnixNano())
			_ = to.SetWriteDeadline(time.Now().Add(t.idle))
			if _, err := to.Write(buf[:n]); err != nil {
				_ = to.Close()
				_ = from.Close() // ends the other direction too
				return sent
			}
			sent += int64(n)
		}
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded) && time.Since(time.Unix(0, t.active.Load())) < t.idle:
		case errors.Is(err, io.EOF) && closeWrite(to) == nil:
			return sent
		default:
			_ = to.Close()
			_ = from.Close()
			return sent
		}
	}
}

// closeWrite passes on that nothing more comes.
func closeWrite(c net.Conn) error {
	half, ok := c.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}
