package edit_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/config/edit"
	"egk8s.dev/egk8s/gateway/config/yaml"
)

// file has what a rewritten file would lose.
const file = `# the shop
http:
  port: ${PORT:-8080} # from outside
apiEndpoints:
  # the old way in
  api:
    host: '*'
    paths: /v1/* # all of it

  last: {host: "x"} # one line
serviceEndpoints: {backend: {url: "http://a"}}
policies:
- proxy # first
- cors
pipelines:
`

func TestEdit(t *testing.T) {
	t.Parallel()
	endpoint := map[string]any{"host": "*", "paths": []any{"/new", "/more"}}
	for name, tt := range map[string]struct {
		edit func(string) (string, error)
		want []string // lines: "-x" goes, "+x" comes; all others stay
	}{
		"new entry": {
			func(s string) (string, error) { return set(s, "apiEndpoints", "new", endpoint, true) },
			[]string{"+  new:", `+    host: "*"`, "+    paths:", "+    - /new", "+    - /more"},
		},
		"changed entry": {
			func(s string) (string, error) {
				return set(s, "apiEndpoints", "api", map[string]any{"host": "y"}, false)
			},
			[]string{"-    host: '*'", "-    paths: /v1/* # all of it", `+    host: "y" # all of it`},
		},
		"changed entry on one line": {
			func(s string) (string, error) {
				return set(s, "apiEndpoints", "last", map[string]any{"host": "y"}, false)
			},
			[]string{`-  last: {host: "x"} # one line`, "+  last:", `+    host: "y" # one line`},
		},
		"new entry in brackets": {
			func(s string) (string, error) {
				return set(s, "serviceEndpoints", "b", map[string]any{"url": "http://b"}, true)
			},
			[]string{`-serviceEndpoints: {backend: {url: "http://a"}}`, "+serviceEndpoints:", "+  b:", "+    url: http://b", "+  backend:", "+    url: http://a"},
		},
		"entry of an empty section": {
			func(s string) (string, error) {
				return set(s, "pipelines", "p 1", map[string]any{"policies": []any{}}, true)
			},
			[]string{"+  p 1:", "+    policies: []"},
		},
		"deleted entry": {
			func(s string) (string, error) { return edit.Delete(s, "apiEndpoints", "last") },
			[]string{`-  last: {host: "x"} # one line`},
		},
		"deleted unknown entry": {func(s string) (string, error) { return edit.Delete(s, "apiEndpoints", "zzz") }, nil},
		"deleted only entry": {
			func(s string) (string, error) { return edit.Delete(s, "serviceEndpoints", "backend") },
			[]string{`-serviceEndpoints: {backend: {url: "http://a"}}`, "+serviceEndpoints: {}"},
		},
		"new policy":       {func(s string) (string, error) { return edit.AddItem(s, "policies", "key-auth") }, []string{"+- key-auth"}},
		"known policy":     {func(s string) (string, error) { return edit.AddItem(s, "policies", "cors") }, nil},
		"removed policy":   {func(s string) (string, error) { return edit.RemoveItem(s, "policies", "proxy") }, []string{"-- proxy # first"}},
		"unknown policy":   {func(s string) (string, error) { return edit.RemoveItem(s, "policies", "zzz") }, nil},
		"missing list":     {func(s string) (string, error) { return edit.AddItem(s, "more", "a") }, []string{"+more:", "+  - a"}},
		"missing section":  {func(s string) (string, error) { return set(s, "more", "a", "017", true) }, []string{"+more:", `+  a: "017"`}},
		"yes stays a word": {func(s string) (string, error) { return set(s, "more", "a", true, true) }, []string{"+more:", "+  a: true"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := tt.edit(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, changes(file, got)); diff != "" {
				t.Errorf("(-want +got)\n%s\n%s", diff, got)
			}
			if _, err := yaml.Parse(got); err != nil {
				t.Errorf("the result is not YAML: %v", err)
			}
		})
	}
}

func set(text, section, name string, value any, wantCreated bool) (string, error) {
	out, created, err := edit.Set(text, section, name, value)
	if err == nil && created != wantCreated {
		err = errors.New("created is wrong")
	}
	return out, err
}

func TestEmptyFile(t *testing.T) {
	t.Parallel()
	got, created, err := edit.Set("", "apiEndpoints", "a", map[string]any{"host": "*"})
	if err != nil || !created || got != "apiEndpoints:\n  a:\n    host: \"*\"\n" {
		t.Errorf("Set = %q, %v, %v", got, created, err)
	}
}

func TestWhatCannotBeEdited(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"broken": "a: [", "list": "- a"} {
		if _, _, err := edit.Set(text, "s", "a", 1.0); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzSet(f *testing.F) {
	f.Add(file, "new")
	f.Add("apiEndpoints: &a\n  x: 1\nb: *a\n", "x")
	f.Add("apiEndpoints:\n  x: |\n    text\n", "y")
	f.Add("{apiEndpoints: {x: 1}}", "y")
	f.Fuzz(func(t *testing.T, text, name string) {
		out, _, err := edit.Set(text, "apiEndpoints", name, map[string]any{"host": "*"})
		if err != nil {
			return
		}
		root, err := yaml.Parse(out)
		if err != nil || root.Get("apiEndpoints").Get(name).Get("host").Value != "*" {
			t.Errorf("%q became %q", text, out)
		}
	})
}
