package config_test

import (
	"io/fs"
	"strings"
	"testing"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/policy"
)

// TestPluginPolicies: what plugins bring is answered by what does the work here, a slip of the pen by the name.
func TestPluginPolicies(t *testing.T) {
	t.Parallel()
	catalogue, err := policy.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"keycloak-protect":  "oidcIssuer",
		"jwtScopes":         `"scopes"`,
		"scope":             `"scopes"`,
		"openapi-validator": "json-schema",
		"body-modifier":     "request-transformer",
		"metrics-collector": "/metrics",
		"custom_auth":       "forward-auth",
		"aggregation":       "service behind",
		"jwtt":              "jwt",
		"nothing-known":     "replace it by a policy",
	} {
		files := map[string]string{"gateway.config.yml": "http: {port: 80}\napiEndpoints: {api: {}}\npolicies: [" + name + "]\npipelines: []\n"}
		_, problems := config.Load("", config.Options{Catalogue: catalogue, Files: given(files)})
		found := false
		for _, p := range problems {
			found = found || p.Code == "unknown-policy" && strings.Contains(p.Hint+p.Suggestion, want)
		}
		if !found {
			t.Errorf("%s: %v, want %s", name, problems, want)
		}
	}
}

// given are the files of a test.
type given map[string]string

func (g given) ReadFile(name string) ([]byte, error) {
	if text, ok := g[name]; ok {
		return []byte(text), nil
	}
	return nil, fs.ErrNotExist
}
