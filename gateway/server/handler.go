package server

import (
	"crypto/subtle"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/pipeline"
	"egk8s.dev/egk8s/gateway/policy"
)

// handler is the way from net/http into the pipelines and back.
type handler struct {
	g       *Gateway
	trusted trusted
	pool    sync.Pool     // of *exchange
	made    atomic.Uint32 // exchanges so far
}

// exchange is a message.Exchange with what belongs to it.
type exchange struct {
	message.Exchange
	runtime *pipeline.Runtime // in force when the request began, and for all of it
	sink    sink
	entry   entry // its line in the access log
	tls     message.TLS
	body    *body  // nil: none
	home    uint32 // a pooled exchange mostly stays with one processor: what that one uses alone
}

func newHandler(g *Gateway) *handler {
	h := &handler{g: g, trusted: parseTrusted(g.Config().Settings.TrustedProxies)}
	h.pool.New = func() any { return &exchange{home: h.made.Add(1)} }
	return h
}

// ServeHTTP answers one request. A request keeps the Runtime that it began with.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	h.g.metrics.begin()
	x := h.pool.Get().(*exchange) //nolint:forcetypeassert // nothing else is put there
	x.fill(w, r, &h.g.limits)
	x.runtime = h.g.runtime.Load()
	if len(h.trusted) > 0 {
		x.Request.Remote = h.trusted.client(x.Request.Peer, x.Request.Header.Values("X-Forwarded-For"))
	}
	probe := h.g.isProbe(x.Request.Header)
	if probe || h.g.draining.Load() {
		x.Response.OnHead(func(resp *message.Response) { h.mark(resp, probe, x.runtime) })
	}
	var err error
	if status := h.refuse(r, x); status == 0 {
		err = h.serve(r, x)
	} else {
		x.ErrorPage(status, http.StatusText(status))
	}
	broken := err != nil && x.Response.Started() && x.Response.IsFromUpstream()
	if err != nil && !broken {
		h.g.log.ErrorContext(r.Context(), "request failed", "request_id", x.ID(), "error", err)
	}
	h.count(x, start, broken)
	x.release()
	h.pool.Put(x)
	if broken {
		// The answer is not whole, and only a cut connection tells the client so.
		panic(http.ErrAbortHandler)
	}
}

// release forgets everything of a request, so that a pooled exchange keeps nothing alive.
func (x *exchange) release() {
	if x.body != nil {
		x.body.end(&x.Exchange)
	}
	x.sink.end()
	x.Reset()
	x.runtime, x.body, x.sink, x.tls = nil, nil, sink{}, message.TLS{}
}

// count puts an answered request into metrics and access log.
func (h *handler) count(x *exchange, start time.Time, broken bool) {
	end := time.Now()
	h.g.metrics.end(h.g.metrics.of(x.Endpoint), x.Response.Status(), end.Sub(start))
	if h.g.access == nil {
		return
	}
	x.entry = entry{
		at: start, end: end, method: x.Request.Method, host: x.Request.Host, target: x.Request.OriginalURL,
		status: x.Response.Status(), broken: broken, bytes: x.Response.Bytes(),
		client: x.Request.Remote.Addr(), upstream: x.Upstream,
	}
	if x.HasID() {
		x.entry.id = x.ID()
	}
	if x.Endpoint != nil {
		x.entry.endpoint, x.entry.pipeline = x.Endpoint.Name, x.Endpoint.Pipeline
	}
	h.g.access.add(x.home, &x.entry)
	x.entry = entry{}
}

// refuse returns the status of a request that no pipeline gets to see; 0: there is no reason.
func (h *handler) refuse(r *http.Request, x *exchange) int {
	l := &h.g.limits
	switch {
	case !routable(&x.Request):
		return http.StatusBadRequest
	case r.ProtoMajor == 2 && !oneHost(r):
		return http.StatusBadRequest
	case len(r.RequestURI) > l.target:
		return http.StatusRequestURITooLong
	case l.bodyBytes > 0 && r.ContentLength > l.bodyBytes:
		return http.StatusRequestEntityTooLarge
	case r.ProtoMajor == 2 && fields(r.Header) > l.fields: // those of HTTP/1 are counted while they are read
		return http.StatusRequestHeaderFieldsTooLarge
	}
	return 0
}

// oneHost tells whether the fields Host of HTTP/2, which may stand beside :authority, say the same as what the
// request is routed by (RFC 9113, section 8.3.1). They are removed: net/http leaves them in the header, and from
// there they would reach the service as its Host.
func oneHost(r *http.Request) bool {
	for _, host := range r.Header["Host"] {
		if !strings.EqualFold(host, r.Host) {
			return false
		}
	}
	delete(r.Header, "Host")
	return true
}

func fields(h http.Header) int {
	n := 0
	for _, values := range h {
		n += len(values)
	}
	return n
}

// routable tells whether the target is a path: nothing else may be put behind a backend's host, which
// it could change. EG: node closes the connection of a CONNECT that nobody listens for.
func routable(r *message.Request) bool {
	return r.Method != http.MethodConnect && (strings.HasPrefix(r.URL, "/") || r.Method == http.MethodOptions && r.URL == "*")
}

// serve runs the pipelines; a panic in a policy ends this request only.
func (h *handler) serve(r *http.Request, x *exchange) (err error) {
	ctx := r.Context()
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		h.g.log.ErrorContext(ctx, "policy panicked", "request_id", x.ID(), "panic", p, "stack", string(debug.Stack()))
		err = errors.New("a policy panicked")
		if !x.Response.Started() {
			x.ErrorPage(500, "Internal Server Error")
		} else {
			x.Response.FromUpstream() // begun and not whole: cut the connection
		}
	}()
	return x.runtime.Serve(ctx, &x.Exchange)
}

// mark adds what a prober or a client that should go elsewhere needs to know.
func (h *handler) mark(resp *message.Response, probe bool, rt *pipeline.Runtime) {
	if h.g.draining.Load() {
		resp.Header.Set("Connection", "close")
	}
	if !probe {
		return
	}
	by := "gateway"
	if resp.IsFromUpstream() {
		by = "upstream"
	}
	resp.Header.Set(AnswerHeader, by)
	resp.Header.Set(DigestHeader, rt.Config.Digest)
}

// The fields between the prober and the gateway.
const (
	ProbeHeader  = "Egk8s-Probe"  // request: the nonce that proves that a request is a probe
	AnswerHeader = "Egk8s-Answer" // answer: whose it is, "gateway" or "upstream"
	DigestHeader = "Egk8s-Config" // answer: the digest of the configuration that routed it
)

// isProbe tells whether a request carries the prober's nonce, and removes it.
func (g *Gateway) isProbe(h message.Header) bool {
	given := h.Get(ProbeHeader)
	if given == "" {
		return false
	}
	h.Del(ProbeHeader)
	return g.env.nonce != "" && subtle.ConstantTimeCompare([]byte(given), []byte(g.env.nonce)) == 1
}

// fill sets the exchange up for a request of net/http.
func (x *exchange) fill(w http.ResponseWriter, r *http.Request, l *limits) {
	x.sink = sink{w: w, header: w.Header()}
	if r.ProtoMajor == 2 && l.write > 0 {
		x.sink.stall = l.write
	}
	x.Response = message.NewResponse(message.HeaderOf(w.Header()), &x.sink)
	var peer netip.AddrPort
	if conn, ok := r.Context().Value(connectionKey{}).(*connection); ok && conn != nil {
		peer = conn.peer
	}
	target := r.RequestURI
	if r.URL.IsAbs() { // an absolute form: what counts is its path
		target = r.URL.RequestURI()
	}
	x.Request = message.Request{
		Method: r.Method, URL: target, OriginalURL: target, Proto: proto(r),
		Host: r.Host, Header: message.HeaderOf(r.Header), ContentLength: r.ContentLength, Peer: peer, Remote: peer,
	}
	if r.ContentLength != 0 && r.Body != nil {
		x.body = newBody(w, r, l)
		x.sink.body = x.body
		x.Request.Body = x.body
		if r.ContentLength < 0 {
			x.Request.Trailer = func() message.Header {
				h := message.HeaderOf(r.Trailer)
				policy.SanitizeTrailer(h)
				return h
			}
		}
	}
	if _, asks := r.Header["Upgrade"]; asks {
		x.Request.Upgrade = upgrade(r)
	}
	if r.TLS != nil {
		x.tls = message.TLS{ServerName: r.TLS.ServerName, ClientVerified: len(r.TLS.VerifiedChains) > 0}
		x.Request.TLS = &x.tls
	}
}

// proto returns the version as Request.Proto has it.
func proto(r *http.Request) string {
	switch {
	case r.ProtoMajor == 2:
		return "2.0"
	case r.ProtoMinor == 0:
		return "1.0"
	default:
		return "1.1"
	}
}

// errorLog brings what net/http has to say to the log; it is mostly about clients.
type errorLog struct{ log *slog.Logger }

func (l errorLog) Write(p []byte) (int, error) {
	l.log.Debug("http server", "detail", string(p))
	return len(p), nil
}
