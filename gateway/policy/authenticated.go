package policy

import (
	"context"
	"log/slog"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/message"
)

// authentication is what the policies have in common that find out who calls.
type authentication struct {
	policy      string
	log         *slog.Logger
	passThrough bool
}

func newAuthentication(name string, p params, env *Environment) authentication {
	return authentication{policy: name, log: env.Log, passThrough: p.flag("passThrough")}
}

// unauthorized answers 401 without WWW-Authenticate, as Express Gateway does, or goes on as anonymous.
func (a *authentication) unauthorized(x *message.Exchange) message.Verdict {
	return a.refuse(x, 401, "Unauthorized")
}

// refuse answers, or goes on as anonymous. EG: the response says anonymous even if a later step finds
// out who calls, and somebody whom an earlier step found stays found.
func (a *authentication) refuse(x *message.Exchange, status int, text string) message.Verdict {
	if a.passThrough {
		x.Response.Header.Set(ConsumerHeader, "anonymous")
		return message.Continue
	}
	x.Response.SendText(status, text)
	return message.Answered
}

// debug notes why somebody was refused; reason holds no secret.
func (a *authentication) debug(ctx context.Context, x *message.Exchange, reason error) {
	if a.log.Enabled(ctx, slog.LevelDebug) {
		a.log.DebugContext(ctx, "refused", "policy", a.policy, "request_id", x.ID(), "reason", reason)
	}
}

// unavailable answers for a store that could not tell. That is not the client's fault, and never means
// "wrong credential", so that passThrough does not help either.
func (a *authentication) unavailable(ctx context.Context, x *message.Exchange, err error) message.Verdict {
	if ctx.Err() != nil {
		a.debug(ctx, x, err) // the client is gone
	} else {
		a.log.ErrorContext(ctx, "authenticate", "policy", a.policy, "request_id", x.ID(), "error", err)
	}
	x.Response.Header.Set("Retry-After", "1")
	x.Response.SendText(503, "Service Unavailable")
	return message.Answered
}

// identify makes a consumer the user of the request.
func identify(x *message.Exchange, who *consumer.Consumer, credential *consumer.Credential) {
	x.Request.Consumer, x.Request.Credential, x.Request.Claims = who, credential, nil
}

// claim makes the bearer of a token, who is no consumer, the user of the request.
func claim(x *message.Exchange, claims map[string]any) {
	x.Request.Consumer, x.Request.Credential, x.Request.Claims = nil, nil, claims
}

// failed turns an error of the store into an answer: 401 for a credential that is no good.
func (a *authentication) failed(ctx context.Context, x *message.Exchange, err error) message.Verdict {
	if isUnauthorized(err) {
		a.debug(ctx, x, err)
		return a.unauthorized(x)
	}
	return a.unavailable(ctx, x, err)
}
