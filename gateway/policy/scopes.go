package policy

import (
	"context"
	"strings"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/jwt"
	"egk8s.dev/egk8s/gateway/message"
)

// requireScopes lets those pass whom an earlier step found and who have scopes. EG: it has no such policy; a plugin
// has.
type requireScopes struct {
	authentication
	wanted []string // nil: the endpoint's
	claim  string   // empty: scope or scopes
}

func newRequireScopes(step config.Step, env *Environment) (Policy, diag.Problems) {
	p := params(step.Action)
	return &requireScopes{authentication: newAuthentication("scopes", p, env), wanted: p.list("scopes"), claim: p.text("claim")}, nil
}

// Apply answers 401 to callers whom nobody knows, and 403 to those without the scopes, where any are wanted.
func (s *requireScopes) Apply(_ context.Context, x *message.Exchange) (message.Verdict, error) {
	wanted, in := s.wanted, &x.Request
	if wanted == nil {
		wanted = x.Endpoint.Scopes
	}
	if len(wanted) == 0 {
		return message.Continue, nil
	}
	var have []string
	switch {
	case in.Credential != nil:
		have = in.Credential.Scopes
	case in.Claims != nil:
		have = s.claimed(in.Claims)
	case in.Consumer == nil:
		return s.unauthorized(x), nil
	}
	if !hasScopes(wanted, have, nil) {
		return s.refuse(x, 403, "Forbidden"), nil
	}
	return message.Continue, nil
}

// claimed returns the scopes of claims. A name with dots leads into objects, unless a claim has that very name:
// Keycloak's realm_access.roles, Auth0's https://shop.example/roles.
func (s *requireScopes) claimed(claims map[string]any) []string {
	if s.claim == "" {
		return jwt.Scopes(claims)
	}
	if value, ok := claims[s.claim]; ok {
		return jwt.ScopesOf(value)
	}
	var value any = claims
	for name := range strings.SplitSeq(s.claim, ".") {
		object, _ := value.(map[string]any)
		value = object[name]
	}
	return jwt.ScopesOf(value)
}
