package policy

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"strconv"
	"strings"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/upstream"
)

// The fields by which the gateway tells a backend who asks. Clients cannot set them.
const (
	ConsumerHeader = "Eg-Consumer-Id"
	RequestHeader  = "Eg-Request-Id"
)

// Sanitize removes from a client's header what only the gateway may say, before a policy sees it: who
// the consumer is, also in the spellings that servers which take "_" for "-" read as that field; and
// what Connection names, which could else remove what policies add. Of a field that may occur once only the first
// one is left: a service that takes the last Authorization would see a credential that no policy has.
func Sanitize(h message.Header) {
	for _, name := range []string{ConsumerHeader, "Eg_consumer_id", "Eg_consumer-Id", "Eg-Consumer_id"} {
		h.Del(name)
	}
	h.DelNamed("Connection")
	h.DelRepeated()
}

// SanitizeTrailer removes from the fields behind a client's body what Sanitize removes, what the gateway adds, and
// what says who asks: some servers take those fields for ones of the head, which no policy has seen then
// (RFC 9110, section 6.5.1).
func SanitizeTrailer(h message.Header) {
	Sanitize(h)
	for _, name := range []string{
		RequestHeader, "Authorization", "Cookie", "Forwarded",
		"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Proto",
	} {
		h.Del(name)
	}
}

// proxy sends the request to a service and its answer back, streaming both.
type proxy struct {
	balancer *upstream.Balancer // nil: every answer is 502
	options  proxyOptions
	log      *slog.Logger
}

func newProxy(step config.Step, env *Environment) (Policy, diag.Problems) {
	action := params(step.Action)
	p := &proxy{log: env.Log}
	service, known := env.Services[action.text("serviceEndpoint")]
	if action.text("serviceEndpoint") == "" {
		return p, nil // EG: answers 502 to everything
	}
	if !known {
		return nil, diag.Problems{problem(step, "serviceEndpoint %q is not declared", action.text("serviceEndpoint"))}
	}
	merged := mergeOptions(action, service.ProxyOptions)
	p.options = readOptions(merged)
	options, balance := serviceOptions(merged, action, service, env.HTTPProxy)
	if len(service.URLs) == 0 {
		return p, nil
	}
	upstreams, err := env.Upstreams.Service(service.Name, service.URLs, options, balance)
	if err != nil {
		return nil, diag.Problems{problem(step, "%v", err)}
	}
	p.balancer = upstreams.Balancer()
	return p, nil
}

// Apply sends the request to the service, which balances it over its endpoints, and the answer back.
// EG: whatever goes wrong before the answer begins is 502.
func (p *proxy) Apply(ctx context.Context, x *message.Exchange) (message.Verdict, error) {
	if p.balancer == nil {
		x.Response.SendText(502, "Bad Gateway")
		return message.Answered, nil
	}
	resp, lease, err := p.send(ctx, p.request(x))
	if err != nil {
		p.failed(ctx, x, err)
		return message.Answered, nil
	}
	defer lease.End()
	defer resp.Body.Close()
	x.Upstream = lease.Endpoint()
	if resp.Conn != nil {
		p.tunnel(ctx, x, resp, lease.Origin())
		return message.Answered, nil
	}
	p.answer(x, resp, lease.Origin())
	if err := p.stream(x, resp); err != nil {
		p.log.WarnContext(ctx, "answer of upstream broke off", "policy", "proxy", "request_id", x.ID(),
			"upstream", lease.Endpoint(), "error", err)
		return message.Answered, errBrokenOff
	}
	return message.Answered, nil
}

// errBrokenOff tells the engine to cut the connection: the client must not take the answer for whole.
var errBrokenOff = errors.New("the upstream's answer broke off")

// failed answers for a service that did not.
func (p *proxy) failed(ctx context.Context, x *message.Exchange, err error) {
	if open, ok := errors.AsType[*upstream.OpenError](err); ok { // many of them at once: they are counted, not logged
		x.Response.Header.Set("Retry-After", strconv.Itoa(int(math.Ceil(open.RetryAfter.Seconds()))))
		x.Response.SendHTML(503, "Service unavailable.")
		return
	}
	status := message.BodyStatus(err)
	switch {
	case errors.Is(err, upstream.ErrBody) && (ctx.Err() == nil || status != http.StatusBadRequest):
		x.ErrorPage(status, http.StatusText(status)) // not the service's fault
		return
	case errors.Is(context.Cause(ctx), context.Canceled):
		p.log.DebugContext(ctx, "client went away", "policy", "proxy", "request_id", x.ID())
	default:
		p.log.ErrorContext(ctx, "upstream failed", "policy", "proxy", "request_id", x.ID(), "error", err)
	}
	x.Response.SendHTML(502, "Bad gateway.")
}

// outgoing is what the service gets.
type outgoing struct {
	upstream.Request
	proxy  *proxy
	x      *message.Exchange
	values [2]string // of the request's id and the consumer's
}

// request turns the exchange into what the service gets, but for what depends on its URL.
func (p *proxy) request(x *message.Exchange) *outgoing {
	o, in := &p.options, &x.Request
	h := in.Header
	if o.xfwd {
		forwarded(in, h)
	}
	for _, f := range o.headers {
		h.Set(f.name, f.value)
	}
	if o.authorization != "" && !h.Has("Authorization") {
		h.Set("Authorization", o.authorization)
	}
	out := &outgoing{
		Request: upstream.Request{
			Method: in.Method, Header: h, Body: in.Body, ContentLength: in.ContentLength, Trailer: in.Trailer, Timeout: o.timeout,
		},
		proxy: p, x: x,
	}
	out.values[0] = x.ID()
	h.Map()[RequestHeader] = out.values[:1:1]
	if in.Consumer != nil {
		out.values[1] = in.Consumer.ID
		h.Map()[ConsumerHeader] = out.values[1:2:2]
	}
	if canSwitch(in.Upgrade) {
		out.Upgrade = in.Upgrade
	}
	if !o.rewrites() {
		out.Reply = x.Response.Header
	}
	return out
}

// Address sets path and Host for one URL of the service.
func (o *outgoing) Address(r *upstream.Request, to *upstream.Origin) {
	r.Path, r.Host = o.proxy.path(o.x, to), to.Host()
	o.x.Upstream = to.Host()
	if !o.proxy.options.changeOrigin {
		r.Host = o.x.Request.Host
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host // of the option headers
	}
}

// path joins the path of the service's URL and the request's; nothing of either is decoded or cleaned.
func (p *proxy) path(x *message.Exchange, to *upstream.Origin) string {
	base, rest := to.Path, x.Request.URL
	if p.options.stripPath {
		rest = strip(x)
	}
	if p.options.ignorePath {
		rest = ""
	}
	if !p.options.prependPath {
		base = ""
	}
	return joinPath(base, rest)
}

// strip takes away what stands in front of the first wildcard of the pattern that matched.
// EG: /svc/:id/x leaves the parameter (/12/x), a pattern without wildcard leaves "/". With pathRegex
// the reference fails; here nothing is taken away.
func strip(x *message.Exchange) string {
	url, pattern := x.Request.OriginalURL, x.Endpoint.Pattern
	at := strings.IndexAny(pattern, ":*")
	switch {
	case x.Endpoint.Regexp || pattern == "" || pattern == "*":
		return url
	case at < 0:
		if q := strings.IndexByte(url, '?'); q >= 0 {
			return "/" + url[q:]
		}
		return "/"
	default:
		return "/" + strings.TrimPrefix(url[min(at, len(url)):], "/")
	}
}

// forwarded adds the X-Forwarded fields, behind those that the client sent.
func forwarded(in *message.Request, h message.Header) {
	add := func(name, value string) {
		if before := h.Joined(name); before != "" {
			value = before + "," + value
		}
		h.Set(name, value)
	}
	port := strings.TrimPrefix(in.Host[len(in.Hostname()):], ":")
	if port == "" {
		port = map[bool]string{true: "443", false: "80"}[in.TLS != nil]
	}
	add("X-Forwarded-For", in.Peer.Addr().Unmap().String())
	add("X-Forwarded-Port", port)
	add("X-Forwarded-Proto", in.Scheme())
	if !h.Has("X-Forwarded-Host") {
		h.Set("X-Forwarded-Host", in.Host)
	}
}

// answer sends the head of the service's answer; its fields replace the gateway's of the same name.
func (p *proxy) answer(x *message.Exchange, resp *upstream.Response, to *upstream.Origin) {
	x.Response.FromUpstream()
	if p.options.rewrites() {
		p.options.rewriteHead(x, resp, to.Host())
		maps.Copy(x.Response.Header.Map(), resp.Header.Map())
	}
	x.Response.WriteHead(resp.Status)
	if resp.Pending() {
		_ = x.Response.Flush() // that the client is gone shows in the next write
	}
}

// stream copies the body. What came is flushed whenever more is still to come, so that slow answers
// and events reach the client at once; a whole answer is one write.
func (p *proxy) stream(x *message.Exchange, resp *upstream.Response) error {
	buf := buffers.Get().(*[]byte) //nolint:forcetypeassert // nothing else is put there
	defer buffers.Put(buf)
	left := resp.ContentLength
	for {
		n, err := resp.Body.Read(*buf)
		if n > 0 {
			left -= int64(n)
			more := left != 0 && err == nil && n < len(*buf)
			if !deliver(x, (*buf)[:n], more) {
				return nil // the client is gone: nobody to tell
			}
		}
		if errors.Is(err, io.EOF) {
			for name, values := range resp.Trailer().All() {
				x.Response.Trailer(name, values)
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// deliver sends a part to the client, at once when more is to come later; false: the client is gone.
func deliver(x *message.Exchange, part []byte, flush bool) bool {
	if _, err := x.Response.Write(part); err != nil {
		return false
	}
	return !flush || x.Response.Flush() == nil
}
