package admin_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"egk8s.dev/egk8s/gateway/admin"
	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/store/memory"
)

// newFuzzAPI is an Admin API with one of everything, whose configuration can be written.
func newFuzzAPI(f *testing.F) http.Handler {
	f.Helper()
	service, err := consumer.New(memory.New(), consumer.Options{BcryptCost: 4})
	if err != nil {
		f.Fatal(err)
	}
	if err := service.CreateScopes(f.Context(), []string{"read"}); err != nil {
		f.Fatal(err)
	}
	return admin.New(admin.Options{
		Consumers: service, Tokens: consumer.NewTokens(service, memory.NewTokens(0), consumer.TokenLife{}),
		Config: func() *config.Config {
			return &config.Config{Raw: map[string]any{"apiEndpoints": map[string]any{"api": map[string]any{}}}}
		},
		Writer: &admin.ConfigFile{Dir: newFuzzFolder(f), Check: func(config.FileReader) diag.Problems { return nil }},
		Logger: slog.New(slog.DiscardHandler),
	})
}

func newFuzzFolder(f *testing.F) string {
	f.Helper()
	dir := f.TempDir()
	text := "http: {port: 8080}\napiEndpoints:\n  api: {paths: /a}\npolicies: [proxy]\n"
	if err := os.WriteFile(filepath.Join(dir, "gateway.config.yml"), []byte(text), 0o644); err != nil {
		f.Fatal(err)
	}
	return dir
}

// FuzzBodies: whatever a client sends, no answer says that the gateway is to blame.
func FuzzBodies(f *testing.F) {
	api := newFuzzAPI(f)
	routes := []string{
		"POST /users", "PUT /users/alice", "PUT /users/alice/status", "POST /apps", "PUT /apps/shop", "PUT /apps/shop/status",
		"POST /scopes", "PUT /scopes/x", "DELETE /scopes/x", "POST /credentials", "PUT /credentials/key-auth/k1/status",
		"PUT /credentials/key-auth/k1/scopes", "PUT /credentials/basic-auth/alice/scopes/read", "DELETE /tokens/x",
		"PUT /api-endpoints/api", "PUT /service-endpoints/s", "PUT /pipelines/p", "PUT /policies/p", "DELETE /api-endpoints/api",
	}
	for _, body := range []string{
		alice, `{"username":"alice","firstname":1,"lastname":null,"redirectUri":"x"}`, `{"name":"shop","userId":"alice"}`,
		`{"scopes":["read",1,null]}`, `{"scopes":"read"}`, `{"status":"x"}`, `[]`, `null`, `{`, `{"a":{"b":[{"c":1e999}]}}`,
		`{"consumerId":"alice","type":"key-auth","credential":{"keyId":"k1","keySecret":"s","scopes":["read"]}}`,
		`{"consumerId":"alice","type":"basic-auth","credential":{"password":"` + strings.Repeat("x", 80) + `","passwordKey":"p"}}`,
		`{"consumerId":"alice","type":"oauth2","credential":{"secret":{"a":1},"autoGeneratePassword":"x"}}`,
		`{"consumerId":{"$ne":1},"type":["jwt"],"credential":[1]}`, `{"__proto__":{"isActive":true},"id":"x","isActive":"no"}`,
		"{\"username\":\"a\\u0000b\\nc\",\"firstname\":\"\xff\",\"lastname\":\"\u2028\"}", `{"paths":["/a:b"],"host":"*"}`,
	} {
		for at := range routes {
			f.Add(uint8(at), "application/json", body)
		}
	}
	f.Add(uint8(0), "application/x-www-form-urlencoded", "username=a&firstname=b&lastname=c&lastname=d&%zz")
	f.Fuzz(func(t *testing.T, at uint8, kind, body string) {
		method, path, _ := strings.Cut(routes[int(at)%len(routes)], " ")
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		if w.Code >= 500 || w.Code < 200 {
			t.Errorf("%s %s %s %q: %d %s", method, path, kind, body, w.Code, w.Body)
		}
	})
}

// FuzzTargets: the same for paths and queries.
func FuzzTargets(f *testing.F) {
	api := newFuzzAPI(f)
	for _, target := range []string{
		"/users?start=1&count=2", "/users?count=99999999999999999999", "/users/%00", "/users/%ff", "/users/%zz", "//", "/credentials/x/y",
		"/credentials/key-auth/" + strings.Repeat("a", 5000), "/schemas/http:%2F%2Fexpress-gateway.io", "/pipelines/-1", "/tokens/%7C",
	} {
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			f.Add(method, target)
		}
	}
	f.Fuzz(func(t *testing.T, method, target string) {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://localhost"+target, nil)
		if err != nil {
			t.Skip()
		}
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%s %q: %d %s", method, target, w.Code, w.Body)
		}
	})
}
