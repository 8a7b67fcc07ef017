package config

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/diag"
)

func lookup(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := env[name]; return v, ok }
}

// TestSubstitution holds what Express Gateway 1.16.11 makes of each text with A=1, EMPTY set and empty, LINES of two lines.
func TestSubstitution(t *testing.T) {
	t.Parallel()
	env := map[string]string{"A": "1", "EMPTY": "", "LINES": "x\ny", "_under_9": "u", "REF": "${A}"}
	for text, want := range map[string]string{
		"":                    "",
		"plain":               "plain",
		"${A}":                "1",
		"a${A}b${A}c":         "a1b1c",
		"${EMPTY}":            "",
		"${EMPTY:-x}":         "",
		"${A:-x}":             "1",
		"${B}":                "null",
		"x${B}y":              "xnully",
		"${B:-}":              "null",
		"${B:-x y}":           "x y",
		"${B:-'q'}":           "'q'",
		"${B:-{x}}":           "{x}",
		"${B:-${A}}":          "${A}",
		"${B:-x":              "${B:-x",
		"${B:-x\n}":           "${B:-x\n}",
		"${B:-x\u2028}":       "${B:-x\u2028}",
		"${B:x}":              "${B:x}",
		"${B-x}":              "${B-x}",
		"${ A }":              "${ A }",
		"${}":                 "${}",
		"$A":                  "$A",
		"$$A":                 "$$A",
		"$${A}":               "$${A}",
		"$${B:-x}":            "$${B:-x}",
		"$$${A}":              "$$${A}",
		"$$$${A}${A}":         "$$$${A}1",
		"${req.method}":       "${req.method}",
		"${a[0]}":             "${a[0]}",
		"${a-b}":              "${a-b}",
		"${é}":                "${é}",
		"${_under_9}":         "u",
		"${LINES}":            "x\ny",
		"${REF}":              "${A}",
		"{{A}}":               "{{A}}",
		"${A":                 "${A",
		"$":                   "$",
		"${":                  "${",
		"$${":                 "$${",
		"${A}${req.x}$${A}é1": "1${req.x}$${A}é1",
	} {
		src, _ := newSource("f", text, Options{Lookup: lookup(env)})
		if src.text != want {
			t.Errorf("%q becomes %q, want %q", text, src.text, want)
		}
	}
}

// TestBack holds that a place behind variables of any length is found in the file as written.
func TestBack(t *testing.T) {
	t.Parallel()
	const text = "a: ${LONG} é\nb: ${EMPTY}x ${GONE}\nc: ${LINES}\nd: e"
	env := map[string]string{"LONG": strings.Repeat("l", 50), "EMPTY": "", "LINES": "1\n2\n3"}
	src, warnings := newSource("f", text, Options{Lookup: lookup(env)})
	for _, mark := range []string{"é", "b:", "x ", "c:", "d:", "e"} {
		at := src.text[strings.LastIndex(src.text, mark):]
		got := src.position(len(src.text) - len(at))
		want := positionAt("f", text, strings.LastIndex(text, mark))
		if got != want {
			t.Errorf("%q at %v, want %v", mark, got, want)
		}
	}
	inside := strings.Index(src.text, "lll") + 20
	if got := src.position(inside); got != (diag.Position{File: "f", Line: 1, Column: 4}) {
		t.Errorf("inside of a value: %v, want the reference", got)
	}
	if got := src.length(3, 53); got != len("${LONG}") {
		t.Errorf("length of a value = %d, want that of its reference", got)
	}
	want := []string{"f:2:14: variable GONE is not set: Express Gateway puts the word null in its place"}
	var lines []string
	for _, w := range warnings {
		lines = append(lines, w.String())
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
}

// TestModelMayBeginWithAMark holds that models are read as node reads JSON, with a byte order mark or without.
func TestModelMayBeginWithAMark(t *testing.T) {
	t.Parallel()
	model := "\ufeff" + `{"$id": "http://express-gateway.io/models/x.json", "type": "object"}`
	cfg, problems := Load(".", Options{Files: mapReader{
		"gateway.config.yml": "policies: []\n", "system.config.yml": "db: {redis: {emulate: true}}\n", "models/users.json": model,
		"models/credentials.json": model, "models/applications.json": model,
	}})
	if cfg == nil || cfg.Models.Users == nil {
		t.Errorf("refused: %v", problems)
	}
}

// FuzzLoad holds that no file makes the loader fail otherwise than with problems that have a place, and that
// no problem holds the value of a variable.
func FuzzLoad(f *testing.F) {
	const secret = "s3cr3t-value"
	for _, text := range []string{
		"http: {port: ${P:-80}}\napiEndpoints: {a: {paths: [/x, ${SECRET}]}}\npolicies: [proxy, ${SECRET}]\npipelines: {m: {apiEndpoints: [a], policies: [{proxy: {action: {serviceEndpoint: ${SECRET}}}}]}}\n",
		"policies: []\npipelines:\n- policies:\n  - a:\n    b:\n  - c: [1, null]\n",
		"serviceEndpoints: {a: {url: ${SECRET}}, b: {urls: [x, ${B}]}}\npolicies: [${SECRET}: x]\n",
		"apiEndpoints: {a: {methods: ${SECRET}, pathRegex: '(${SECRET}', paths: '(${SECRET}'}}\npolicies:\n",
		"https: {tls: {${SECRET}: {}}, port: ${SECRET}}\n${SECRET}: *x\n",
		"admin: ${SECRET}\n${SECRET}\n${SECRET}: 1\n",
	} {
		f.Add(text, false)
		f.Add(text, true)
	}
	models := `{"$id": "http://express-gateway.io/models/x.json", "type": "object"}`
	catalogue := Catalogue{
		Policies: map[string]Entry{"proxy": {Schema: map[string]any{"type": "object", "properties": map[string]any{
			"serviceEndpoint": map[string]any{"type": "string"}, "strategy": map[string]any{"enum": []any{"round-robin"}},
		}}}, "log": {}},
		Conditions: map[string]Entry{"not": {Schema: map[string]any{"properties": map[string]any{"condition": map[string]any{}}}}, "pathMatch": {}},
	}
	f.Fuzz(func(t *testing.T, text string, outside bool) {
		files := mapReader{
			"gateway.config.yml": text, "system.config.yml": text, "models/users.json": models,
			"models/credentials.json": models, "models/applications.json": models,
		}
		cfg, problems := Load(".", Options{
			Files: files, Catalogue: catalogue, Outside: outside,
			Lookup: lookup(map[string]string{"SECRET": secret, "EMPTY": ""}),
		})
		if (cfg == nil) != problems.HasErrors() {
			t.Fatalf("config %v beside %v", cfg, problems)
		}
		lines := strings.Count(text, "\n") + 1
		for _, p := range problems {
			if p.Message == "" || p.Code == "" || p.Severity == "" || p.File == "" || p.Line < 1 || p.Line > lines || p.Column < 1 {
				t.Fatalf("a problem without words or place: %+v", p)
			}
			shown := diag.Text(diag.Problems{p}, nil, diag.Style{})
			if strings.Contains(shown, secret) && !strings.Contains(text, "s3cr3t") {
				t.Fatalf("the value of a variable is shown: %s", shown)
			}
			if !utf8.ValidString(shown) && utf8.ValidString(text) {
				t.Fatalf("broken characters: %q", shown)
			}
		}
	})
}

type mapReader map[string]string

func (m mapReader) ReadFile(name string) ([]byte, error) {
	if text, ok := m[name]; ok {
		return []byte(text), nil
	}
	return dirReader("/nonexistent").ReadFile(name)
}
