package policy

import (
	"context"
	"maps"
	"strings"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/message"
)

// TokenAuthenticator finds who holds an opaque access token. Its errors are as KeyAuthenticator's.
type TokenAuthenticator interface {
	AuthenticateToken(ctx context.Context, token string) (*consumer.Consumer, *consumer.Token, error)
}

// Routes answer requests before every apiEndpoint.
type Routes interface {
	// Route returns what answers a request, or nil when an endpoint shall. It is asked for every request.
	Route(method, path string) func(ctx context.Context, x *message.Exchange) error
}

// oauth2 authenticates by an access token of the authorization server.
type oauth2 struct {
	authentication
	tokens TokenAuthenticator
}

// newOAuth2 makes the policy. EG: where access tokens are JSON Web Tokens it is the policy jwt with the
// parameters of the key "jwt"; passThrough, which gets lost there, counts here.
func newOAuth2(step config.Step, env *Environment) (Policy, diag.Problems) {
	p := params(step.Action)
	if !env.JWTTokens {
		return &oauth2{newAuthentication("oauth2", p, env), env.Tokens}, nil
	}
	given := p.object("jwt")
	if given == nil {
		return nil, diag.Problems{problem(step, "access tokens are of type jwt (system.config.yml), so that the parameter \"jwt\" "+
			"must say how they are verified: secretOrPublicKey, issuer, audience")}
	}
	action := maps.Clone(map[string]any(given))
	action["passThrough"] = p.flag("passThrough")
	return New(config.Step{Policy: "jwt", Action: action, Pos: step.Pos}, env)
}

// Apply finds out who calls.
// EG: 401 without a token that is good and has the scopes of the endpoint. The backend does not get Authorization.
func (o *oauth2) Apply(ctx context.Context, x *message.Exchange) (message.Verdict, error) {
	text, err := bearer(x)
	if err != nil {
		return message.Continue, err
	}
	if text == "" || o.tokens == nil {
		return o.unauthorized(x), nil
	}
	who, token, err := o.tokens.AuthenticateToken(ctx, text)
	if err != nil {
		return o.failed(ctx, x, err), nil
	}
	if !token.Credential.HasScopes(x.Endpoint.Scopes) {
		return o.unauthorized(x), nil
	}
	x.Request.Header.Del("Authorization")
	identify(x, who, &token.Credential)
	return message.Continue, nil
}

// bearer finds the token: in the header, the body or the query (RFC 6750, section 2). It is empty when there is
// none or, as EG wants, more than one, or a header Authorization that has not two words.
func bearer(x *message.Exchange) (string, error) {
	found := ""
	if header := x.Request.Header.Get("Authorization"); header != "" {
		scheme, rest, two := strings.Cut(header, " ")
		if !two || strings.IndexByte(rest, ' ') >= 0 {
			return "", nil
		}
		if strings.EqualFold(scheme, "bearer") {
			found = rest
		}
	}
	body, err := bodyToken(x, found == "")
	if err != nil {
		return "", err
	}
	for _, other := range []string{body, queryToken(x)} {
		if other == "" {
			continue
		}
		if found != "" {
			return "", nil
		}
		found = other
	}
	return found, nil
}

func queryToken(x *message.Exchange) string {
	if !strings.Contains(x.Request.URL, "access_token") {
		return ""
	}
	// EG: several are one text, which no token is, with commas.
	return strings.Join(x.Request.Query()["access_token"], ",")
}

// bodyToken reads the token of a body that was parsed before, or of a form that is small enough to be.
// EG: only the former, so that a body counts only behind a step that parses it.
func bodyToken(x *message.Exchange, parse bool) (string, error) {
	r := &x.Request
	if r.Parsed == nil && parse && r.ContentLength > 0 && r.ContentLength <= message.MaxBody &&
		strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		if err := r.ParseBody(); err != nil {
			return "", err
		}
	}
	fields, _ := r.Parsed.(map[string]any)
	value, _ := fields["access_token"].(string)
	return value, nil
}
