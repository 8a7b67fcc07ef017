package policy

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/jwt"
	"egk8s.dev/egk8s/gateway/message"
)

// introspect authenticates by asking an authorization server about a bearer token (RFC 7662).
type introspect struct {
	authentication
	memory        *Memory
	endpoint      string
	authorization string
	timeout       time.Duration
	ttl           time.Duration
}

func newIntrospect(step config.Step, env *Environment) (Policy, diag.Problems) {
	p := params(step.Action)
	i := &introspect{
		authentication: newAuthentication("oauth2-introspect", p, env), memory: env.memory(),
		endpoint: p.text("endpoint"), authorization: p.text("authorization_value"),
	}
	u, err := url.Parse(i.endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, diag.Problems{problem(step, "endpoint is no http or https URL")}
	}
	if strings.ContainsAny(i.authorization, "\r\n\x00") {
		return nil, diag.Problems{problem(step, "authorization_value is more than one line")}
	}
	timeout, _ := p.number("timeout")
	i.timeout = time.Duration(timeout) * time.Millisecond
	if i.timeout <= 0 || i.timeout > maxIntrospection {
		i.timeout = maxIntrospection // EG: 0 waits for ever
	}
	ttl, _ := p.number("ttl")
	i.ttl = time.Duration(ttl) * time.Second
	return i, nil
}

// Apply finds out whose token it is: the answer about it becomes the user.
// EG: whatever goes wrong with the question is a 401, and so are scopes that do not suffice.
func (i *introspect) Apply(ctx context.Context, x *message.Exchange) (message.Verdict, error) {
	token, err := bearer(x)
	if err != nil {
		return message.Continue, err
	}
	if token == "" {
		return i.unauthorized(x), nil
	}
	answer, err := i.answer(ctx, token)
	if err != nil {
		i.report(ctx, x, err)
		return i.unauthorized(x), nil
	}
	if !hasScopes(x.Endpoint.Scopes, jwt.Scopes(answer), nil) {
		return i.unauthorized(x), nil
	}
	claim(x, answer)
	return message.Continue, nil
}

// report notes why nothing good is known of a token: loudly where the server is to blame.
func (i *introspect) report(ctx context.Context, x *message.Exchange, err error) {
	if errors.Is(err, errInactive) || ctx.Err() != nil {
		i.debug(ctx, x, err)
		return
	}
	i.log.WarnContext(ctx, "introspect", "policy", i.policy, "request_id", x.ID(), "error", err)
}

// answer is what the server says, now or a short while ago. Those who ask about one token at a time
// share one question.
func (i *introspect) answer(ctx context.Context, token string) (map[string]any, error) {
	key := i.memory.answers.Key(i.endpoint, i.authorization, token)
	if answer, ok := i.memory.answers.Get(key, time.Now()); ok {
		return answer, nil
	}
	return i.memory.flights.Do(ctx, key, func(ctx context.Context) (map[string]any, error) {
		if answer, ok := i.memory.answers.Get(key, time.Now()); ok {
			return answer, nil // somebody was quicker
		}
		answer, size, err := i.ask(ctx, token)
		if err != nil {
			return nil, err
		}
		now := time.Now()
		if ends := i.ends(answer, now); ends.After(now) {
			i.memory.answers.Put(key, answer, int64(256+3*size), ends)
		}
		return answer, nil
	})
}

// ends is when an answer is not to be used any more: after ttl, or at exp.
func (i *introspect) ends(answer map[string]any, now time.Time) time.Time {
	ends := now.Add(i.ttl)
	switch exp := answer["exp"].(type) {
	case nil:
	case float64:
		if exp != 0 && exp < float64(ends.Unix()) {
			return time.Unix(int64(max(exp, 0)), 0)
		}
	default:
		return now // not understood: not kept
	}
	return ends
}
