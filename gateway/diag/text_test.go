package diag_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/diag"
)

func reader(files map[string]string) diag.Reader {
	return func(name string) ([]byte, error) {
		text, ok := files[name]
		if !ok {
			return nil, errors.New("no such file")
		}
		return []byte(text), nil
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	files := reader(map[string]string{
		"egk8s.yaml":               "kind: Gateway\nspec:\n  replicsa: 3\n",
		"tabs.yml":                 "a:\n\t\tb: ü x\n",
		"crlf.yml":                 "a: 1\r\nb: 2\r\n",
		"evil.yml":                 "a: \x1b[31mred\n",
		"long.yml":                 strings.Repeat("x", 500),
		"egk8s.yml":                "tls: {default: {secret: api-tls}}",
		"config/system.config.yml": "{password: 'abc', host: h}\n  cipherKey: k3y!!\n  secret: ${SESSION_SECRET}\n  secretOrPublicKeyFile: keys/a.pem\n",
	})
	at := func(file string, line, column int) diag.Position {
		return diag.Position{File: file, Line: line, Column: column}
	}
	tests := map[string]struct {
		problems diag.Problems
		style    diag.Style
		want     string
	}{
		"nothing": {nil, diag.Style{}, ""},
		"in full": {
			diag.Problems{{
				Severity: diag.Error, Position: at("egk8s.yaml", 3, 3), Length: 8, Message: `unknown key "replicsa"`,
				Label: "not a field of spec", Suggestion: "replicas", Hint: "see the reference\nof egk8s.yaml",
			}},
			diag.Style{},
			`error: unknown key "replicsa"
 --> egk8s.yaml:3:3
  2 | spec:
  3 |   replicsa: 3
    |   ^^^^^^^^ not a field of spec
help: did you mean "replicas"?
hint: see the reference
      of egk8s.yaml
`,
		},
		"without a file": {diag.Problems{{Message: "no cluster configured"}}, diag.Style{}, "error: no cluster configured\n"},
		"file that cannot be read": {
			diag.Problems{{Position: at("gone.yml", 1, 1), Message: "m"}}, diag.Style{}, "error: m\n --> gone.yml:1:1\n",
		},
		"line behind the end": {
			diag.Problems{{Position: at("egk8s.yaml", 40, 1), Message: "m"}}, diag.Style{}, "error: m\n --> egk8s.yaml:40:1\n",
		},
		"line without column": {
			diag.Problems{{Position: at("egk8s.yaml", 1, 0), Message: "m"}},
			diag.Style{},
			"error: m\n --> egk8s.yaml:1\n  1 | kind: Gateway\n",
		},
		"tabs and wide letters": {
			diag.Problems{{Position: at("tabs.yml", 2, 6), Length: 1, Message: "m"}},
			diag.Style{},
			"error: m\n --> tabs.yml:2:6\n  1 | a:\n  2 | \t\tb: ü x\n    | \t\t   ^\n",
		},
		"caret past the end": {
			diag.Problems{{Position: at("crlf.yml", 2, 5), Length: 9, Message: "m"}},
			diag.Style{},
			"error: m\n --> crlf.yml:2:5\n  1 | a: 1\n  2 | b: 2\n    |     ^\n",
		},
		"escape bytes": {
			diag.Problems{{Position: at("evil.yml", 1, 1), Message: "m\x1b[0m"}},
			diag.Style{},
			"error: m\ufffd[0m\n --> evil.yml:1:1\n  1 | a: \ufffd[31mred\n    | ^\n",
		},
		"long line": {
			diag.Problems{{Position: at("long.yml", 1, 300), Message: "m"}},
			diag.Style{},
			"error: m\n --> long.yml:1:300\n  1 | " + strings.Repeat("x", 160) + "…\n",
		},
		"secrets": {
			diag.Problems{{Position: at("config/system.config.yml", 2, 3), Message: "m"}, {Position: at("config/system.config.yml", 4, 3), Message: "n"}},
			diag.Style{},
			"error: m\n --> config/system.config.yml:2:3\n  1 | {password: *****, host: h}\n  2 |   cipherKey: *****\n    |   ^\n" +
				"error: n\n --> config/system.config.yml:4:3\n  3 |   secret: ${SESSION_SECRET}\n  4 |   secretOrPublicKeyFile: keys/a.pem\n    |   ^\n2 problems in config/system.config.yml\n",
		},
		"no secrets": {
			diag.Problems{{Position: at("egk8s.yml", 1, 1), Message: "m"}},
			diag.Style{},
			"error: m\n --> egk8s.yml:1:1\n  1 | tls: {default: {secret: api-tls}}\n    | ^\n",
		},
		"several of one file": {
			diag.Problems{{Position: at("a", 1, 1), Message: "one"}, {Position: at("a", 2, 1), Message: "two"}},
			diag.Style{},
			"error: one\n --> a:1:1\nerror: two\n --> a:2:1\n2 problems in a\n",
		},
		"errors and warnings": {
			diag.Problems{{Position: at("a", 1, 1), Message: "one", Severity: diag.Warning}, {Position: at("b", 2, 1), Message: "two", Severity: diag.Error}},
			diag.Style{},
			"warning: one\n --> a:1:1\nerror: two\n --> b:2:1\n1 error and 1 warning\n",
		},
		"only the first": {
			diag.Problems{{Message: "one"}, {Message: "two"}, {Message: "three"}},
			diag.Style{Max: 1, More: "egk8s validate"},
			"error: one\n3 problems (see all: egk8s validate)\n",
		},
		"colour": {
			diag.Problems{{Position: at("crlf.yml", 1, 1), Message: "m", Suggestion: "s", Severity: diag.Warning}},
			diag.Style{Colour: true},
			"\x1b[1;33mwarning:\x1b[0m m\n\x1b[2m -->\x1b[0m crlf.yml:1:1\n\x1b[2m  1 |\x1b[0m a: 1\n\x1b[2m    |\x1b[0m \x1b[1;33m^\x1b[0m\n\x1b[1;36mhelp:\x1b[0m did you mean \"s\"?\n",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, diag.Text(tc.problems, files, tc.style)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	policies := []string{"basic-auth", "cors", "key-auth", "log", "proxy", "rate-limit", "credentials", "allowedHeaders"}
	for word, want := range map[string]string{
		"proxi": "proxy", "Proxy": "proxy", "keyauth": "key-auth", "KEY-AUTH": "key-auth", "rate-limt": "rate-limit", "prxoy": "proxy",
		"allowHeaders": "allowedHeaders", "withCredentials": "credentials", "allowed": "allowedHeaders",
		"proxy": "", "keycloak": "", "x": "", "": "", "lag": "log", "lxy": "", "corrs": "cors",
	} {
		if got := diag.Suggest(word, policies); got != want {
			t.Errorf("Suggest(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestProblemsAsError(t *testing.T) {
	t.Parallel()
	warning := diag.Problem{Severity: diag.Warning, Position: diag.Position{File: "b", Line: 2}, Message: "w"}
	wrong := diag.Problem{Severity: diag.Error, Position: diag.Position{File: "a", Line: 1, Column: 2}, Message: "e", Suggestion: "s"}
	if err := (diag.Problems{warning}).Err(); err != nil {
		t.Errorf("warnings are an error: %v", err)
	}
	ps := diag.Problems{warning, wrong}
	ps.Sort()
	if got, want := ps.Err().Error(), "a:1:2: e (did you mean \"s\"?)\nb:2: w"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
