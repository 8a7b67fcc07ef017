// Package policy holds the policies of pipelines, one file each, with their schemas.
package policy

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/jwt/jwks"
	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/ratelimit"
	"egk8s.dev/egk8s/gateway/upstream"
)

// Policy is one compiled step of a pipeline. It is safe for concurrent use.
type Policy interface {
	// Apply does the policy's work on the exchange and says whether it is answered.
	// An error ends the request with status 500, unless the answer has begun.
	Apply(ctx context.Context, x *message.Exchange) (message.Verdict, error)
}

// KeyAuthenticator finds who holds an API key. An error matching consumer.ErrUnauthorized says that
// the key is no good; any other error says that nobody could tell.
type KeyAuthenticator interface {
	AuthenticateKey(ctx context.Context, keyID, keySecret string) (*consumer.Consumer, *consumer.Credential, error)
}

// Directory finds who holds other credentials than API keys. Its errors are as KeyAuthenticator's.
type Directory interface {
	// AuthenticatePassword finds who has a password, by username or id.
	AuthenticatePassword(ctx context.Context, t consumer.CredentialType, name, password string) (*consumer.Consumer, *consumer.Credential, error)
	// Holder finds who holds an active credential whose possession is proven otherwise.
	Holder(ctx context.Context, t consumer.CredentialType, id string) (*consumer.Consumer, *consumer.Credential, error)
}

// HitCounter counts requests by key in fixed windows.
type HitCounter interface {
	// Hit counts one request of key, and returns how many its window holds, this one included, and when
	// the window ends. A key without a window gets one of the given length. The key is not kept.
	Hit(ctx context.Context, key []byte, window time.Duration) (count int64, ends time.Time, err error)
}

// Environment is what policies need of the rest of the gateway.
type Environment struct {
	// Keys answers key-auth; nil: every key is refused.
	Keys KeyAuthenticator
	// Consumers answers basic-auth and jwt; nil: every credential is refused.
	Consumers Directory
	// Tokens answers oauth2 with opaque tokens; nil: every token is refused.
	Tokens TokenAuthenticator
	// JWTTokens tells that oauth2 verifies access tokens that are JSON Web Tokens.
	JWTTokens bool
	// OAuth2 answers before every endpoint where the policy oauth2 is listed; nil: nothing does.
	OAuth2 Routes
	// Services are the serviceEndpoints by name.
	Services map[string]config.ServiceEndpoint
	// Upstreams makes the pools of the configuration that is being compiled.
	Upstreams *upstream.Draft
	// Limits counts requests for rate-limit; it outlives the configuration. nil: counters of this one.
	Limits HitCounter
	// Shared counts for all replicas together; nil: each counts on its own.
	Shared *ratelimit.Shared
	// Memory remembers tokens; it outlives the configuration. nil: a memory of this one.
	Memory *Memory
	// ReadFile reads a file that parameters name; nil: from the working directory. See ErrElsewhere.
	ReadFile func(name string) ([]byte, error)
	// HTTPProxy is the http_proxy of the environment; empty: none.
	HTTPProxy string
	// Log receives what policies write.
	Log *slog.Logger

	keySets *jwks.Draft // of the configuration; nil: no step asked for one
}

// constructor makes a policy of a step whose action was validated by the policy's schema.
type constructor func(step config.Step, env *Environment) (Policy, diag.Problems)

// constructors is the table of what is built.
func constructors() map[string]constructor {
	return map[string]constructor{
		"basic-auth":           newBasicAuth,
		"cors":                 newCORS,
		"expression":           newExpression,
		"forward-auth":         newForwardAuth,
		"headers":              newHeaders,
		"ip-filter":            newIPFilter,
		"jwt":                  newJWT,
		"key-auth":             newKeyAuth,
		"log":                  newLog,
		"oauth2":               newOAuth2,
		"oauth2-introspect":    newIntrospect,
		"proxy":                newProxy,
		"rate-limit":           newRateLimit,
		"request-transformer":  newRequestTransformer,
		"response-transformer": newResponseTransformer,
		"rewrite":              newRewrite,
		"scopes":               newRequireScopes,
		"terminate":            newTerminate,
	}
}

// New makes the policy of a step. A policy that is not built, or whose parameters cannot be compiled,
// is a problem at the step's position.
func New(step config.Step, env *Environment) (Policy, diag.Problems) {
	build, ok := constructors()[step.Policy]
	if !ok {
		return nil, diag.Problems{{
			Code: "policy-not-built", Severity: diag.Error, Position: step.Pos,
			Message: fmt.Sprintf("this gateway cannot run the policy %q yet", step.Policy),
			Hint:    "remove the step, or wait for a gateway that has it",
		}}
	}
	return build(step, env)
}

// warning says that a step will not do what it looks like.
func warning(step config.Step, format string, args ...any) diag.Problem {
	p := problem(step, format, args...)
	p.Severity = diag.Warning
	return p
}

// problem says that a step cannot be compiled.
func problem(step config.Step, format string, args ...any) diag.Problem {
	return diag.Problem{
		Code: "policy-parameters", Severity: diag.Error, Position: step.Pos,
		Message: fmt.Sprintf("policy %q: ", step.Policy) + fmt.Sprintf(format, args...),
	}
}
