package server_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"egk8s.dev/egk8s/gateway/offline"
)

// keyed lets only who has a key through; the Admin API is on.
const keyed = `http: {port: 0, hostname: 127.0.0.1}
admin: {port: 0}
apiEndpoints: {api: {paths: /*}}
policies: [key-auth, terminate]
pipelines:
  p:
    apiEndpoints: [api]
    policies:
    - key-auth:
    - terminate: [{action: {statusCode: 200, message: in}}]
`

// newTestDraft is where a consumers file will be written, with the models that the gateway has.
func newTestDraft(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	writeFiles(t, dir, models())
	return filepath.Join(dir, "consumers.yml")
}

// newTestKey adds a key for alice to a consumers file and returns its header value.
func newTestKey(t *testing.T, path string) string {
	t.Helper()
	made, err := offline.AddCredential(path, offline.NewCredential{Consumer: "alice", CreateUser: true})
	if err != nil {
		t.Fatal(err)
	}
	return "apiKey " + made.KeyID + ":" + made.Secret
}

// mount lays a consumers file into a folder as Kubernetes mounts a Secret: behind a link that is swapped.
func mount(t *testing.T, dir, version, text string) {
	t.Helper()
	writeFiles(t, dir, map[string]string{version + "/consumers.yml": text})
	next := filepath.Join(dir, "..data_tmp")
	if err := os.Symlink(version, next); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "consumers.yml")
	if _, err := os.Lstat(link); err == nil {
		return
	}
	if err := os.Symlink("..data/consumers.yml", link); err != nil {
		t.Fatal(err)
	}
}

func text(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestConsumersFollowTheirMount goes the whole way of a credential: made by the command line's facade,
// mounted, used over HTTP, replaced while the gateway serves, and broken.
func TestConsumersFollowTheirMount(t *testing.T) {
	t.Parallel()
	draft, secrets := newTestDraft(t), t.TempDir()
	first := newTestKey(t, draft)
	mount(t, secrets, "..1", text(t, draft))
	g := start(t, map[string]string{
		"gateway.config.yml": keyed,
		"egk8s.settings.json": `{"apiVersion": "egk8s.dev/v1alpha1", "store": {"kind": "file", "path": "` +
			filepath.Join(secrets, "consumers.yml") + `"}}`,
	}, nil)
	code := func(key string) int { return get(t, g.url("http"), "Authorization", key).StatusCode }
	if got := code(first); got != http.StatusOK {
		t.Fatalf("the first key: %d\n%s", got, g.log)
	}
	if got := code(first + "x"); got != http.StatusUnauthorized {
		t.Errorf("a wrong key: %d", got)
	}
	digest, _, _ := offline.CheckConsumers(draft)
	if got := g.Status().ConsumersDigest; got != digest || digest == "" {
		t.Errorf("consumersDigest %q, the deployer expects %q", got, digest)
	}

	second := newTestKey(t, draft)
	mount(t, secrets, "..2", text(t, draft))
	digest, _, _ = offline.CheckConsumers(draft)
	eventually(t, "the new digest", func() bool { return g.Status().ConsumersDigest == digest })
	if got := code(second); got != http.StatusOK {
		t.Errorf("the second key after the swap: %d", got)
	}

	mount(t, secrets, "..3", "users: [{name: alice}]\n")
	eventually(t, "a problem in the status", func() bool { return len(g.Status().Problems) > 0 })
	if p := g.Status().Problems[0]; p.Line != 1 || !strings.HasSuffix(p.File, "consumers.yml") {
		t.Errorf("the problem %v does not say where", p)
	}
	if got := code(second); got != http.StatusOK || g.Status().ConsumersDigest != digest {
		t.Errorf("a broken file changed what is served: %d, digest %s", got, g.Status().ConsumersDigest)
	}
}

func TestConsumersOfAFileAreReadOnly(t *testing.T) {
	t.Parallel()
	draft := newTestDraft(t)
	newTestKey(t, draft)
	g := start(t, map[string]string{"gateway.config.yml": keyed, "consumers.yml": text(t, draft)}, nil)
	if got := get(t, g.url("admin")+"/users/alice"); got.StatusCode != http.StatusOK {
		t.Errorf("reading a user: %d %s", got.StatusCode, got.body)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, g.url("admin")+"/scopes/new", nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := do(req)
	if err != nil {
		t.Fatal(err)
	}
	if got.StatusCode != http.StatusConflict || !strings.Contains(got.body, "consumers.yml") {
		t.Errorf("writing: %d %q, want 409 that names the file", got.StatusCode, got.body)
	}
}

// TestModelsAreReloaded changes what users need while the gateway serves.
func TestModelsAreReloaded(t *testing.T) {
	t.Parallel()
	g := start(t, map[string]string{"gateway.config.yml": keyed}, nil)
	create := func(body string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.url("admin")+"/users", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		got, err := do(req)
		if err != nil {
			t.Fatal(err)
		}
		return got.StatusCode
	}
	if got := create(`{"username": "before"}`); got != http.StatusCreated && got != http.StatusOK {
		t.Fatalf("before the change: %d", got)
	}
	writeFiles(t, g.dir, map[string]string{"models/users.json": `{"$id": "http://express-gateway.io/models/users.json",
		"type": "object", "properties": {"username": {"type": "string"}, "phone": {"type": "string"}}, "required": ["phone"]}`})
	eventually(t, "the new model", func() bool { return strings.Contains(get(t, g.url("admin")+"/schemas/model").body, "phone") })
	if got := create(`{"username": "bare"}`); got != http.StatusBadRequest {
		t.Errorf("a user without phone: %d, want 400", got)
	}
	if got := create(`{"username": "whole", "phone": "1"}`); got != http.StatusCreated && got != http.StatusOK {
		t.Errorf("a user with phone: %d", got)
	}
	if got := get(t, g.url("admin")+"/users/before"); got.StatusCode != http.StatusOK {
		t.Errorf("a user from before: %d", got.StatusCode)
	}

	writeFiles(t, g.dir, map[string]string{"models/users.json": `{"type": "object"}`})
	eventually(t, "a problem in the status", func() bool { return len(g.Status().Problems) > 0 })
	if got := create(`{"username": "bare"}`); got != http.StatusBadRequest {
		t.Errorf("a broken model changed what is served: %d", got)
	}
}

// TestModelsOfAFileAreReloaded has a consumers file that the new models refuse, and then one that they take.
func TestModelsOfAFileAreReloaded(t *testing.T) {
	t.Parallel()
	draft := newTestDraft(t)
	key := newTestKey(t, draft)
	g := start(t, map[string]string{"gateway.config.yml": keyed, "consumers.yml": text(t, draft)}, nil)
	code := func() int { return get(t, g.url("http"), "Authorization", key).StatusCode }
	needs := func(phone string) map[string]string {
		return map[string]string{"models/users.json": `{"$id": "http://express-gateway.io/models/users.json",
			"type": "object", "properties": {"username": {"type": "string"}, "phone": {"type": "string"` + phone + `}}, "required": ["phone"]}`}
	}
	writeFiles(t, g.dir, needs(""))
	eventually(t, "a problem in the status", func() bool { return len(g.Status().Problems) > 0 })
	if p := g.Status().Problems[0]; !strings.HasSuffix(p.File, "consumers.yml") || !strings.Contains(p.Message, "phone") {
		t.Errorf("the problem: %v", p)
	}
	if got := code(); got != http.StatusOK {
		t.Errorf("the consumers are gone: %d", got)
	}
	writeFiles(t, g.dir, needs(`, "default": "none"`))
	eventually(t, "no problem", func() bool { return len(g.Status().Problems) == 0 })
	if got := get(t, g.url("admin")+"/users/alice"); !strings.Contains(got.body, `"phone":"none"`) {
		t.Errorf("the new default is missing: %s", got.body)
	}
}
