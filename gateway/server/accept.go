package server

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"egk8s.dev/egk8s/gateway/framing"
)

// plainListener hands out guarded connections.
type plainListener struct {
	net.Listener
	conns  *connections
	limits framing.Limits
}

// Accept returns the next connection.
func (l *plainListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if conn := l.conns.add(c); conn != nil {
			return framing.NewConn(conn, l.limits), nil
		}
	}
}

// secureConn is HTTP/1 over TLS. net/http sees the state of TLS through ConnectionState.
type secureConn struct {
	*framing.Conn
	state tls.ConnectionState
}

// ConnectionState returns what the handshake agreed on.
func (c *secureConn) ConnectionState() tls.ConnectionState { return c.state }

// tlsListener hands out connections behind their handshake: HTTP/2 as it is, HTTP/1 guarded.
//
// net/http cannot do that handshake itself: it knows a TLS connection only by its own type, which would
// leave no place for a guard above it.
type tlsListener struct {
	net.Listener
	conns  *connections
	limits framing.Limits
	config *tls.Config
	wait   time.Duration // for a handshake
	log    *slog.Logger

	ready chan net.Conn
	ended chan struct{}
	close sync.Once
	begin sync.Once
}

// Accept returns the next connection whose handshake is done.
func (l *tlsListener) Accept() (net.Conn, error) {
	l.begin.Do(func() { go l.run() })
	select {
	case c := <-l.ready:
		return c, nil
	case <-l.ended:
		return nil, net.ErrClosed
	}
}

// Close ends the listener.
func (l *tlsListener) Close() error {
	l.close.Do(func() { close(l.ended) })
	return l.Listener.Close()
}

// run accepts until the listener is closed; a shortage, of file descriptors for one, is waited out.
func (l *tlsListener) run() {
	defer l.Close() //nolint:errcheck // it ends either way
	for {
		c, err := l.Listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			l.log.Error("accept", "error", err)
			select {
			case <-time.After(50 * time.Millisecond):
			case <-l.ended:
				return
			}
			continue
		}
		if conn := l.conns.add(c); conn != nil {
			go l.handshake(conn)
		}
	}
}

func (l *tlsListener) handshake(conn *connection) {
	secure := tls.Server(conn, l.config)
	ctx, cancel := context.WithTimeout(context.Background(), l.wait)
	defer cancel()
	if err := secure.HandshakeContext(ctx); err != nil {
		l.log.Debug("TLS handshake", "client", conn.peer.String(), "error", err)
		var record tls.RecordHeaderError
		if errors.As(err, &record) && record.Conn != nil && looksLikeHTTP(record.RecordHeader) {
			_ = record.Conn.SetWriteDeadline(time.Now().Add(time.Second))
			_, _ = io.WriteString(record.Conn, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\nThis port speaks HTTPS.\n")
		}
		_ = conn.Close()
		return
	}
	var out net.Conn = secure
	if state := secure.ConnectionState(); state.NegotiatedProtocol != "h2" {
		out = &secureConn{Conn: framing.NewConn(secure, l.limits), state: state}
	}
	select {
	case l.ready <- out:
	case <-l.ended:
		_ = out.Close()
	}
}

// looksLikeHTTP tells whether the first five bytes on a TLS port are those of a plain request.
func looksLikeHTTP(first [5]byte) bool {
	switch string(first[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "OPTIO", "PATCH", "DELET":
		return true
	}
	return false
}

// connState follows what net/http does with a connection.
func connState(c net.Conn, state http.ConnState) {
	guard, _ := c.(*framing.Conn)
	if secure, ok := c.(*secureConn); ok {
		guard = secure.Conn
	}
	switch state {
	case http.StateIdle:
		if guard != nil {
			guard.Next()
		}
	case http.StateHijacked:
		if guard != nil {
			guard.Pass()
		}
		if conn := tracked(c); conn != nil {
			conn.taken.Store(true)
		}
	case http.StateNew, http.StateActive, http.StateClosed:
	}
}

// connectionKey is the key of a request's *connection in its context.
type connectionKey struct{}

func connContext(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, tracked(c))
}
