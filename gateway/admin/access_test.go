package admin_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"egk8s.dev/egk8s/gateway/admin"
)

func TestBearerToken(t *testing.T) {
	t.Parallel()
	srv := newTestAPI(t, func(o *admin.Options) { o.BearerTokens = []string{"first-token-of-them", "second-token-of-them"} })
	for header, want := range map[string]int{
		"": 401, "Bearer": 401, "Bearer x": 401, "Basic first-token-of-them": 401, "Bearer first-token-of-the": 401,
		"Bearer first-token-of-them": 200, "bearer  second-token-of-them": 200,
	} {
		if status, _ := ask(t, srv, "GET", "/users", "", "Authorization", header); status != want {
			t.Errorf("Authorization: %q: %d, want %d", header, status, want)
		}
	}
	if status, _ := ask(t, srv, "GET", "/nowhere", ""); status != 401 {
		t.Errorf("an unknown route without a token: %d, want 401: it tells nothing", status)
	}
}

// etag reads a thing and returns its entity tag.
func etag(t *testing.T, srv *httptest.Server, path string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.Header.Get("ETag")
}

func TestIfMatch(t *testing.T) {
	t.Parallel()
	srv := newTestAPI(t)
	ask(t, srv, "POST", "/users", alice)
	old := etag(t, srv, "/users/alice")
	if old == "" || old != etag(t, srv, "/users/alice") {
		t.Fatalf("entity tag %q, want one that stays", old)
	}
	if status, body := ask(t, srv, "GET", "/users/alice", "", "If-None-Match", "W/"+old); status != 304 || body != "" {
		t.Errorf("unchanged: %d %q, want 304", status, body)
	}
	put := `{"email":"a@b.io"}`
	for _, step := range []struct {
		method, path, body, match string
		want                      int
	}{
		{"PUT", "/users/alice", put, `"other"`, 412},
		{"PUT", "/users/alice", put, "W/" + old, 412},
		{"PUT", "/users/alice", put, `"x", ` + old, 200},
		{"PUT", "/users/alice", put, old, 412},
		{"PUT", "/users/alice/status", `{"status":false}`, old, 412},
		{"DELETE", "/users/alice", "", old, 412},
		{"DELETE", "/users/nobody", "", "*", 412},
		{"DELETE", "/users/alice", "", "*", 204},
	} {
		if status, body := ask(t, srv, step.method, step.path, step.body, "If-Match", step.match); status != step.want {
			t.Errorf("%s %s If-Match %s: %d %s, want %d", step.method, step.path, step.match, status, body, step.want)
		}
	}
}

// TestIfMatchLetsOneWin: of many who change what they read, one wins.
func TestIfMatchLetsOneWin(t *testing.T) {
	t.Parallel()
	srv := newTestAPI(t)
	ask(t, srv, "POST", "/users", alice)
	tag := etag(t, srv, "/users/alice")
	var group sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for i := range 20 {
		group.Go(func() {
			status, _ := ask(t, srv, "PUT", "/users/alice", `{"lastname":"L`+strings.Repeat("x", i+1)+`"}`, "If-Match", tag)
			mu.Lock()
			defer mu.Unlock()
			if status == 200 {
				won++
			}
		})
	}
	group.Wait()
	if won != 1 {
		t.Errorf("%d of 20 changes of one version were made, want 1", won)
	}
}

func TestAudit(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	srv := newTestAPI(t, func(o *admin.Options) {
		o.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		o.BearerTokens = []string{"the-token-of-the-api"}
	})
	by := []string{"Authorization", "Bearer the-token-of-the-api"}
	ask(t, srv, "POST", "/users", alice, by...)
	ask(t, srv, "POST", "/credentials", `{"consumerId":"alice","type":"basic-auth","credential":{"password":"hunter2"}}`, by...)
	ask(t, srv, "DELETE", "/tokens/0123456789abcdef%7Csecretpart", "", by...)
	ask(t, srv, "GET", "/users", "", by...)
	srv.Close()
	type line struct {
		Msg, Method, Target, By, Client string
		Status                          int
		Fields                          []string
	}
	var got []line
	for text := range strings.Lines(log.String()) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(l.Msg, "admin change") {
			got = append(got, l)
		}
	}
	if len(got) != 3 {
		t.Fatalf("%d audit lines, want 3\n%s", len(got), log.String())
	}
	if l := got[1]; l.Target != "/credentials" || l.Status != 200 || l.By == "" || l.Client == "" || strings.Join(l.Fields, ",") != "consumerId,credential,type" {
		t.Errorf("audit of a credential: %+v", l)
	}
	if l := got[2]; l.Msg != "admin change refused" || l.Status != 404 || l.Target != "/tokens/0123456789abcdef" {
		t.Errorf("audit of a token: %+v", l)
	}
	for _, secret := range []string{"hunter2", "secretpart", "the-token-of-the-api", "Liddell"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log shows %q", secret)
		}
	}
}

// TestDescription: the API describes every route, and says something of each.
func TestDescription(t *testing.T) {
	t.Parallel()
	srv := newTestAPI(t)
	status, text := ask(t, srv, "GET", "/openapi.json", "")
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			Summary     string
			OperationID string
			Responses   map[string]any
			RequestBody struct {
				Content map[string]struct{ Schema map[string]string }
			}
			Parameters []struct{ Name, In string }
		}
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil || status != 200 {
		t.Fatalf("status %d, %v", status, err)
	}
	ids, operations := map[string]bool{}, 0
	for path, methods := range doc.Paths {
		for method, op := range methods {
			operations++
			if op.Summary == "" || len(op.Responses) < 2 || ids[op.OperationID] {
				t.Errorf("%s %s: summary %q, %d answers, id %q", method, path, op.Summary, len(op.Responses), op.OperationID)
			}
			ids[op.OperationID] = true
			ref := op.RequestBody.Content["application/json"].Schema["$ref"]
			if name, isRef := strings.CutPrefix(ref, "#/components/schemas/"); isRef && doc.Components.Schemas[name] == nil {
				t.Errorf("%s %s: no schema %s", method, path, name)
			}
			for _, p := range op.Parameters {
				if p.In == "path" && !strings.Contains(path, "{"+p.Name+"}") {
					t.Errorf("%s %s: no parameter %s", method, path, p.Name)
				}
			}
		}
	}
	if operations < 40 || doc.OpenAPI != "3.1.0" {
		t.Errorf("OpenAPI %s with %d operations, want all of the API", doc.OpenAPI, operations)
	}
}
