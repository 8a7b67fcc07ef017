package pipeline_test

import (
	"maps"
	"strings"
	"testing"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/pipeline"
)

// TestScopesIgnored: scopes that a step does not enforce are told, where they would count.
func TestScopesIgnored(t *testing.T) {
	t.Parallel()
	jwt := func(line int, more map[string]any) config.Step {
		action := map[string]any{"secretOrPublicKey": "x", "jwtExtractor": "authBearer", "checkCredentialExistence": true}
		maps.Copy(action, more)
		return config.Step{Policy: "jwt", Action: action, Pos: diag.Position{File: "gateway.config.yml", Line: line, Column: 5}}
	}
	_, problems := pipeline.Compile(&config.Config{
		APIEndpoints: []config.APIEndpoint{
			{Name: "guarded", Host: "*", Paths: []string{"/a", "/b"}, Scopes: []string{"read"}},
			{Name: "open", Host: "*", Paths: []string{"/c"}},
			{Name: "later", Host: "*", Paths: []string{"/e"}, Scopes: []string{"read"}},
			{Name: "moved", Host: "*", Paths: []string{"/d"}, Scopes: []string{"read"}},
		},
		Pipelines: []config.Pipeline{
			{Name: "ignores", APIEndpoints: []string{"guarded", "open", "moved"}, Steps: []config.Step{jwt(10, nil)}},
			{Name: "enforces", APIEndpoints: []string{"moved"}, Steps: []config.Step{jwt(20, map[string]any{"enforceScopes": true})}},
			{Name: "open", APIEndpoints: []string{"open"}, Steps: []config.Step{jwt(30, nil)}},
			{Name: "made up", APIEndpoints: []string{"later"}, Steps: []config.Step{jwt(40, nil), {Policy: "scopes", Action: map[string]any{}}}},
		},
	}, environment())
	if len(problems) != 1 || problems.HasErrors() || problems[0].Code != "scopes-ignored" || problems[0].Line != 10 {
		t.Fatalf("problems %v, want one warning at line 10", problems)
	}
	if m := problems[0].Message; !strings.Contains(m, `"guarded"`) || strings.Contains(m, "moved") || strings.Contains(m, "open") {
		t.Errorf("it names the wrong endpoints: %s", m)
	}
}
