package policy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"egk8s.dev/egk8s/gateway/cache"
	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/upstream"
)

// maxRefusal bounds the body that a service's refusal may have.
const maxRefusal = 64 << 10

// question is what the service gets: no body, the chosen fields, and what the request is. What a client says in
// fields of the latter's names does not count.
func (f *forwardAuth) question(x *message.Exchange) *upstream.Request {
	in := &x.Request
	h := message.NewHeader(len(f.send) + 5)
	for _, name := range f.send {
		if values := in.Header.Values(name); len(values) > 0 {
			h.Put(name, values)
		}
	}
	h.Set("X-Forwarded-Method", in.Method)
	h.Set("X-Forwarded-Uri", in.URL)
	h.Set("X-Forwarded-Host", in.Host)
	h.Set("X-Forwarded-Proto", in.Scheme())
	h.Set("X-Forwarded-For", in.ClientIP())
	q := &upstream.Request{Method: http.MethodGet, Header: h, Timeout: f.timeout}
	if f.same {
		q.Method = in.Method
	}
	return q
}

// strip removes the client's own fields of the names that only the service may set, in the spellings too that
// servers which take "_" for "-" read as those.
func (f *forwardAuth) strip(h message.Header) {
	for _, name := range f.copied {
		h.Del(name)
	}
	for name := range h.All() {
		if !strings.Contains(name, "_") {
			continue
		}
		plain := strings.ReplaceAll(name, "_", "-")
		for _, own := range f.copied {
			if strings.EqualFold(plain, strings.ReplaceAll(own, "_", "-")) {
				delete(h.Map(), name)
			}
		}
	}
}

// pass takes over what the service said about the caller, who is the user of the request unless an earlier step
// found a consumer.
func (f *forwardAuth) pass(x *message.Exchange, values [][]string) {
	user := map[string]any{}
	for i, name := range f.copied {
		if len(values[i]) > 0 {
			x.Request.Header.Put(name, values[i])
			user[strings.ToLower(name)] = strings.Join(values[i], ", ")
		}
	}
	if x.Request.Consumer == nil {
		claim(x, user)
	}
}

// pass4xx gives the client what the service answered instead of letting it pass.
func (f *forwardAuth) pass4xx(x *message.Exchange, resp *upstream.Response, body string, whole bool) {
	for _, name := range f.answer {
		if values := resp.Header.Values(name); len(values) > 0 {
			x.Response.Header.Put(name, values)
		}
	}
	kind := resp.Header.Get("Content-Type")
	if !whole || kind == "" || resp.Header.Has("Content-Encoding") {
		kind, body = "text/plain; charset=utf-8", http.StatusText(resp.Status)
	}
	x.Response.Send(resp.Status, kind, body)
}

// readAnswer reads what a refusal says; whole tells whether that is all. Reading to the end keeps the connection.
func readAnswer(resp *upstream.Response) (body string, whole bool) {
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxRefusal+1))
	return string(text), err == nil && len(text) <= maxRefusal
}

// broken answers for a service that did not. It never lets anybody pass, passThrough or not.
func (f *forwardAuth) broken(ctx context.Context, x *message.Exchange, err error) message.Verdict {
	if errors.Is(context.Cause(ctx), context.Canceled) {
		f.debug(ctx, x, err) // the client is gone
	} else if _, open := errors.AsType[*upstream.OpenError](err); !open { // many of those at once: they are counted
		f.log.ErrorContext(ctx, "ask the service", "policy", f.policy, "request_id", x.ID(), "error", err)
	}
	x.Response.SendText(f.onError, http.StatusText(f.onError))
	return message.Answered
}

// key names a question. Without cacheKey it is all that the service gets; with it, a request that has none of
// those fields is asked about each time.
func (f *forwardAuth) key(x *message.Exchange) (key cache.Key, keep bool) {
	if f.ttl <= 0 {
		return cache.Key{}, false
	}
	in := &x.Request
	names, parts := f.keyed, []string{f.service, strings.Join(f.copied, ","), strings.Join(f.send, ",")}
	if names == nil {
		names = f.send
		parts = append(parts, in.Method, in.URL, in.Host, in.Scheme(), in.ClientIP())
		keep = true
	}
	for _, name := range names {
		values := in.Header.Values(name)
		keep = keep || len(values) > 0
		parts = append(parts, name, strings.Join(values, "\x00"))
	}
	if !keep {
		return cache.Key{}, false
	}
	return f.memory.passes.Key(parts...), true
}

func sizeOf(values [][]string) int64 {
	size := 256
	for _, list := range values {
		for _, one := range list {
			size += 32 + len(one)
		}
	}
	return int64(size)
}
