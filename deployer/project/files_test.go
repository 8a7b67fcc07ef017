package project_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/deployer/project"
)

// newTestProject writes the files, adds an egk8s.yaml when there is none, and loads it.
func newTestProject(t *testing.T, files map[string]string) *project.Project {
	t.Helper()
	dir := t.TempDir()
	if _, ok := files["egk8s.yaml"]; !ok {
		files["egk8s.yaml"] = head
	}
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p, problems := project.Load(filepath.Join(dir, "egk8s.yaml"), project.Options{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return p
}

func TestCollect(t *testing.T) {
	t.Parallel()
	p := newTestProject(t, map[string]string{
		"egk8s.yaml": head + "spec:\n  consumers: config/consumers.yml\n  config: {sensitive: ['certs/*.pem']}\n" +
			"  files: [{path: certs/corp.crt, secret: corp, key: ca.crt}]\n",
		"config/gateway.config.yml": "http: {port: 8080}\n",
		"config/system.config.yml":  "db: {}\n",
		"config/models/users.json":  "{}",
		"config/models/notes.txt":   "not taken",
		"config/certs/private.pem":  "p",
		"config/certs/public.crt":   "c",
		"config/certs/server.key":   "k",
		"config/consumers.yml":      "users: []\n",
		"config/unrelated.yml":      "x",
	})
	files, problems := p.Collect([]string{"certs/private.pem", "certs/public.crt", "certs/server.key", "./certs/public.crt", "certs/corp.crt"})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var got []string
	for _, f := range files.Config {
		kind := "public"
		if f.Secret {
			kind = "secret"
		}
		got = append(got, f.Path+" "+kind)
	}
	want := []string{
		"certs/private.pem secret", "certs/public.crt public", "certs/server.key secret", "gateway.config.yml public",
		"models/users.json public", "system.config.yml secret",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if files.Consumers == nil || files.Consumers.Path != "consumers.yml" || string(files.Consumers.Data) != "users: []\n" {
		t.Errorf("consumers: %+v", files.Consumers)
	}
}

func TestCollectProblems(t *testing.T) {
	t.Parallel()
	p := newTestProject(t, map[string]string{
		"egk8s.yaml":            head + "spec: {consumers: config/none.yml}\n",
		"config/certs/big.pem":  strings.Repeat("x", 1<<20+1),
		"config/certs/half.pem": strings.Repeat("x", 600_000), "config/certs/half2.pem": strings.Repeat("x", 600_000),
	})
	_, problems := p.Collect([]string{"certs/big.pem", "../other.pem", "certs/half.pem", "certs/half2.pem"})
	var got []string
	for _, problem := range problems {
		got = append(got, strings.TrimPrefix(problem.String(), p.Dir+"/"))
	}
	want := []string{
		"config/gateway.config.yml: there is no such file",
		"config/certs/big.pem: the file has 1048577 bytes; Kubernetes objects hold 1 MiB",
		"../other.pem: the config refers to a file outside its folder",
		"config/none.yml: there is no such file",
		"config: the files of the ConfigMap have 1200000 bytes together; it holds 1 MiB",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestJavaScriptConfigIsNamed(t *testing.T) {
	t.Parallel()
	p := newTestProject(t, map[string]string{"config/gateway.config.js": "module.exports = {}"})
	_, problems := p.Collect(nil)
	if len(problems) != 1 || problems[0].Code != "javascript-config" {
		t.Error(problems)
	}
}
