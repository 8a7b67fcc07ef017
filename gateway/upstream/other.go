package upstream

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"egk8s.dev/egk8s/gateway/message"
)

// transport returns net/http's client for what our own does not speak.
func (t *Target) transport() *http.Transport {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.other != nil {
		return t.other
	}
	dialer := &net.Dialer{Timeout: cmp.Or(t.ConnectTimeout, dialTimeout), KeepAlive: 30 * time.Second}
	own := address(t.scheme, t.host)
	t.other = &http.Transport{
		DialContext: func(ctx context.Context, network, to string) (net.Conn, error) {
			if to == own {
				to = t.address
			}
			return dialer.DialContext(ctx, network, to)
		},
		TLSClientConfig:        t.tls,
		TLSHandshakeTimeout:    cmp.Or(t.ConnectTimeout, dialTimeout),
		DisableCompression:     true,
		MaxIdleConnsPerHost:    idlePerTarget,
		IdleConnTimeout:        cmp.Or(t.IdleTimeout, idleTimeout),
		MaxResponseHeaderBytes: maxResponseHead,
		WriteBufferSize:        bufferSize,
		ReadBufferSize:         bufferSize,
		Protocols:              t.protocols(),
	}
	if !t.HTTP2 {
		t.other.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	if proxy, _ := proxyOf(t.ProxyURL); proxy != nil { // it was looked at before
		t.other.Proxy = http.ProxyURL(proxy)
	}
	return t.other
}

func (t *Target) protocols() *http.Protocols {
	var p http.Protocols
	p.SetHTTP1(!t.HTTP2 || t.scheme == "https")
	p.SetHTTP2(t.HTTP2)
	p.SetUnencryptedHTTP2(t.HTTP2 && t.scheme == "http")
	return &p
}

// proxyOf parses the URL of an HTTP proxy; nil: there is none.
func proxyOf(s string) (*url.URL, error) {
	if s == "" {
		return nil, nil //nolint:nilnil // no proxy is not an error
	}
	proxy, err := url.Parse(s)
	if err != nil || proxy.Host == "" {
		return nil, errors.New("read proxyUrl: not an absolute URL such as http://proxy:3128") // it may hold a password
	}
	return proxy, nil
}

// sendOther sends r with net/http's client.
func (t *Target) sendOther(ctx context.Context, r *Request) (*Response, error) {
	tr := t.transport()
	// A copy: the transport may still be writing it when the request has failed and goes to somebody else.
	header := maps.Clone(r.Header.Map())
	trailers := t.HTTP2 && strings.EqualFold(strings.Join(header["Te"], ","), "trailers")
	removeHopByHop(message.HeaderOf(header))
	delete(header, "Content-Length") // sent from ContentLength
	// Servers that take "_" for "-" would read these as the length of the body.
	delete(header, "Transfer_encoding")
	delete(header, "Content_length")
	if trailers {
		header["Te"] = []string{"trailers"} // gRPC asks for it
	}
	if _, ok := header["User-Agent"]; !ok {
		header["User-Agent"] = nil // else the transport names itself
	}
	u := &url.URL{Scheme: t.scheme, Host: t.host}
	if tr.Proxy != nil && t.scheme == "http" {
		u.Opaque = "//" + t.host + r.Path // the proxy gets an absolute URL
	} else {
		setPath(u, r.Path)
	}
	req := &http.Request{
		Method: r.Method, URL: u, Host: r.Host, Header: header, ContentLength: r.ContentLength,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	var sent *clientBody
	if r.Body != nil && r.ContentLength != 0 {
		sent = &clientBody{body: r.Body}
		req.Body = sent
		if r.Trailer != nil && r.ContentLength < 0 {
			sent.announce(req, r.Trailer)
		}
	}
	watch := watchSilence(ctx, r.FirstTimeout())
	resp, err := tr.RoundTrip(req.WithContext(watch.ctx)) //nolint:bodyclose,contextcheck // it is the caller's; the context comes from ctx
	if err == nil && resp.StatusCode < http.StatusOK {    // no upgrade was asked for, and below 100 there is nothing
		_ = resp.Body.Close()
		err = fmt.Errorf("%w: its status is %d", ErrResponse, resp.StatusCode)
	}
	if err != nil {
		err = watch.failed(err, sent)
		watch.end()
		return nil, err
	}
	watch.answered(r.Timeout)
	out := &Response{
		Status: resp.StatusCode, Header: r.Reply, ContentLength: resp.ContentLength,
		Body:     &watchedBody{ReadCloser: resp.Body, watch: watch},
		Trailers: func() message.Header { return message.HeaderOf(resp.Trailer) },
	}
	fields := message.HeaderOf(resp.Header)
	fields.DelNamed("Connection")
	removeHopByHop(fields)
	if out.Header.Map() == nil {
		out.Header = fields
		return out, nil
	}
	maps.Insert(out.Header.Map(), fields.All())
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
