package policy

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/message"
)

// keyAuth authenticates by a key "keyId:keySecret" in a header or in the query.
type keyAuth struct {
	keys        KeyAuthenticator
	log         *slog.Logger
	header      string // empty: headers are not looked at
	scheme      string // in front of the key; empty: any word or none
	field       string // query parameter; empty: the query is not looked at
	passThrough bool
}

func newKeyAuth(step config.Step, env *Environment) (Policy, diag.Problems) {
	p := params(step.Action)
	k := &keyAuth{keys: env.Keys, log: env.Log, passThrough: p.flag("passThrough")}
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
	if !ok || id == "" || k.keys == nil {
		return k.refuse(x, 401, "Unauthorized"), nil
	}
	who, credential, err := k.keys.AuthenticateKey(ctx, id, secret)
	switch {
	case errors.Is(err, consumer.ErrUnauthorized):
		k.log.DebugContext(ctx, "key refused", "policy", "key-auth", "request_id", x.ID(), "reason", err)
		return k.refuse(x, 401, "Unauthorized"), nil
	case err != nil:
		// The store could not answer: that is not the client's fault, and never means "wrong key".
		k.log.ErrorContext(ctx, "authenticate key", "policy", "key-auth", "request_id", x.ID(), "error", err)
		x.Response.SendText(503, "Service Unavailable")
		return message.Answered, nil
	case !credential.HasScopes(x.Endpoint.Scopes):
		return k.refuse(x, 403, "Forbidden"), nil
	}
	x.Request.Consumer, x.Request.Credential = &who, &credential
	return message.Continue, nil
}

func (k *keyAuth) refuse(x *message.Exchange, status int, text string) message.Verdict {
	if k.passThrough {
		x.Response.Header.Set(ConsumerHeader, "anonymous")
		return message.Continue
	}
	x.Response.SendText(status, text)
	return message.Answered
}

// find returns the key: the header's last word when its first is the scheme, else the query parameter's value.
func (k *keyAuth) find(x *message.Exchange) string {
	if k.header != "" {
		if value := x.Request.Header.Get(k.header); value != "" {
			scheme, key, two := strings.Cut(value, " ")
			if at := strings.LastIndexByte(value, ' '); at >= 0 {
				key = value[at+1:]
			}
			switch {
			case k.scheme == "" && !two:
				return value
			case k.scheme == "" || two && strings.EqualFold(scheme, k.scheme):
				return key
			}
		}
	}
	if k.field != "" && strings.IndexByte(x.Request.URL, '?') >= 0 {
		value, _ := x.Request.Query().Get(k.field)
		return value
	}
	return ""
}
