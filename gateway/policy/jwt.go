package policy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/jwt"
	"egk8s.dev/egk8s/gateway/message"
)

// ErrElsewhere is what Environment.ReadFile returns for a file that only the place has where the gateway
// will run. A policy that needs it is compiled as far as it goes.
var ErrElsewhere = errors.New("the file is elsewhere")

// jwtAuth authenticates by a JSON Web Token.
type jwtAuth struct {
	authentication
	verifier  *jwt.Verifier // nil: every token is refused
	keys      *keySet       // instead of verifier; nil: verifier
	tokens    *jwt.Cache
	find      tokenFinder
	check     bool // checkCredentialExistence
	enforce   bool // enforceScopes
	consumers Directory
}

func newJWT(step config.Step, env *Environment) (Policy, diag.Problems) {
	p := params(step.Action)
	j := &jwtAuth{
		authentication: newAuthentication("jwt", p, env), tokens: env.memory().tokens,
		check: p.flag("checkCredentialExistence"), enforce: p.flag("enforceScopes"), consumers: env.Consumers,
	}
	find, problems := newTokenFinder(step, p)
	j.find = find
	if hasKeySet(p) {
		keys, err := newKeySet(p, env, j.check)
		if err != nil {
			problems = append(problems, problem(step, "%v", err))
		}
		if problems.HasErrors() {
			return nil, problems
		}
		j.keys = keys
		return j, problems
	}
	verifier, err := newVerifier(p, env, j.check)
	switch {
	case errors.Is(err, ErrElsewhere):
	case err != nil:
		problems = append(problems, problem(step, "%v", err))
	case len(verifier.Algorithms()) == 0:
		problems = append(problems, warning(step, "none of the algorithms fits the key: every token is refused"))
	}
	if problems.HasErrors() {
		return nil, problems
	}
	j.verifier = verifier
	return j, problems
}

// newVerifier reads the key of jwt parameters and makes their verifier.
func newVerifier(p params, env *Environment, subjectOnly bool) (*jwt.Verifier, error) {
	o := jwt.Options{
		Key: []byte(p.text("secretOrPublicKey")), Audience: p.text("audience"), Issuer: p.text("issuer"),
		Algorithms: p.list("algorithms"), DropClaims: subjectOnly,
	}
	name := "secretOrPublicKey"
	if file := p.text("secretOrPublicKeyFile"); file != "" {
		name = "secretOrPublicKeyFile"
		text, err := env.readFile(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		o.Key = text
	}
	v, err := jwt.New(o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return v, nil
}

// maxKeyFile bounds what is read of a key file.
const maxKeyFile = 1 << 20

// readFile reads a file that parameters name, relative to the working directory unless told otherwise.
func (e *Environment) readFile(name string) ([]byte, error) {
	if e.ReadFile != nil {
		return e.ReadFile(name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxKeyFile))
}

// Apply finds out who calls.
//
// With the check, sub is the id of an active jwt credential, which is looked up each time, and the
// consumer is its owner; without it the claims are the user, and nobody is the consumer.
func (j *jwtAuth) Apply(ctx context.Context, x *message.Exchange) (message.Verdict, error) {
	token := j.find(&x.Request)
	if token == "" || j.verifier == nil && j.keys == nil {
		return j.unauthorized(x), nil
	}
	verified, err := j.verify(ctx, token)
	switch {
	case errors.Is(err, errNoKeys):
		return j.noKeys(ctx, x), nil
	case err != nil:
		j.debug(ctx, x, err)
		return j.unauthorized(x), nil
	}
	if !j.check {
		if j.enforce && !hasScopes(x.Endpoint.Scopes, verified.Scopes, nil) {
			return j.refuse(x, 403, "Forbidden"), nil
		}
		claim(x, verified.Claims)
		return message.Continue, nil
	}
	if verified.Subject == "" || j.consumers == nil {
		return j.unauthorized(x), nil
	}
	who, credential, err := j.consumers.Holder(ctx, consumer.TypeJWT, verified.Subject)
	switch {
	case err != nil:
		return j.failed(ctx, x, err), nil
	case j.enforce && !hasScopes(x.Endpoint.Scopes, verified.Scopes, credential.Scopes):
		return j.refuse(x, 403, "Forbidden"), nil
	}
	identify(x, who, credential)
	return message.Continue, nil
}

// verify judges a token by the key, or by the newest set of keys.
func (j *jwtAuth) verify(ctx context.Context, token string) (*jwt.Token, error) {
	if j.keys != nil {
		return j.keys.verify(ctx, j.tokens, token)
	}
	return j.tokens.Verify(j.verifier, token, time.Now())
}

// hasScopes tells whether every wanted scope is in one of two lists.
func hasScopes(wanted, have, also []string) bool {
	for _, scope := range wanted {
		if !slices.Contains(have, scope) && !slices.Contains(also, scope) {
			return false
		}
	}
	return true
}

// EnforcesScopes tells whether a step makes up for those that ignore the scopes of the endpoint.
func EnforcesScopes(step config.Step) bool {
	return step.Policy == "scopes" && step.Condition == nil && step.Action["scopes"] == nil && step.Action["claim"] == nil
}

// IgnoresScopes tells whether a step authenticates without looking at the scopes of the endpoint.
// EG: jwt does, see its issues 684 and 740, and so does oauth2 where access tokens are JSON Web Tokens;
// here they do unless enforceScopes is set.
func IgnoresScopes(step config.Step, env *Environment) bool {
	p := params(step.Action)
	switch step.Policy {
	case "jwt":
		return !p.flag("enforceScopes")
	case "oauth2":
		return env.JWTTokens && !p.object("jwt").flag("enforceScopes")
	default:
		return false
	}
}
