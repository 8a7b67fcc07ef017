package h1

import (
	"fmt"
	"net/textproto"
	"strconv"
	"strings"
)

const (
	// maxInterim is how many 1xx answers may stand before the real one.
	maxInterim = 16
	// maxFields and maxOptions limit what a head can cost: fields, and what Connection lists.
	maxFields  = 1000
	maxOptions = 64
)

// head is an answer's parsed head.
type head struct {
	status    int
	http10    bool
	length    int64 // of Content-Length; -1: there is none
	chunked   bool
	close     bool
	keepAlive bool
	upgrade   string
	fields    []field
	named     []string // values of Connection fields
}

type field struct{ name, value string }

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrResponse}, args...)...)
}

// readHead returns the bytes of the next head, up to and with its empty line, as one string.
// The number of bytes is limited by max.
func (c *conn) readHead(max int) (string, error) {
	start := c.from // of the line that is being looked at
	for at := c.from; ; {
		for ; at < c.to; at++ {
			if c.in[at] != '\n' {
				continue
			}
			if at == start || c.in[at-1] != '\r' {
				return "", malformed("a line ends without CR")
			}
			if at-start == 1 {
				text := string(c.in[c.from : at+1])
				c.from = at + 1
				return text, nil
			}
			start = at + 1
		}
		if at-c.from >= max {
			return "", malformed("the head has more than %d bytes", max)
		}
		moved := at - c.makeRoom(at)
		at, start = at-moved, start-moved
		if err := c.fill(); err != nil {
			return "", truncated(err)
		}
	}
}

// parseHead parses a head as readHead returns it. fields is reused.
func parseHead(text string, fields []field) (head, error) {
	h := head{length: -1, fields: fields[:0]}
	line, rest, _ := strings.Cut(text, "\r\n")
	if err := h.parseStatus(line); err != nil {
		return h, err
	}
	var te, cl bool
	for {
		line, rest, _ = strings.Cut(rest, "\r\n")
		if line == "" {
			break
		}
		f, err := parseField(line)
		if err != nil {
			return h, err
		}
		if len(h.fields) >= maxFields {
			return h, malformed("it has more than %d fields", maxFields)
		}
		switch f.name {
		case "Transfer-Encoding":
			if te || h.http10 || !strings.EqualFold(f.value, "chunked") {
				return h, malformed("its Transfer-Encoding is not just chunked")
			}
			te, h.chunked = true, true
		case "Content-Length":
			if h.length, err = parseLength(f.value); err != nil || cl {
				return h, malformed("its Content-Length is not one number")
			}
			cl = true
			h.fields = append(h.fields, f)
		case "Connection":
			h.connection(f.value)
		case "Upgrade":
			h.upgrade = f.value
		case "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Expect", "Proxy-Authorization":
		default:
			h.fields = append(h.fields, f)
		}
	}
	if te && cl {
		return h, malformed("it has both Transfer-Encoding and Content-Length")
	}
	return h, h.removeNamed()
}

// parseStatus parses "HTTP/1.1 200 OK"; the reason may be missing, with or without the space before it.
func (h *head) parseStatus(line string) error {
	if len(line) < 12 || line[:7] != "HTTP/1." || line[7] != '0' && line[7] != '1' || line[8] != ' ' ||
		len(line) > 12 && line[12] != ' ' || !isValue(line) {
		return malformed("its first line is %.40q", line)
	}
	h.http10 = line[7] == '0'
	for i := 9; i < 12; i++ {
		if line[i] < '0' || line[i] > '9' {
			return malformed("its status is %q", line[9:12])
		}
		h.status = h.status*10 + int(line[i]-'0')
	}
	if h.status < 100 {
		return malformed("its status is %d", h.status)
	}
	return nil
}

// parseField parses a field line. A name is a token right before the colon; a line that continues the one
// before (obs-fold) begins with a space and so has no name.
func parseField(line string) (field, error) {
	colon := strings.IndexByte(line, ':')
	if colon <= 0 {
		return field{}, malformed("a field has no name")
	}
	name, canonical := line[:colon], true
	upper := true
	for i := range len(name) {
		c := name[i]
		if !isTokenByte(c) {
			return field{}, malformed("the field name %.40q", name)
		}
		if upper && 'a' <= c && c <= 'z' || !upper && 'A' <= c && c <= 'Z' {
			canonical = false
		}
		upper = c == '-'
	}
	if !canonical {
		name = canonicalName(name)
	}
	value := strings.Trim(line[colon+1:], " \t")
	if !isValue(value) {
		return field{}, malformed("the value of the field %s", name)
	}
	return field{name: name, value: value}, nil
}

// canonicalName returns the canonical form of a field name; those that are common cost no memory.
func canonicalName(name string) string {
	switch name {
	case "date":
		return "Date"
	case "etag", "ETag":
		return "Etag"
	case "vary":
		return "Vary"
	case "server":
		return "Server"
	case "location":
		return "Location"
	case "connection":
		return "Connection"
	case "keep-alive":
		return "Keep-Alive"
	case "set-cookie":
		return "Set-Cookie"
	case "content-type":
		return "Content-Type"
	case "x-request-id":
		return "X-Request-Id"
	case "x-powered-by":
		return "X-Powered-By"
	case "last-modified":
		return "Last-Modified"
	case "cache-control":
		return "Cache-Control"
	case "accept-ranges":
		return "Accept-Ranges"
	case "content-length":
		return "Content-Length"
	case "www-authenticate", "WWW-Authenticate":
		return "Www-Authenticate"
	case "content-encoding":
		return "Content-Encoding"
	case "transfer-encoding":
		return "Transfer-Encoding"
	case "x-content-type-options":
		return "X-Content-Type-Options"
	case "strict-transport-security":
		return "Strict-Transport-Security"
	}
	return textproto.CanonicalMIMEHeaderKey(name)
}

// parseLength parses digits and nothing but digits.
func parseLength(s string) (int64, error) {
	if s == "" || len(s) > 18 {
		return -1, ErrResponse
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return -1, ErrResponse
		}
	}
	return strconv.ParseInt(s, 10, 64)
}

// connection notes what a Connection field says.
func (h *head) connection(value string) {
	switch {
	case strings.EqualFold(value, "keep-alive"):
		h.keepAlive = true
	case strings.EqualFold(value, "close"):
		h.close = true
	default:
		for option := range strings.SplitSeq(value, ",") {
			option = strings.Trim(option, " \t")
			h.close = h.close || strings.EqualFold(option, "close")
			h.keepAlive = h.keepAlive || strings.EqualFold(option, "keep-alive")
		}
		h.named = append(h.named, value)
	}
}

// removeNamed removes the fields that Connection lists: they belong to this connection only.
func (h *head) removeNamed() error {
	options := 0
	for _, value := range h.named {
		for option := range strings.SplitSeq(value, ",") {
			if options++; options > maxOptions {
				return malformed("its Connection lists more than %d options", maxOptions)
			}
			option = strings.Trim(option, " \t")
			kept := h.fields[:0]
			for _, f := range h.fields {
				if !strings.EqualFold(f.name, option) {
					kept = append(kept, f)
				}
			}
			h.fields = kept
		}
	}
	return nil
}

// reusable tells whether the connection stays open behind the answer.
func (h *head) reusable() bool {
	return !h.close && (!h.http10 || h.keepAlive)
}

// reply sets the fields in to. The values of all share one piece of memory: values, where that has room.
func (h *head) reply(to map[string][]string, values []string) {
	if len(h.fields) > cap(values) {
		values = make([]string, 0, len(h.fields))
	}
	values = values[:len(h.fields)]
	for i := range h.fields {
		name := h.fields[i].name
		values[i] = h.fields[i].value
		first := true
		for j := range i {
			if h.fields[j].name == name {
				first = false
				break
			}
		}
		if first {
			to[name] = values[i : i+1 : i+1]
		} else {
			to[name] = append(to[name], values[i])
		}
	}
}
