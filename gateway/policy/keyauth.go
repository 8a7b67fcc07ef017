package policy

import (
	"context"
	"errors"
	"strings"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/message"
)

// keyAuth authenticates by a key "keyId:keySecret" in a header or in the query.
type keyAuth struct {
	authentication
	keys   KeyAuthenticator
	header string // empty: headers are not looked at
	scheme string // in front of the key; empty: any word or none
	field  string // query parameter; empty: the query is not looked at
}

func newKeyAuth(step config.Step, env *Environment) (Policy, diag.Problems) {
	p := params(step.Action)
	k := &keyAuth{authentication: newAuthentication("key-auth", p, env), keys: env.Keys}
	if !p.flag("disableHeaders") {
		k.header = p.text("apiKeyHeader")
	}
	if !p.flag("disableHeadersScheme") {
		k.scheme = p.text("apiKeyHeaderScheme")
	}
	if !p.flag("disableQueryParam") {
		k.field = p.text("apiKeyField")
	}
	return k, nil
}

// Apply finds out who calls.
// EG: 401 without and 403 with a key whose scopes do not suffice; passThrough lets both through as anonymous.
func (k *keyAuth) Apply(ctx context.Context, x *message.Exchange) (message.Verdict, error) {
	id, secret, ok := strings.Cut(k.find(x), ":")
	if !ok || id == "" || secret == "" || k.keys == nil {
		return k.unauthorized(x), nil
	}
	who, credential, err := k.authenticate(ctx, id, secret)
	switch {
	case err != nil:
		return k.failed(ctx, x, err), nil
	case !credential.HasScopes(x.Endpoint.Scopes):
		return k.refuse(x, 403, "Forbidden"), nil
	}
	identify(x, who, credential)
	return message.Continue, nil
}

// authenticate takes all behind the first colon for the secret, then what stands before a second one.
// EG: only the latter, so that there a secret with a colon never works.
func (k *keyAuth) authenticate(ctx context.Context, id, secret string) (*consumer.Consumer, *consumer.Credential, error) {
	who, credential, err := k.keys.AuthenticateKey(ctx, id, secret)
	if err != nil && isUnauthorized(err) {
		if first, _, more := strings.Cut(secret, ":"); more && first != "" {
			return k.keys.AuthenticateKey(ctx, id, first)
		}
	}
	return who, credential, err
}

func isUnauthorized(err error) bool { return errors.Is(err, consumer.ErrUnauthorized) }

// find returns the key: the header's last word when its first is the scheme, else the query parameter's
// value. EG: the scheme alone counts as a key, which is no good; a parameter that occurs twice is none.
func (k *keyAuth) find(x *message.Exchange) string {
	if k.header != "" {
		if value := x.Request.Header.Joined(k.header); value != "" {
			scheme, _, _ := strings.Cut(value, " ")
			if k.scheme == "" || strings.EqualFold(scheme, k.scheme) {
				return value[strings.LastIndexByte(value, ' ')+1:]
			}
		}
	}
	if k.field != "" && strings.IndexByte(x.Request.URL, '?') >= 0 {
		if values := x.Request.Query()[k.field]; len(values) == 1 {
			return values[0]
		}
	}
	return ""
}
