package policy

import (
	"context"
	"net/url"
	"slices"

	"egk8s.dev/egk8s/gateway/upstream"
)

// maxRedirects is where following them ends. EG: follow-redirects.
const maxRedirects = 21

// send asks the service and, with the option followRedirects, follows its redirects.
func (p *proxy) send(ctx context.Context, out *outgoing) (*upstream.Response, upstream.Lease, error) {
	resp, lease, err := p.balancer.Send(ctx, &out.Request, out)
	if err != nil || !p.options.follow {
		return resp, lease, err
	}
	to := lease.Origin().Target
	for range maxRedirects {
		if !slices.Contains([]int{301, 302, 303, 307, 308}, resp.Status) {
			break
		}
		next, ok := redirect(resp, &out.Request, to)
		if !ok {
			break
		}
		resp.Body.Close() //nolint:gosec // its content does not matter
		to = next
		if resp, err = to.Send(ctx, &out.Request); err != nil {
			lease.End()
			return nil, lease, err
		}
	}
	return resp, lease, nil
}

// redirect changes out into the request that a redirect asks for. It is false where there is none:
// no usable Location, or a body that would have to be sent again.
func redirect(resp *upstream.Response, out *upstream.Request, from *upstream.Target) (*upstream.Target, bool) {
	location := resp.Header.Get("Location")
	u, err := from.URL(out.Path).Parse(location)
	if location == "" || err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, false
	}
	hadBody := out.Body != nil && out.ContentLength != 0
	keepsMethod := resp.Status == 307 || resp.Status == 308
	if hadBody && keepsMethod {
		return nil, false
	}
	if !keepsMethod {
		if out.Method != "HEAD" {
			out.Method = "GET"
		}
		out.Body, out.ContentLength = nil, 0 // it was read already
		out.Header.Del("Content-Type")
	}
	if u.Host != from.Host() || u.Scheme == "http" && from.URL("/").Scheme == "https" {
		for _, name := range []string{"Authorization", "Cookie", ConsumerHeader} { // not for strangers, nor in the clear
			out.Header.Del(name)
		}
	}
	out.Host, out.Path = u.Host, requestTarget(u)
	return from.At(u.Scheme, u.Host), true
}

func requestTarget(u *url.URL) string {
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	return path
}
