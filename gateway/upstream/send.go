package upstream

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"egk8s.dev/egk8s/gateway/message"
)

// Request is what goes to a service.
type Request struct {
	Method string
	// Path is the request target, path and query, sent byte for byte.
	Path string
	// Host is the Host header; empty: the target's.
	Host   string
	Header message.Header
	// Body is the body; nil when there is none.
	Body io.Reader
	// ContentLength is the body's length in bytes; -1 sends it chunked.
	ContentLength int64
}

// Response is a service's answer. Its body must be closed.
type Response struct {
	Status        int
	Header        message.Header
	Body          io.ReadCloser
	ContentLength int64 // -1: unknown
	// Trailer holds the fields behind the body, once Body is read to its end.
	Trailer func() message.Header
}

// Send sends r and returns the head of the answer; redirects are returned, not followed.
// The header of r is handed over: Send removes from it what belongs to one connection only. What the
// client's Connection field names is not among that: it must be gone before anything is added for the
// service, or a client could name, and so remove, what was added.
// An error means that there is no answer: nothing there, a broken one, or ctx is done.
func (t *Target) Send(ctx context.Context, r *Request) (*Response, error) {
	removeHopByHop(r.Header)
	header := r.Header.Map()
	delete(header, "Content-Length") // sent from ContentLength
	// Servers that take "_" for "-" would read these as the length of the body.
	delete(header, "Transfer_encoding")
	delete(header, "Content_length")
	if _, ok := header["User-Agent"]; !ok {
		header["User-Agent"] = nil // else the transport names itself
	}
	u := &url.URL{Scheme: t.scheme, Host: t.host}
	if t.transport.Proxy != nil && t.scheme == "http" {
		u.Opaque = "//" + t.host + r.Path // the proxy gets an absolute URL
	} else {
		setPath(u, r.Path)
	}
	req := &http.Request{
		Method: r.Method, URL: u, Host: r.Host, Header: header, ContentLength: r.ContentLength,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if r.Body != nil && r.ContentLength != 0 {
		req.Body = body(r.Body)
	}
	resp, err := t.transport.RoundTrip(req.WithContext(ctx)) //nolint:bodyclose // it is the caller's
	if err != nil {
		return nil, fmt.Errorf("ask %s://%s: %w", t.scheme, t.host, err)
	}
	if resp.StatusCode < http.StatusOK { // no upgrade was asked for, and below 100 there is nothing
		resp.Body.Close() //nolint:gosec // its content does not matter
		return nil, fmt.Errorf("ask %s://%s: the answer has the status %d", t.scheme, t.host, resp.StatusCode)
	}
	out := &Response{
		Status: resp.StatusCode, Header: message.HeaderOf(resp.Header),
		Body: resp.Body, ContentLength: resp.ContentLength,
		Trailer: func() message.Header { return message.HeaderOf(resp.Trailer) },
	}
	out.Header.DelNamed("Connection")
	removeHopByHop(out.Header)
	return out, nil
}

// setPath makes the transport send target exactly as it is.
func setPath(u *url.URL, target string) {
	if target == "" {
		target = "/"
	}
	if !strings.HasPrefix(target, "//") {
		u.Opaque = target
		return
	}
	// An opaque part with two slashes would be sent as an absolute URL.
	path, query, hasQuery := strings.Cut(target, "?")
	u.RawPath, u.RawQuery, u.ForceQuery = path, query, hasQuery && query == ""
	plain, err := url.PathUnescape(path)
	if err != nil {
		plain = path
	}
	u.Path = plain
}

func body(r io.Reader) io.ReadCloser {
	if rc, ok := r.(io.ReadCloser); ok {
		return rc
	}
	return io.NopCloser(r)
}

// removeHopByHop removes the fields that belong to one connection (RFC 9110, section 7.6.1).
func removeHopByHop(h message.Header) {
	fields := h.Map()
	delete(fields, "Connection")
	delete(fields, "Proxy-Connection")
	delete(fields, "Keep-Alive")
	delete(fields, "Te")
	delete(fields, "Trailer")
	delete(fields, "Transfer-Encoding")
	delete(fields, "Upgrade")
	delete(fields, "Expect")
	delete(fields, "Proxy-Authorization")
}
