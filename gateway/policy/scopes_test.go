package policy_test

import (
	"testing"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/policy"
)

func TestScopes(t *testing.T) {
	t.Parallel()
	listed := []any{"read", "write"}
	roles := map[string]any{"scope": "read write", "realm_access": map[string]any{"roles": []any{"admin"}}, "https://a.test/roles": "boss", "x": 1.0}
	for name, tt := range map[string]struct {
		action     map[string]any
		endpoint   []string
		claims     map[string]any
		credential []string
		known      bool
		want       int
	}{
		"claims suffice":         {action: map[string]any{"scopes": listed}, claims: roles},
		"claims do not":          {action: map[string]any{"scopes": []any{"read", "delete"}}, claims: roles, want: 403},
		"the endpoint's":         {endpoint: []string{"write"}, claims: roles},
		"not the endpoint's":     {endpoint: []string{"delete"}, claims: roles, want: 403},
		"listed ones win":        {action: map[string]any{"scopes": []any{"read"}}, endpoint: []string{"delete"}, claims: roles},
		"none wanted":            {},
		"an empty list":          {action: map[string]any{"scopes": []any{}}, endpoint: []string{"delete"}},
		"nobody":                 {endpoint: []string{"read"}, want: 401},
		"a credential":           {endpoint: []string{"read"}, known: true, credential: []string{"read"}},
		"not of a credential":    {endpoint: []string{"write"}, known: true, credential: []string{"read"}, want: 403},
		"an object's claim":      {action: map[string]any{"scopes": []any{"admin"}, "claim": "realm_access.roles"}, claims: roles},
		"a claim with dots":      {action: map[string]any{"scopes": []any{"boss"}, "claim": "https://a.test/roles"}, claims: roles},
		"another claim":          {action: map[string]any{"scopes": []any{"read"}, "claim": "realm_access.roles"}, claims: roles, want: 403},
		"a claim that is absent": {action: map[string]any{"scopes": []any{"read"}, "claim": "a.b.c"}, claims: roles, want: 403},
		"a claim of a number":    {action: map[string]any{"scopes": []any{"read"}, "claim": "x.y"}, claims: roles, want: 403},
	} {
		p := build(t, "scopes", tt.action, &policy.Environment{})
		x, sink := exchange("GET", "/", nil)
		x.Endpoint.Scopes, x.Request.Claims = tt.endpoint, tt.claims
		if tt.known {
			x.Request.Consumer, x.Request.Credential = &consumer.Consumer{ID: "u1"}, &consumer.Credential{Scopes: tt.credential}
		}
		if got := apply(t, p, x, sink); got.Status != tt.want {
			t.Errorf("%s: status %d, want %d", name, got.Status, tt.want)
		}
	}
}
