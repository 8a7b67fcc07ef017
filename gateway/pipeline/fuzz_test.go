package pipeline_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/pipeline"
	"egk8s.dev/egk8s/gateway/policy"
)

// texts are the files of a configuration.
type texts map[string]string

// ReadFile reads one of the texts.
func (f texts) ReadFile(path string) ([]byte, error) {
	text, ok := f[path]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return []byte(text), nil
}

// FuzzCompile holds that what the loader accepts, by the real catalogue, compiles and answers: only what the
// loader does not read (expressions, globs, files that are named) may still be refused, each with its place.
func FuzzCompile(f *testing.F) {
	const head = "http: {port: 8080}\nserviceEndpoints: {s: {url: 'http://127.0.0.1:1'}}\npolicies: [terminate, cors, key-auth, headers, log]\n"
	for _, text := range []string{
		head + "apiEndpoints: {a: {host: '*', paths: ['/a/:id(\\d+)', '/b*', /c?], methods: 'GET,PUT'}}\n" +
			"pipelines: {p: {apiEndpoints: [a], policies: [{cors: }, {terminate: [{action: {statusCode: 200}}]}]}}\n",
		head + "apiEndpoints: {a: [{hostRegex: '^a', pathRegex: '^/(x|y)'}, {path: /z, scopes: [s]}]}\n" +
			"pipelines: [{apiEndpoint: a, policies: [{terminate: {condition: {name: allOf, conditions: [{name: pathMatch, pattern: x}, " +
			"{name: method, methods: [GET]}]}}}]}]\n",
		head + "apiEndpoint: {paths: '/(a|b)'}\npipeline: {apiEndpoints: ['0'], policies: [{log: {action: {message: '${req.url}'}}}, {terminate: []}]}\n",
	} {
		f.Add(text, "GET", "a.test", "/a/1")
	}
	catalogue, err := policy.Catalogue()
	if err != nil {
		f.Fatal(err)
	}
	model := `{"$id": "http://express-gateway.io/models/x.json", "type": "object"}`
	f.Fuzz(func(t *testing.T, text, method, host, path string) {
		cfg, problems := config.Load(".", config.Options{Catalogue: catalogue, RequireBuilt: true, Files: texts{
			"gateway.config.yml": text, "system.config.yml": "db: {redis: {emulate: true}}\n",
			"models/users.json": model, "models/credentials.json": model, "models/applications.json": model,
		}})
		if problems.HasErrors() {
			return
		}
		rt, problems := pipeline.Compile(cfg, environment())
		for _, p := range problems {
			if p.Code == "endpoint-pattern" || p.Line < 1 || p.Column < 1 {
				t.Fatalf("the loader accepted what does not compile: %v", p)
			}
		}
		if rt == nil || usesNetwork(cfg) || !strings.HasPrefix(path, "/") {
			return
		}
		if got := ask(t, rt, method, host, path); got.Status < 100 {
			t.Fatalf("no answer: %+v", got)
		}
	})
}

func usesNetwork(cfg *config.Config) bool {
	return slices.ContainsFunc(cfg.Pipelines, func(p config.Pipeline) bool {
		return slices.ContainsFunc(p.Steps, func(s config.Step) bool { return s.Policy == "proxy" || s.Policy == "oauth2-introspect" })
	})
}
