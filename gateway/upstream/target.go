package upstream

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"egk8s.dev/egk8s/gateway/upstream/h1"
)

// Request is what goes to a service. Its Host may be empty: then it is the target's.
type Request = h1.Request

// Response is a service's answer. Its body must be closed.
type Response = h1.Response

// Error is a request without an answer; see Unsent and Unanswered.
type Error = h1.Error

// Errors that callers tell apart with errors.Is.
var (
	ErrTimeout  = h1.ErrTimeout  // the service was silent for too long
	ErrBody     = h1.ErrBody     // the request's own body broke off
	ErrRequest  = h1.ErrRequest  // the request cannot be sent as it is
	ErrResponse = h1.ErrResponse // the answer is not valid HTTP
)

// Unsent tells that the service has not seen the request, which anybody may send again.
func Unsent(err error) bool { return h1.Unsent(err) }

// Unanswered tells that the connection failed before any byte of an answer; an idempotent request may be
// sent again then.
func Unanswered(err error) bool { return h1.Unanswered(err) }

// Target is one service at one address, with a pool of connections.
//
// HTTP/1.1 is spoken by our own client; HTTP/2, HTTP proxies and redirects to other hosts are left to
// net/http's.
type Target struct {
	key
	address string // host and port to dial
	tls     *tls.Config
	own     *h1.Pool        // nil: other is used for everything
	mu      sync.Mutex      // guards other
	other   *http.Transport // made on first use
}

// Host returns host and port as the configuration names them.
func (t *Target) Host() string { return t.host }

// Scheme returns "http" or "https".
func (t *Target) Scheme() string { return t.scheme }

// Address returns the host and port that are dialed.
func (t *Target) Address() string { return t.address }

// Open returns how many connections are open; only those of our own client are counted.
func (t *Target) Open() int {
	if t.own == nil {
		return 0
	}
	return t.own.Open()
}

// Dial returns a target for the same service, with the same Host field and the same server name in TLS, that
// has connections of its own to address, a host and a port. Who dials it closes it.
func (t *Target) Dial(address string) *Target { return makeTarget(t.key, address, t.tls) }

// Close closes the connections that nobody uses, and those in use once their requests end.
func (t *Target) Close() {
	if t.own != nil {
		t.own.Close()
	}
	t.CloseIdle()
}

// CloseIdle closes the connections that nobody uses.
func (t *Target) CloseIdle() {
	if t.own != nil {
		t.own.CloseIdle()
	}
	t.mu.Lock()
	other := t.other
	t.mu.Unlock()
	if other != nil {
		other.CloseIdleConnections()
	}
}

// At returns a target at another address with the same options: where a redirect leads.
func (t *Target) At(scheme, host string) *Target {
	if scheme == t.scheme && host == t.host {
		return t
	}
	to := &Target{key: t.key, other: t.transport()}
	to.scheme, to.host, to.address = scheme, host, address(scheme, host)
	return to
}

// URL returns the absolute URL of a request target, for resolving a redirect against it.
func (t *Target) URL(target string) *url.URL {
	u, err := url.Parse(t.scheme + "://" + t.host + target)
	if err != nil {
		return &url.URL{Scheme: t.scheme, Host: t.host, Path: "/"}
	}
	return u
}

// Send sends r and returns the head of the answer; redirects are returned, not followed.
// Fields that belong to one connection only are not sent. What the client's Connection field names is not
// among them: it must be gone before anything is added for the service, or a client could name, and so
// remove, what was added.
// An error means that there is no answer: nothing there, a broken one, or ctx is done.
func (t *Target) Send(ctx context.Context, r *Request) (*Response, error) {
	if r.Host == "" {
		r.Host = t.host
	}
	send := t.sendOther
	if t.own != nil {
		send = t.own.Do
	}
	resp, err := send(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("ask %s://%s: %w", t.scheme, t.host, err)
	}
	return resp, nil
}

const (
	// dialTimeout leaves room for two lost packets.
	dialTimeout = 5 * time.Second
	// idleTimeout stays below the 5 seconds after which node's servers close idle connections,
	// so that a request rarely meets a connection that is just being closed.
	idleTimeout     = 4 * time.Second
	idlePerTarget   = 512
	bufferSize      = 8 << 10
	maxResponseHead = 256 << 10
)

func newTarget(k key) (*Target, error) {
	config, err := tlsConfig(k.Options)
	if err != nil {
		return nil, err
	}
	if _, err := proxyOf(k.ProxyURL); err != nil {
		return nil, err
	}
	return makeTarget(k, address(k.scheme, k.host), config), nil
}

func makeTarget(k key, address string, config *tls.Config) *Target {
	t := &Target{key: k, address: address, tls: config}
	if k.HTTP2 || k.ProxyURL != "" || !isASCII(k.host) {
		return t
	}
	connect := cmp.Or(k.ConnectTimeout, dialTimeout)
	o := h1.Options{
		ConnectTimeout: connect, HandshakeTimeout: connect,
		MaxIdle: idlePerTarget, IdleTimeout: cmp.Or(k.IdleTimeout, idleTimeout), MaxHead: maxResponseHead,
	}
	if k.scheme == "https" {
		o.TLS = config.Clone()
		o.TLS.ServerName = (&url.URL{Host: k.host}).Hostname()
	}
	t.own = h1.New(address, o)
	return t
}

// address returns the host and port to dial for the host of a URL.
func address(scheme, host string) string {
	u := url.URL{Host: host}
	port := "80"
	if scheme == "https" {
		port = "443"
	}
	return net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), port))
}

// isASCII tells whether host needs no conversion to its form in DNS.
func isASCII(host string) bool {
	for i := range len(host) {
		if host[i] >= 0x80 {
			return false
		}
	}
	return true
}
