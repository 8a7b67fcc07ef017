package policy

import (
	"context"
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/jwt/jwks"
	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/upstream"
)

// forwardAuth lets a service decide who may pass. EG: it has no such policy; plugins do that work there.
type forwardAuth struct {
	authentication
	memory   *Memory
	balancer *upstream.Balancer
	service  string // for the cache: answers of one count for no other
	same     bool   // ask with the request's method instead of GET
	send     []string
	copied   []string // from a good answer to the request
	answer   []string // from any other one to the client
	timeout  time.Duration
	onError  int
	ttl      time.Duration // 0: nothing is remembered
	keyed    []string      // nil: by all that the service gets
}

func newForwardAuth(step config.Step, env *Environment) (Policy, diag.Problems) {
	p := params(step.Action)
	f := &forwardAuth{
		authentication: newAuthentication("forward-auth", p, env), memory: env.memory(), same: p.text("method") == "request",
		send: p.names("requestHeaders"), copied: p.names("responseHeaders"), answer: p.names("clientHeaders"), keyed: p.names("cacheKey"),
		timeout: 5 * time.Second, onError: http.StatusServiceUnavailable,
	}
	for _, name := range slices.Concat(f.send, f.copied, f.answer) {
		if name == "" || strings.ContainsAny(name, " \t\r\n\x00:") || slices.Contains(ofConnections(), name) {
			return nil, diag.Problems{problem(step, "%q is no header that can be passed on", name)}
		}
	}
	if ms, ok := p.number("timeout"); ok && ms > 0 {
		f.timeout = time.Duration(ms) * time.Millisecond
	}
	p.count("onError", &f.onError)
	if seconds, ok := p.number("cacheTtl"); ok {
		f.ttl = time.Duration(seconds) * time.Second
	}
	service, err := f.reach(p, env)
	if err != nil {
		return nil, diag.Problems{problem(step, "%v", err)}
	}
	f.balancer = service.Balancer()
	return f, nil
}

// reach finds the service: a serviceEndpoint with its options, or a URL, for which no proxy is used.
func (f *forwardAuth) reach(p params, env *Environment) (*upstream.Service, error) {
	if name := p.text("serviceEndpoint"); name != "" {
		service, known := env.Services[name]
		if !known || len(service.URLs) == 0 {
			return nil, fmt.Errorf("serviceEndpoint %q is not declared, or has no url", name)
		}
		f.service = fmt.Sprint(name, service.URLs)
		options, balance := serviceOptions(mergeOptions(nil, service.ProxyOptions), nil, service, env.HTTPProxy)
		return env.Upstreams.Service(name, service.URLs, options, balance)
	}
	if err := jwks.CheckURL(p.text("url")); err != nil {
		return nil, fmt.Errorf("url is %w", err)
	}
	u, err := url.Parse(p.text("url"))
	if err != nil {
		return nil, err
	}
	f.service = u.String()
	name := "forward-auth " + u.Scheme + "://" + u.Host + u.EscapedPath()
	options, balance := serviceOptions(mergeOptions(nil, nil), nil, config.ServiceEndpoint{}, "")
	return env.Upstreams.Service(name, []*url.URL{u}, options, balance)
}

// ofConnections are the fields that belong to one connection or message (RFC 9110, section 7.6.1).
func ofConnections() []string {
	return []string{
		"Connection", "Content-Length", "Expect", "Host", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
	}
}

// names returns a list of header names in canonical form; nil: there is none.
func (p params) names(name string) []string {
	list := p.list(name)
	for i := range list {
		list[i] = textproto.CanonicalMIMEHeaderKey(list[i])
	}
	return list
}

// Apply asks the service, or remembers what it said.
func (f *forwardAuth) Apply(ctx context.Context, x *message.Exchange) (message.Verdict, error) {
	key, keep := f.key(x)
	if keep {
		if values, ok := f.memory.passes.Get(key, time.Now()); ok {
			f.strip(x.Request.Header)
			f.pass(x, values)
			return message.Continue, nil
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, f.timeout, upstream.ErrTimeout)
	defer cancel()
	question := f.question(x)
	f.strip(x.Request.Header) // whatever comes, the backend gets none of the client's
	resp, lease, err := f.balancer.Send(ctx, question, f)
	if err != nil {
		return f.broken(ctx, x, err), nil
	}
	defer lease.End()
	defer resp.Body.Close()
	body, whole := readAnswer(resp)
	switch {
	case resp.Status >= 200 && resp.Status < 300:
		values := make([][]string, len(f.copied))
		for i, name := range f.copied {
			values[i] = slices.Clone(resp.Header.Values(name))
		}
		if keep {
			f.memory.passes.Put(key, values, sizeOf(values), time.Now().Add(f.ttl))
		}
		f.pass(x, values)
		return message.Continue, nil
	case resp.Status >= 500:
		return f.broken(ctx, x, fmt.Errorf("the service answered with status %d", resp.Status)), nil
	case f.passThrough:
		return f.unauthorized(x), nil
	}
	f.pass4xx(x, resp, body, whole)
	return message.Answered, nil
}

// Address sets what depends on the service's URL.
func (f *forwardAuth) Address(r *upstream.Request, to *upstream.Origin) {
	r.Path, r.Host = to.Path, to.Host()
}
