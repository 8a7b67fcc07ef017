package server

import (
	"bufio"
	"net"
	"net/http"
	"strings"

	"egk8s.dev/egk8s/gateway/message"
)

// tunnel is one client connection that left HTTP.
type tunnel struct {
	net.Conn
	read *bufio.Reader // holds what came behind the request's head already
}

// Read reads what the client sends.
func (c *tunnel) Read(p []byte) (int, error) {
	if c.read.Buffered() > 0 {
		return c.read.Read(p)
	}
	return c.Conn.Read(p)
}

// CloseWrite tells the client that nothing more comes; where the connection cannot, it is closed.
func (c *tunnel) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return c.Close()
}

// Switch answers 101 and takes the connection away from net/http.
func (s *sink) Switch(protocol string) (net.Conn, error) {
	conn, rw, err := http.NewResponseController(s.w).Hijack()
	if err != nil {
		return nil, message.ErrNoSwitch
	}
	c := &tunnel{Conn: conn, read: rw.Reader}
	_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " + protocol + "\r\n")
	_ = s.header.WriteSubset(rw, map[string]bool{
		"Connection": true, "Upgrade": true, "Content-Length": true, "Transfer-Encoding": true, "Trailer": true,
	})
	_, _ = rw.WriteString("\r\n")
	if err := rw.Flush(); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// upgrade returns the protocol that a request asks to switch to; empty: none, or it cannot be.
func upgrade(r *http.Request) string {
	if r.ProtoMajor != 1 || r.ProtoMinor != 1 || r.ContentLength != 0 || len(r.Header["Upgrade"]) != 1 {
		return ""
	}
	for _, value := range r.Header["Connection"] {
		for option := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(option), "upgrade") {
				return r.Header["Upgrade"][0]
			}
		}
	}
	return ""
}
