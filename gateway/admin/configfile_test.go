package admin_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"egk8s.dev/egk8s/gateway/admin"
	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
)

const gatewayConfig = `http: {port: "${PORT:-8080}"} # kept
apiEndpoints:
  api: {host: '*', paths: /v1/*}
policies: [proxy]
`

// newTestConfigFile writes a config whose check refuses the word "bad".
func newTestConfigFile(t *testing.T, name, text string) (*admin.ConfigFile, func() string) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	check := func(files config.FileReader) diag.Problems {
		text, err := files.ReadFile(name)
		if err != nil {
			t.Error(err)
		}
		if strings.Contains(string(text), "bad") {
			return diag.Problems{{Code: "bad", Severity: diag.Error, Message: "url is bad"}}
		}
		return nil
	}
	return &admin.ConfigFile{Dir: dir, Check: check}, func() string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
}

func TestConfigWrites(t *testing.T) {
	t.Parallel()
	file, read := newTestConfigFile(t, "gateway.config.yml", gatewayConfig)
	srv := newTestAPI(t, func(o *admin.Options) { o.Writer = file })
	play(t, srv, []step{
		{"PUT", "/api-endpoints/new", `{"host":"*","paths":"/new"}`, 201, ""},
		{"PUT", "/api-endpoints/new", `{"host":"*","paths":"/newer"}`, 204, ""},
		{"PUT", "/service-endpoints/s", `{"url":"bad"}`, 422, "url is bad"},
		{"PUT", "/policies/cors", "", 200, `{"status":"ok"}`},
		{"DELETE", "/policies/zzz", "", 204, ""},
		{"DELETE", "/api-endpoints/zzz", "", 404, ""},
		{"DELETE", "/api-endpoints/api", "", 204, ""},
	})
	want := strings.Replace(gatewayConfig, "  api: {host: '*', paths: /v1/*}\n", "  new:\n    host: \"*\"\n    paths: /newer\n", 1)
	want = strings.Replace(want, "policies: [proxy]", "policies:\n  - proxy\n  - cors", 1)
	if got := read(); got != want {
		t.Errorf("the file is now\n%s\nwant\n%s", got, want)
	}
}

func TestConfigWritesAsJSON(t *testing.T) {
	t.Parallel()
	file, read := newTestConfigFile(t, "gateway.config.json", `{"policies":["proxy"],"apiEndpoints":{"a":{}}}`)
	ctx := t.Context()
	if created, err := file.Set(ctx, admin.APIEndpoints, "b", map[string]any{"host": "*"}); err != nil || !created {
		t.Errorf("Set: %v, %v", created, err)
	}
	if _, err := file.Set(ctx, admin.Policies, "cors", nil); err != nil {
		t.Error(err)
	}
	for _, s := range []admin.Section{admin.APIEndpoints, admin.Policies} {
		if err := file.Delete(ctx, s, map[admin.Section]string{admin.APIEndpoints: "a", admin.Policies: "proxy"}[s]); err != nil {
			t.Error(err)
		}
	}
	want := "{\n  \"apiEndpoints\": {\n    \"b\": {\n      \"host\": \"*\"\n    }\n  },\n  \"policies\": [\n    \"cors\"\n  ]\n}\n"
	if got := read(); got != want {
		t.Errorf("the file is now\n%s\nwant\n%s", got, want)
	}
}

// TestWritesAtTheSameTimeAreAllKept is what Express Gateway loses: of 20 changes at once it kept 3.
func TestWritesAtTheSameTimeAreAllKept(t *testing.T) {
	t.Parallel()
	file, read := newTestConfigFile(t, "gateway.config.yml", gatewayConfig)
	srv := newTestAPI(t, func(o *admin.Options) { o.Writer = file })
	names := strings.Split("abcdefghijklmnopqrst", "")
	var all sync.WaitGroup
	for _, name := range names {
		all.Go(func() {
			if status, body := ask(t, srv, "PUT", "/api-endpoints/"+name, `{"host":"*"}`); status != 201 {
				t.Errorf("%s: %d %s", name, status, body)
			}
		})
	}
	all.Wait()
	for _, name := range names {
		if !strings.Contains(read(), "\n  "+name+":") && !strings.Contains(read(), "\n  \""+name+"\":") {
			t.Errorf("%s is lost:\n%s", name, read())
		}
	}
}

func TestAFileThatCannotBeChangedAnswers409(t *testing.T) {
	t.Parallel()
	file, read := newTestConfigFile(t, "gateway.config.yml", "- a list\n")
	srv := newTestAPI(t, func(o *admin.Options) { o.Writer = file })
	play(t, srv, []step{{"PUT", "/api-endpoints/a", `{}`, 409, "~edit it by hand"}})
	if got := read(); got != "- a list\n" {
		t.Errorf("the file changed: %q", got)
	}
}
