package server_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/server"
)

// newTestAdminFolder writes a configuration with an admin section.
func newTestAdminFolder(t *testing.T, section string) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{"gateway.config.yml": section + "\npolicies: [proxy]\n", "system.config.yml": "db: {redis: {emulate: true}}\n"}
	for _, name := range consumer.ModelFiles() {
		text, err := os.ReadFile("../consumer/models/" + name)
		if err != nil {
			t.Fatal(err)
		}
		files["models/"+name] = string(text)
	}
	writeFiles(t, dir, files)
	return dir
}

// TestOpenAdmin: an Admin API that others reach asks for a token, or does not start in a pod.
func TestOpenAdmin(t *testing.T) {
	t.Parallel()
	digest := strings.Repeat("0", 64)
	for name, tt := range map[string]struct {
		host string
		env  map[string]string
		want diag.Severity
	}{
		"by default":          {"", nil, ""},
		"loopback":            {"127.0.0.1", nil, ""},
		"standalone":          {"0.0.0.0", nil, diag.Warning},
		"with a token":        {"0.0.0.0", map[string]string{"EGK8S_ADMIN_TOKEN": "0123456789abcdef"}, ""},
		"in a pod":            {"", map[string]string{"EGK8S_CONFIG_DIGEST": digest, "EGK8S_ADMIN_ADDRESS": ":9876"}, diag.Error},
		"overridden in a pod": {"0.0.0.0", map[string]string{"EGK8S_CONFIG_DIGEST": digest, "EGK8S_ADMIN_ADDRESS": "127.0.0.1:9876"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			section := "admin: {port: 9876}"
			if tt.host != "" {
				section = "admin: {port: 9876, host: " + tt.host + "}"
			}
			dir := newTestAdminFolder(t, section)
			problems, err := server.Check(dir, func(name string) (string, bool) {
				v, ok := tt.env[name]
				return v, ok
			})
			if err != nil {
				t.Fatal(err)
			}
			got := diag.Severity("")
			for _, p := range problems {
				if p.Code == "admin-open" {
					got = p.Severity
				}
			}
			if got != tt.want {
				t.Errorf("severity %q, want %q (%v)", got, tt.want, problems)
			}
		})
	}
}

func TestAdminTokenThatIsShort(t *testing.T) {
	t.Parallel()
	dir := newTestAdminFolder(t, "admin: {port: 9876}")
	_, err := server.Check(dir, func(name string) (string, bool) { return "short", name == "EGK8S_ADMIN_TOKEN" })
	if err == nil || !strings.Contains(err.Error(), "16 characters") {
		t.Errorf("a short token: %v", err)
	}
}

// TestAdminWriteIsInForce: when a change of the configuration is answered it counts.
func TestAdminWriteIsInForce(t *testing.T) {
	t.Parallel()
	g := start(t, map[string]string{"gateway.config.yml": keyed}, map[string]string{"EGK8S_ADMIN_TOKEN": "0123456789abcdef 0123456789abcdefg"})
	ask := func(method, path, body, token string) reply {
		req, err := http.NewRequestWithContext(t.Context(), method, g.url("admin")+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+token)
		got, err := do(req)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := ask("GET", "/users", "", "0123456789abcdeX"); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("with a wrong token: %d, want 401", got.StatusCode)
	}
	for _, host := range []string{"a.example", "b.example", "c.example"} {
		if got := ask("PUT", "/api-endpoints/new", `{"host":"`+host+`","paths":"/new"}`, "0123456789abcdefg"); got.StatusCode/100 != 2 {
			t.Fatalf("change: %d %s", got.StatusCode, got.body)
		}
		if got := ask("GET", "/api-endpoints/new", "", "0123456789abcdef"); !strings.Contains(got.body, host) {
			t.Errorf("a read after the write: %s, want %s", got.body, host)
		}
	}
}
