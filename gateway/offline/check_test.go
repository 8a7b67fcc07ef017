package offline_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rogpeppe/go-internal/txtar"

	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/offline"
)

// newTestFolder writes a config folder: the default system file and models, and the files of a txtar text.
func newTestFolder(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../config/testdata/defaults")); err != nil {
		t.Fatal(err)
	}
	for _, f := range txtar.Parse([]byte(text)).Files {
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func check(t *testing.T, dir string, opts offline.Options) *offline.Report {
	t.Helper()
	r, err := offline.Check(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// codes lists what was found where, without words.
func codes(ps diag.Problems) []string {
	var list []string
	for _, p := range ps {
		list = append(list, string(p.Severity)+" "+p.Code+" "+p.Position.String())
	}
	return list
}

const shop = `
-- gateway.config.yml --
http: {port: "${HTTP_PORT:-80}", hostname: 10.0.0.1}
https: {port: "${TLS_PORT}", tls: {default: {key: keys/tls.key, cert: keys/tls.crt}}}
admin: {port: 9876, host: 0.0.0.0}
apiEndpoints:
  orders: {host: shop.test, paths: ['/orders/:id(\d+)', /orders]}
  upload: {host: '*.shop.test', paths: '/upload/*', methods: 'POST, PUT'}
  status: {host: shop.test, pathRegex: '^/(up|health)[0-9]?$'}
  all: {}
  ver: {paths: '/${VERSION}/x'}
  unserved: {paths: /no}
serviceEndpoints:
  orders: {url: 'http://${ORDERS_HOST}:8080'}
  upload: {urls: [http://a.test, http://b.test]}
policies: [key-auth, proxy, terminate, cors]
pipelines:
  main:
    apiEndpoints: [orders, all, ver]
    policies:
      - cors:
      - key-auth:
      - proxy: {action: {serviceEndpoint: orders}}
  up:
    apiEndpoints: [upload]
    policies:
      - key-auth: {action: {passThrough: true}}
      - proxy: {action: {serviceEndpoint: upload}}
  status:
    apiEndpoints: [status]
    policies:
      - terminate: {action: {statusCode: 200}}
-- keys/tls.key --
k
`

func TestCheckReports(t *testing.T) {
	t.Parallel()
	dir := newTestFolder(t, shop)
	got := check(t, dir, offline.Options{Pod: true, Env: map[string]string{"HTTP_PORT": "8000"}, Files: []string{"keys/tls.crt"}})
	want := &offline.Report{
		HTTP:  &offline.Port{Host: "10.0.0.1", Port: 8000},
		HTTPS: &offline.Port{},
		Admin: &offline.Port{Host: "0.0.0.0", Port: 9876},
		Routes: []offline.Route{
			{Endpoint: "orders", Pipeline: "main", Method: "GET", Host: "shop.test", Path: "/orders/1", Auth: true, Proxy: "orders"},
			{Endpoint: "status", Pipeline: "status", Method: "GET", Host: "shop.test", Path: "/up"},
			{Endpoint: "upload", Pipeline: "up", Method: "POST", Host: "x.shop.test", Path: "/upload/", Proxy: "upload"},
			{Endpoint: "all", Pipeline: "main", Method: "GET", Path: "/", Auth: true, Proxy: "orders"},
			{Endpoint: "ver", Pipeline: "main", Method: "GET", Auth: true, Proxy: "orders"},
		},
		Upstreams: []offline.Upstream{
			{Name: "upload", URL: "http://a.test", Host: "a.test", Authority: "a.test", Pos: diag.Position{File: "gateway.config.yml", Line: 13, Column: 3}},
			{Name: "upload", URL: "http://b.test", Host: "b.test", Authority: "b.test", Pos: diag.Position{File: "gateway.config.yml", Line: 13, Column: 3}},
		},
		Services:       []string{"orders", "upload"},
		Policies:       []string{"cors", "key-auth", "proxy", "terminate"},
		FileReferences: []string{"keys/tls.key"},
		References: []offline.Reference{
			{Path: "keys/tls.key", What: "https.tls.default.key", TLS: "default"},
			{Path: "keys/tls.crt", What: "https.tls.default.cert", TLS: "default"},
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreTypes(diag.Position{}, diag.Problems{})); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	wantCodes := []string{
		"warning bind-address gateway.config.yml:1:8", "warning bind-address gateway.config.yml:3:9",
		"warning endpoint-without-pipeline gateway.config.yml:10:3",
	}
	if diff := cmp.Diff(wantCodes, codes(got.Problems)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestCheckFindsWhatOnlyThePodHas(t *testing.T) {
	t.Parallel()
	const gateway = `
-- gateway.config.yml --
http: {port: 80}
apiEndpoints: {api: {}}
serviceEndpoints: {backend: {url: "${BACKEND}"}}
policies: [proxy]
pipelines: {main: {apiEndpoints: [api], policies: [{proxy: {action: {serviceEndpoint: backend}}}]}}
`
	tests := map[string]struct {
		opts offline.Options
		want []string
	}{
		"nothing known":            {offline.Options{Pod: true}, nil},
		"known to be unset":        {offline.Options{Pod: true, Complete: true}, []string{"error invalid-value gateway.config.yml:3:35"}},
		"of a Secret":              {offline.Options{Pod: true, Complete: true, PodOnly: []string{"BACKEND"}}, nil},
		"known":                    {offline.Options{Pod: true, Complete: true, Env: map[string]string{"BACKEND": "http://b"}}, nil},
		"known and not a URL":      {offline.Options{Pod: true, Env: map[string]string{"BACKEND": "b"}}, []string{"error invalid-value gateway.config.yml:3:35"}},
		"replaced by an upstream":  {offline.Options{Pod: true, Complete: true, Settings: offline.Settings{Upstreams: map[string]string{"backend": "http://b"}}}, nil},
		"an upstream without name": {offline.Options{Pod: true, Settings: offline.Settings{Upstreams: map[string]string{"backnd": "http://b"}}}, []string{"error unknown-upstream "}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := check(t, newTestFolder(t, gateway), tc.opts)
			if diff := cmp.Diff(tc.want, codes(got.Problems)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCheckRefusesWhatThePodCannotRun(t *testing.T) {
	t.Parallel()
	got := check(t, newTestFolder(t, `
-- gateway.config.yml --
http: {port: 80}
https: {port: 443, tls: {default: {key: config/a.key, cert: /etc/ssl/a.crt}}}
apiEndpoints: {api: {pathRegex: '^/(?!admin)'}}
policies: [headers, keycloak]
-- system.config.yml --
db: {redis: {host: redis.test, emulate: false}}
`), offline.Options{Pod: true})
	want := []string{
		"error missing-file gateway.config.yml:2:26",
		"warning absolute-path gateway.config.yml:2:26",
		"warning endpoint-without-pipeline gateway.config.yml:3:16",
		"error invalid-regexp gateway.config.yml:3:33",
		"error unknown-policy gateway.config.yml:4:21",
	}
	if diff := cmp.Diff(want, codes(got.Problems)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if got.RedisHost != "redis.test" {
		t.Errorf("RedisHost = %q", got.RedisHost)
	}
}

// TestCheckCompiles finds what only compiling a step finds.
func TestCheckCompiles(t *testing.T) {
	t.Parallel()
	got := check(t, newTestFolder(t, `
-- gateway.config.yml --
http: {port: 80}
apiEndpoints: {api: {}}
policies: [log]
pipelines:
  main:
    apiEndpoints: [api]
    policies:
      - log: {action: {message: "${req.method +}"}}
`), offline.Options{Pod: true})
	at := slices.IndexFunc(got.Problems, func(p diag.Problem) bool { return p.Code == "expression-syntax" })
	if at < 0 || got.Problems.HasErrors() || got.Problems[at].Line != 8 {
		t.Errorf("a template that is no JavaScript is a warning with its place: %v", got.Problems)
	}
}

// TestCheckReadsKeyFiles: a key of the folder is read, one that the pod gets from elsewhere is not missed.
func TestCheckReadsKeyFiles(t *testing.T) {
	t.Parallel()
	for file, want := range map[string][]string{
		"broken.pem":   {"warning scopes-ignored gateway.config.yml:8:9", "error policy-parameters gateway.config.yml:8:9"},
		"secret.txt":   {"warning scopes-ignored gateway.config.yml:8:9"},
		"/etc/key.pem": {"warning absolute-path gateway.config.yml:8:9", "warning scopes-ignored gateway.config.yml:8:9"},
		"given.pem":    {"warning scopes-ignored gateway.config.yml:8:9"},
	} {
		got := check(t, newTestFolder(t, `
-- gateway.config.yml --
http: {port: 80}
apiEndpoints: {api: {scopes: [read]}}
policies: [jwt]
pipelines:
  main:
    apiEndpoints: [api]
    policies:
      - jwt: {action: {secretOrPublicKeyFile: `+file+`}}
-- broken.pem --
-----BEGIN PUBLIC KEY-----
-- secret.txt --
shared
`), offline.Options{Pod: true, Files: []string{"given.pem"}})
		have := codes(got.Problems)
		slices.Sort(have)
		slices.Sort(want)
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("%s: problems (-want +got):\n%s", file, diff)
		}
	}
}

func TestCheckWithoutFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	got := check(t, filepath.Join(dir, "none"), offline.Options{})
	if len(got.Problems) != 1 || got.Problems[0].Code != "missing-folder" {
		t.Errorf("problems = %v", got.Problems)
	}
}

// TestCheckNamesSlowSteps: a step that runs in the interpreter is named, with its place and the reason.
func TestCheckNamesSlowSteps(t *testing.T) {
	t.Parallel()
	got := check(t, newTestFolder(t, `
-- gateway.config.yml --
http: {port: 80}
apiEndpoints: {api: {}}
policies: [expression]
pipelines:
  main:
    apiEndpoints: [api]
    policies:
      - expression:
          - action: {jscode: "req.url = req.url.replace('/gateway', '')"}
          - condition: {name: expression, expression: "[1].some(x => x)"}
            action: {jscode: "req.url = '/x'"}
`), offline.Options{Pod: true})
	var slow diag.Problems
	for _, p := range got.Problems {
		if p.Code == "slow-expression" {
			slow = append(slow, p)
		}
	}
	if len(slow) != 1 || slow[0].Severity != diag.Warning || slow[0].Line != 10 {
		t.Errorf("slow steps: %v", slow)
	}
}
