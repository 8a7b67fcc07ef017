package admin

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"

	"egk8s.dev/egk8s/gateway/consumer"
)

// subject reads what a route is about as its GET shows it, in the view of a change. The error is that of GET.
type subject func(ctx context.Context, from consumer.Reader, params map[string]string) (any, error)

// subjects are the things that If-Match can be asked of, by the first part of their paths.
func subjects() map[string]subject {
	consumerOf := func(kind consumer.Kind) subject {
		return func(ctx context.Context, from consumer.Reader, params map[string]string) (any, error) {
			c, err := consumer.FindIn(ctx, from, kind, params["id"])
			if err != nil {
				return nil, err
			}
			return consumerJSON(c), nil
		}
	}
	return map[string]subject{
		"users": consumerOf(consumer.KindUser), "apps": consumerOf(consumer.KindApplication),
		"credentials": func(ctx context.Context, from consumer.Reader, params map[string]string) (any, error) {
			c, err := from.Credential(ctx, consumer.CredentialType(params["type"]), params["id"])
			if err != nil {
				return nil, err
			}
			return storedJSON(c), nil
		},
	}
}

// guarded is ctx with the request's If-Match as a precondition of its changes; ctx itself where there is none.
func (a *api) guarded(r *http.Request, route route, params map[string]string) context.Context {
	want := r.Header.Get("If-Match")
	read := subjects()[route.parts[0]]
	if want == "" || read == nil || params["id"] == "" || !changes(r.Method) {
		return r.Context()
	}
	return consumer.WithPrecondition(r.Context(), func(ctx context.Context, from consumer.Reader) error {
		now, err := read(ctx, from, params)
		if isMissing(err) {
			return &statusError{http.StatusPreconditionFailed, "there is nothing that If-Match could match"}
		}
		if err != nil {
			return err
		}
		return matches(want, now)
	})
}

// matches tells whether a value is still what the client saw (RFC 9110, section 13.1.1).
func matches(want string, now any) error {
	body, err := encode(now)
	if err != nil {
		return err
	}
	if !listed(want, etagOf(body)) {
		return &statusError{http.StatusPreconditionFailed, "somebody changed it since; read it again"}
	}
	return nil
}

// listed tells whether a list of entity tags has one. A weak tag is never equal to a strong one.
func listed(list, tag string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if one = strings.TrimSpace(one); one == tag || one == "*" {
			return true
		}
	}
	return false
}

func etagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
}

func changes(method string) bool {
	return method != http.MethodGet && method != http.MethodHead
}
