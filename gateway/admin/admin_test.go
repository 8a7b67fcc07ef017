package admin_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/admin"
	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/store/memory"
)

// newTestAPI serves an Admin API over an empty memory store on a real socket.
func newTestAPI(t *testing.T, change ...func(*admin.Options)) *httptest.Server {
	t.Helper()
	clock := func() time.Time { return time.Date(2026, 11, 22, 9, 40, 46, 0, time.UTC) }
	service, err := consumer.New(memory.New(), consumer.Options{BcryptCost: 4, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	opts := admin.Options{
		Consumers: service,
		Tokens:    consumer.NewTokens(service, memory.NewTokens(0), consumer.TokenLife{}),
		Config: func() *config.Config {
			return &config.Config{
				Policies: []string{"proxy", "key-auth"},
				Raw: map[string]any{
					"apiEndpoints": map[string]any{
						"api": map[string]any{"host": "*", "paths": "/v1/*"},
						"two": []any{map[string]any{"paths": "/a"}, map[string]any{"paths": "/b"}},
					},
					"serviceEndpoints": nil,
					"pipelines":        []any{map[string]any{"apiEndpoints": []any{"api"}}},
				},
			}
		},
		Catalogue: config.Catalogue{Policies: map[string]config.Entry{
			"cors": {Schema: map[string]any{"$id": "http://express-gateway.io/schemas/policies/cors.json"}},
		}},
		Logger: slog.New(slog.DiscardHandler),
	}
	for _, c := range change {
		c(&opts)
	}
	srv := httptest.NewServer(admin.New(opts))
	t.Cleanup(srv.Close)
	return srv
}

// ask sends one request; a body is JSON.
func ask(t *testing.T, srv *httptest.Server, method, path, body string, headers ...string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

type step struct {
	method, path, body string
	status             int
	answer             string // the whole body; "*" is not looked at; "~x" contains x
}

func play(t *testing.T, srv *httptest.Server, steps []step) {
	t.Helper()
	for _, s := range steps {
		status, got := ask(t, srv, s.method, s.path, s.body)
		part, contains := strings.CutPrefix(s.answer, "~")
		right := s.answer == "*" || got == s.answer || contains && strings.Contains(got, part)
		if status != s.status || !right {
			t.Errorf("%s %s %s\n got %d %s\nwant %d %s", s.method, s.path, s.body, status, got, s.status, s.answer)
		}
	}
}

const alice = `{"username":"alice","firstname":"F","lastname":"L"}`

func TestRoutes(t *testing.T) {
	t.Parallel()
	for name, steps := range map[string][]step{
		"users": {
			{"POST", "/users", alice, 200, "*"},
			{"POST", "/users", alice, 409, "username already exists"},
			{"GET", "/users?count=1", "", 200, `~"nextKey":0`},
			{"GET", "/users?count=x", "", 400, "~count"},
			{"PUT", "/users/alice", `{"username":"x","email":"a@b.io"}`, 200, `~"email":"a@b.io"`},
			{"GET", "/USERS/alice/", "", 200, `~"username":"alice"`},
			{"PUT", "/users/nobody/status", `{"status":true}`, 404, "user not found: nobody"},
			{"PUT", "/users/alice/status", `{"status":false}`, 200, `{"status":"Deactivated"}`},
			{"PUT", "/users/alice/status", `{"status":false}`, 200, `{"status":"Inactive"}`},
			{"DELETE", "/users/alice", "", 204, ""},
			{"DELETE", "/users/alice", "", 404, "User not found: alice"},
		},
		"mistakes that Express Gateway answers with 500": {
			{"POST", "/users", `{"username":"bob"}`, 400, "~should have required property 'firstname'"},
			{"POST", "/users", `{bad`, 400, "~not JSON"},
			{"POST", "/users", `7`, 400, "~not a JSON object"},
			{"POST", "/apps", `{"name":"a"}`, 400, "invalid username"},
			{"POST", "/scopes", `{"scopes":"x"}`, 400, "~list"},
			{"POST", "/scopes", `{"scopes":[1]}`, 400, "~strings"},
			{"POST", "/credentials", `{"type":"key-auth"}`, 400, "invalid username"},
			{"DELETE", "/tokens/abc%7Cdef", "", 404, "Token not found null"},
		},
		"apps": {
			{"POST", "/users", alice, 200, "*"},
			{"POST", "/apps", `{"userId":"nobody","name":"a"}`, 409, "The specified user does not exist"},
			{"POST", "/apps", `{"userId":"alice","name":"a"}`, 200, `~"name":"a"`},
			{"GET", "/apps", "", 200, `~"apps":[{`},
			{"PUT", "/apps/a", `{"name":"b"}`, 200, `~"name":"b"`},
			{"GET", "/apps/a", "", 404, "Application not found: a"},
			{"PUT", "/apps/b/status", `{"status":true}`, 200, `{"status":"Active"}`},
			{"DELETE", "/apps/b", "", 204, ""},
		},
		"scopes": {
			{"GET", "/scopes", "", 200, `{"scopes":null}`},
			{"POST", "/scopes", `{"scopes":["read"]}`, 201, ""},
			{"PUT", "/scopes/read", "", 409, "One or more scopes already exist."},
			{"GET", "/scopes", "", 200, `{"scopes":["read"]}`},
			{"GET", "/scopes/read", "", 200, `{"scope":"read"}`},
			{"DELETE", "/scopes/read", "", 204, ""},
			{"DELETE", "/scopes/read", "", 404, "scope not found: read"},
		},
		"credentials": {
			{"POST", "/users", alice, 200, "*"},
			{"POST", "/credentials", `{"consumerId":"nobody","type":"key-auth"}`, 422, "No consumer found with id: nobody"},
			{"POST", "/credentials", `{"consumerId":"alice"}`, 400, "Invalid credentials"},
			{"POST", "/credentials", `{"consumerId":"alice","type":"zzz"}`, 400, "Invalid credential type: zzz"},
			{"POST", "/credentials", `{"consumerId":"alice","type":"key-auth","credential":7}`, 400, "credential must be an object"},
			{"POST", "/credentials", `{"consumerId":"alice","type":"key-auth","credential":{"keyId":"k","keySecret":"s"}}`, 200, `~"scopes":null`},
			{"GET", "/credentials/key-auth/k", "", 200, `~"keySecret":"s"`},
			{"GET", "/credentials/key-auth/zzz", "", 200, "null"},
			{"GET", "/credentials/alice", "", 200, `~"type":"key-auth"`},
			{"GET", "/credentials", "", 200, `~"credentials":[{`},
			{"GET", "/credentials/nobody", "", 404, "{}"},
			{"PUT", "/credentials/key-auth/k/scopes/read", "", 400, "One or more scopes don't exist"},
			{"PUT", "/scopes/read", "", 201, ""},
			{"PUT", "/credentials/key-auth/k/scopes/read", "", 204, ""},
			{"PUT", "/credentials/key-auth/k/scopes", `{"scopes":[]}`, 204, ""},
			{"DELETE", "/credentials/key-auth/zzz/scopes/read", "", 404, "~zzz"},
			{"PUT", "/credentials/key-auth/zzz/status", `{"status":true}`, 404, "No credential found with id: zzz"},
			{"PUT", "/credentials/key-auth/k/status", `{"status":false}`, 200, `{"status":"Deactivated"}`},
			{"POST", "/credentials", `{"consumerId":"alice","type":"basic-auth"}`, 200, `~"password":"`},
			{"GET", "/credentials/alice", "", 200, `~"type":"basic-auth"`},
		},
		"configuration": {
			{"GET", "/api-endpoints", "", 200, `{"api":{"host":"*","paths":"/v1/*"},"two":[{"paths":"/a"},{"paths":"/b"}]}`},
			{"GET", "/api-endpoints/zzz", "", 404, ""},
			{"GET", "/service-endpoints", "", 200, `null`},
			{"GET", "/service-endpoints/backend", "", 404, ""},
			{"GET", "/pipelines", "", 200, `[{"apiEndpoints":["api"]}]`},
			{"GET", "/pipelines/0", "", 200, `{"apiEndpoints":["api"]}`},
			{"GET", "/pipelines/1", "", 404, ""},
			{"GET", "/policies", "", 200, `["proxy","key-auth"]`},
			{"PUT", "/pipelines/x", `{}`, 409, "~cannot be changed here"},
			{"DELETE", "/pipelines/0", "", 409, "~cannot be changed here"},
			{"DELETE", "/pipelines/zzz", "", 404, ""},
			{"PUT", "/policies/cors", "", 409, "~cannot be changed here"},
		},
		"schemas": {
			{"GET", "/schemas", "", 200, `~"type":"model"`},
			{"GET", "/schemas/policy", "", 200, `[{"type":"policy","schema":{"$id":"http://express-gateway.io/schemas/policies/cors.json"}}]`},
			{"GET", "/schemas/http:%2F%2Fexpress-gateway.io%2Fmodels%2Fusers.json", "", 200, `~{"schema":{"$id"`},
			{"GET", "/schemas/zzz", "", 200, `[]`},
		},
		"unknown routes and methods": {
			{"GET", "/nope", "", 404, "~<pre>Cannot GET /nope</pre>"},
			{"GET", "/", "", 404, "~Cannot GET /"},
			{"DELETE", "/users", "", 404, "~Cannot DELETE /users"},
			{"GET", "/%3Cscript%3E", "", 404, "~Cannot GET /%3Cscript%3E"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, newTestAPI(t), steps)
		})
	}
}

// TestStoredPasswordsShowNothing asks for a password credential after its creation.
func TestStoredPasswordsShowNothing(t *testing.T) {
	t.Parallel()
	srv := newTestAPI(t)
	ask(t, srv, "POST", "/users", alice)
	ask(t, srv, "POST", "/credentials", `{"consumerId":"alice","type":"basic-auth","credential":{"password":"hunter2"}}`)
	_, body := ask(t, srv, "GET", "/credentials/alice", "")
	var got struct{ Credentials []map[string]any }
	if err := json.Unmarshal([]byte(body), &got); err != nil || len(got.Credentials) != 1 {
		t.Fatalf("%s: %v", body, err)
	}
	keys := slices.Sorted(maps.Keys(got.Credentials[0]))
	if diff := cmp.Diff([]string{"createdAt", "id", "isActive", "type", "updatedAt"}, keys); diff != "" {
		t.Errorf("keys (-want +got)\n%s", diff)
	}
}

func TestUserFields(t *testing.T) {
	t.Parallel()
	_, body := ask(t, newTestAPI(t), "POST", "/users", `{"username":"al","firstname":"F","lastname":"L","shoe":"44","isActive":false,"id":"x"}`)
	var got map[string]any
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if id, _ := got["id"].(string); len(id) != 36 {
		t.Errorf("id %q is no uuid", id)
	}
	delete(got, "id")
	date := "Sun Nov 22 2026 09:40:46 GMT+0000 (Coordinated Universal Time)"
	want := map[string]any{
		"username": "al", "firstname": "F", "lastname": "L", "shoe": "44", "isActive": true,
		"createdAt": date, "updatedAt": date,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("POST /users (-want +got)\n%s", diff)
	}
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	srv := newTestAPI(t)
	user := func(size int) string {
		frame := `{"username":"","firstname":"F","lastname":"L"}`
		return strings.Replace(frame, `"username":""`, `"username":"`+strings.Repeat("a", size-len(frame))+`"`, 1)
	}
	if status, body := ask(t, srv, "POST", "/users", user(100<<10)); status != 200 {
		t.Errorf("a body of 100 kB: %d %.80s, want 200", status, body)
	}
	if status, body := ask(t, srv, "POST", "/users", user(100<<10+1)); status != 413 {
		t.Errorf("a body of 100 kB and one byte: %d %.80s, want 413", status, body)
	}
}

func TestBrowserOfAnotherSiteIsRefused(t *testing.T) {
	t.Parallel()
	srv := newTestAPI(t)
	status, _ := ask(t, srv, "POST", "/users", alice, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example")
	if status != http.StatusForbidden {
		t.Errorf("a page of another site created a user: %d", status)
	}
	if status, _ := ask(t, srv, "GET", "/users/alice", ""); status != http.StatusNotFound {
		t.Errorf("the user exists: %d", status)
	}
}

// readOnly is a store whose writes belong elsewhere.
type readOnly struct{ *memory.Store }

func (readOnly) Update(context.Context, func(consumer.Tx) error) error {
	return &consumer.ReadOnlyError{Where: "consumers.yml"}
}

func TestReadOnlyStoreAnswers409(t *testing.T) {
	t.Parallel()
	srv := newTestAPI(t, func(o *admin.Options) {
		service, err := consumer.New(readOnly{memory.New()}, consumer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		o.Consumers = service
	})
	play(t, srv, []step{
		{"POST", "/users", alice, 409, "consumers are read-only here; change them in consumers.yml"},
		{"PUT", "/scopes/read", "", 409, "consumers are read-only here; change them in consumers.yml"},
		{"GET", "/users", "", 200, `{"nextKey":0,"users":[]}`},
	})
}
