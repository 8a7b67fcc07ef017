package policy

import (
	"context"
	"encoding/base64"
	"strings"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/message"
)

// basicAuth authenticates by HTTP Basic (RFC 7617) against basic-auth credentials.
type basicAuth struct {
	authentication
	consumers Directory // nil: nobody is known
}

func newBasicAuth(step config.Step, env *Environment) (Policy, diag.Problems) {
	return &basicAuth{newAuthentication("basic-auth", params(step.Action), env), env.Consumers}, nil
}

// Apply finds out who calls.
// EG: a credential whose scopes do not suffice is answered with 401, not with 403 as by key-auth.
func (b *basicAuth) Apply(ctx context.Context, x *message.Exchange) (message.Verdict, error) {
	name, password, ok := basicCredentials(x.Request.Header.Get("Authorization"))
	if !ok || b.consumers == nil {
		return b.unauthorized(x), nil
	}
	who, credential, err := b.consumers.AuthenticatePassword(ctx, consumer.TypeBasicAuth, name, password)
	switch {
	case err != nil:
		return b.failed(ctx, x, err), nil
	case !credential.HasScopes(x.Endpoint.Scopes):
		return b.unauthorized(x), nil
	}
	identify(x, who, credential)
	return message.Continue, nil
}

// basicCredentials reads a user name and a password, neither of which is empty.
//
// EG: the second word counts, whatever follows it; node's base64 takes both alphabets, and no padding.
// There a password ends at its first colon, so that one with a colon never works; here it does.
func basicCredentials(authorization string) (name, password string, ok bool) {
	scheme, rest, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	word, _, _ := strings.Cut(rest, " ")
	word = strings.TrimRight(word, "=")
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(word, "-_") {
		encoding = base64.RawURLEncoding
	}
	plain, err := encoding.DecodeString(word)
	if err != nil {
		return "", "", false
	}
	name, password, _ = strings.Cut(string(plain), ":")
	return name, password, name != "" && password != ""
}
