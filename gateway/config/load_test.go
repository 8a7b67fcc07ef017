package config_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"egk8s.dev/egk8s/gateway/condition"
	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/policy"
)

var update = flag.Bool("update", false, "write the results into testdata")

// newTestCatalogue knows every policy and condition; all are built but those named.
func newTestCatalogue(tb testing.TB, notBuilt ...string) config.Catalogue {
	tb.Helper()
	c := config.Catalogue{Policies: map[string]config.Entry{}, Conditions: map[string]config.Entry{}}
	policies, err := policy.ReadSchemas()
	if err != nil {
		tb.Fatal(err)
	}
	conditions, err := condition.ReadSchemas()
	if err != nil {
		tb.Fatal(err)
	}
	missing := map[string]bool{}
	for _, n := range notBuilt {
		missing[n] = true
	}
	for name, doc := range policies {
		c.Policies[name] = config.Entry{Schema: doc, Built: !missing[name]}
	}
	for name, doc := range conditions {
		c.Conditions[name] = config.Entry{Schema: doc, Built: !missing[name]}
	}
	return c
}

// archive is one txtar fixture: input files, "env" with NAME=value lines, "options" with words,
// and the result as "config.json" or "problems".
type archive struct {
	name  string
	files map[string]string
	order []string
}

func readArchive(t *testing.T, name string) *archive {
	t.Helper()
	a, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	out := &archive{name: name, files: map[string]string{"": string(a.Comment)}}
	for _, f := range a.Files {
		out.files[f.Name] = string(f.Data)
		out.order = append(out.order, f.Name)
	}
	return out
}

// ReadFile serves the input files, and the default models and system file where the fixture has none.
func (a *archive) ReadFile(name string) ([]byte, error) {
	if text, ok := a.files[name]; ok {
		return []byte(text), nil
	}
	if _, ok := a.files["nodefaults"]; !ok {
		if text, err := os.ReadFile(filepath.Join("testdata", "defaults", filepath.FromSlash(name))); err == nil {
			return text, nil
		}
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

func (a *archive) options(t *testing.T) config.Options {
	t.Helper()
	words := strings.Fields(a.files["options"])
	opts := config.Options{Files: a, Lookup: a.lookup}
	var notBuilt []string
	for _, w := range words {
		switch key, value, _ := strings.Cut(w, "="); key {
		case "outside":
			opts.Outside = true
		case "pod-only":
			opts.PodOnly = func(name string) bool { return name == value }
		case "unset":
			opts.Unset = func(name string) bool { return name == value }
		case "require-built":
			opts.RequireBuilt = true
		case "not-built":
			notBuilt = append(notBuilt, value)
		default:
			t.Fatalf("%s: unknown option %q", a.name, w)
		}
	}
	opts.Catalogue = newTestCatalogue(t, notBuilt...)
	return opts
}

func (a *archive) lookup(name string) (string, bool) {
	for line := range strings.SplitSeq(a.files["env"], "\n") {
		if key, value, ok := strings.Cut(line, "="); ok && key == name {
			return strings.ReplaceAll(value, `\n`, "\n"), true
		}
	}
	return "", false
}

// expect compares a result section, or writes it.
func (a *archive) expect(t *testing.T, section, got string) {
	t.Helper()
	if *update {
		if _, ok := a.files[section]; !ok && got != "" {
			a.order = append(a.order, section)
		}
		a.files[section] = got
		return
	}
	if diff := cmp.Diff(a.files[section], got); diff != "" {
		t.Errorf("%s: section %s (-want +got):\n%s", a.name, section, diff)
	}
}

func (a *archive) write(t *testing.T) {
	t.Helper()
	out := &txtar.Archive{Comment: []byte(a.files[""])}
	for _, name := range a.order {
		if a.files[name] != "" || name == "nodefaults" {
			out.Files = append(out.Files, txtar.File{Name: name, Data: []byte(a.files[name])})
		}
	}
	if err := os.WriteFile(a.name, txtar.Format(out), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			a := readArchive(t, name)
			cfg, problems := config.Load(".", a.options(t))
			if (cfg == nil) != problems.HasErrors() {
				t.Errorf("config %v beside problems %v", cfg, problems)
			}
			a.expect(t, "problems", diag.Text(problems, func(file string) ([]byte, error) { return a.ReadFile(file) }, diag.Style{}))
			if cfg != nil {
				a.expect(t, "config.json", effective(t, cfg))
			}
			if *update {
				a.write(t)
			}
		})
	}
}

// effective is the config as the fixtures show it: without what is the same in all of them.
func effective(t *testing.T, cfg *config.Config) string {
	t.Helper()
	shown := *cfg
	shown.Models, shown.Raw, shown.System.Raw = config.Models{}, nil, nil
	text, err := json.MarshalIndent(shown, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	if text, err = json.MarshalIndent(compact(v), "", "  "); err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

// shownSystem tells whether the system part differs from that of the default file.
func shownSystem(cfg map[string]any) bool {
	return !cmp.Equal(cfg["System"], map[string]any{"RedisEmulate": true, "Namespace": "EG", "SaltRounds": 10.0})
}

// compact drops empty values, and shows positions as line:column and URLs as text.
func compact(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if line, ok := v["line"].(float64); ok {
			return fmt.Sprintf("%.0f:%.0f", line, v["column"])
		}
		if _, ok := v["RawPath"]; ok {
			return strings.TrimSuffix(v["Scheme"].(string)+"://"+v["Host"].(string)+v["Path"].(string), "/")
		}
		for key, e := range v {
			c := compact(e)
			if m, isMap := c.(map[string]any); c == nil || c == "" || isMap && len(m) == 0 || key == "Raw" || key == "System" && !shownSystem(v) {
				delete(v, key)
				continue
			}
			v[key] = c
		}
		return v
	case []any:
		for i, e := range v {
			v[i] = compact(e)
		}
		return v
	default:
		return v
	}
}
