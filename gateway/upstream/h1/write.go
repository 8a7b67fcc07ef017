package h1

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// writeHead sends the request's head; with a body it is left in out for the sender of the body.
func (c *conn) writeHead() error {
	if len(c.out) <= bufferSize { // an idle connection takes that much without waiting
		_, err := c.nc.Write(c.out)
		return err
	}
	_ = c.nc.SetWriteDeadline(time.Now().Add(c.pool.options.ConnectTimeout))
	_, err := c.nc.Write(c.out)
	_ = c.nc.SetWriteDeadline(time.Time{})
	return err
}

// format appends the request's head to out. Nothing that could end a line early, or that is not of the
// form of RFC 9110, section 5, gets through, wherever it came from.
func (c *conn) format(r *Request) error {
	if !isToken(r.Method) {
		return fmt.Errorf("%w: the method %q", ErrRequest, r.Method)
	}
	path := r.Path
	if path == "" {
		path = "/"
	}
	if !isTarget(path) {
		return fmt.Errorf("%w: the target %q", ErrRequest, path)
	}
	if !isHost(r.Host) {
		return fmt.Errorf("%w: the host %q", ErrRequest, r.Host)
	}
	if r.Upgrade != "" && !isValue(r.Upgrade) {
		return fmt.Errorf("%w: the protocol %q", ErrRequest, r.Upgrade)
	}
	b := append(c.out[:0], r.Method...)
	b = append(b, ' ')
	b = append(b, path...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, r.Host...)
	b = append(b, "\r\n"...)
	b = appendFraming(b, r)
	fields := r.Header.Map()
	c.names = c.names[:0]
	for name := range fields {
		if !omitted(name) {
			c.names = append(c.names, name)
		}
	}
	slices.Sort(c.names)
	for _, name := range c.names {
		if !isToken(name) {
			return fmt.Errorf("%w: the field name %q", ErrRequest, name)
		}
		for _, value := range fields[name] {
			if !isValue(value) {
				return fmt.Errorf("%w: the value of the field %s", ErrRequest, name)
			}
			b = append(b, name...)
			b = append(b, ": "...)
			b = append(b, value...)
			b = append(b, "\r\n"...)
		}
	}
	c.out = append(b, "\r\n"...)
	return nil
}

// appendFraming adds what says how long the body is, and the wish to switch.
func appendFraming(b []byte, r *Request) []byte {
	switch {
	case r.Body == nil || r.ContentLength == 0:
		if r.Method == "POST" || r.Method == "PUT" || r.Method == "PATCH" {
			b = append(b, "Content-Length: 0\r\n"...)
		}
	case r.ContentLength > 0:
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, r.ContentLength, 10)
		b = append(b, "\r\n"...)
	default:
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	}
	if r.Upgrade != "" {
		b = append(b, "Connection: Upgrade\r\nUpgrade: "...)
		b = append(b, r.Upgrade...)
		b = append(b, "\r\n"...)
	}
	return b
}

// omitted tells which fields are not sent: those of one connection only (RFC 9110, section 7.6.1), those
// that this package makes itself, and those that servers which take "_" for "-" read as the body's length.
// Names are compared in any case: an engine may hand over names that are not canonical.
func omitted(name string) bool {
	switch len(name) {
	case 2:
		return strings.EqualFold(name, "Te")
	case 4:
		return strings.EqualFold(name, "Host")
	case 6:
		return strings.EqualFold(name, "Expect")
	case 7:
		return strings.EqualFold(name, "Trailer") || strings.EqualFold(name, "Upgrade")
	case 10:
		return strings.EqualFold(name, "Connection") || strings.EqualFold(name, "Keep-Alive")
	case 14:
		return strings.EqualFold(name, "Content-Length") || strings.EqualFold(name, "Content_Length")
	case 16:
		return strings.EqualFold(name, "Proxy-Connection")
	case 17:
		return strings.EqualFold(name, "Transfer-Encoding") || strings.EqualFold(name, "Transfer_Encoding")
	case 19:
		return strings.EqualFold(name, "Proxy-Authorization")
	}
	return false
}

// isToken tells whether s is a token of RFC 9110, section 5.6.2.
func isToken(s string) bool {
	for i := range len(s) {
		if !isTokenByte(s[i]) {
			return false
		}
	}
	return s != ""
}

func isTokenByte(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-':
		return true
	}
	return strings.IndexByte("!#$%&'*+.^_`|~", c) >= 0
}

// isValue tells whether s can stand behind a field's name.
func isValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// isTarget tells whether s can stand between two spaces of the request line.
func isTarget(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c == 0x7f {
			return false
		}
	}
	return s != ""
}

// isHost tells whether s can be a Host field: a name or an address, perhaps with a port.
func isHost(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`/\?#@,"<>{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}
