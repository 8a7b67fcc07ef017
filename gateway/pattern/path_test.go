package pattern_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/pattern"
)

func TestPathMatch(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pattern string
		yes, no []string
	}{
		{"/ip", []string{"/ip", "/IP", "/ip/"}, []string{"/", "/ip/x", "/ipx", "/ip//", "ip"}},
		{"/", []string{"/", ""}, []string{"//", "/a"}},
		{"/a/", []string{"/a", "/a/", "/A/"}, []string{"/a//", "/ab"}},
		{"/a/*", []string{"/a/", "/a/b/c", "/A/b"}, []string{"/a", "/ab", "/"}},
		{"/a*", []string{"/a", "/abc", "/a/b"}, []string{"/b", "/"}},
		{"*", []string{"/", "/x/y", "//"}, nil},
		{"", []string{"/", "/x"}, nil},
		{"a/b", nil, []string{"/a/b", "/"}},
		{"/u/:id", []string{"/u/1", "/u/1/", "/U/a%2Fb"}, []string{"/u", "/u/", "/u/1/2"}},
		{"/u/:id?", []string{"/u", "/u/", "/u/1"}, []string{"/u/1/2"}},
		{`/u/:id(\d+)`, []string{"/u/12"}, []string{"/u/a", "/u/1a"}},
		{`/u/:id(\d*)`, []string{"/u/12", "/u/"}, []string{"/u/a"}},
		{"/(red|blue)/x", []string{"/red/x", "/blue/x"}, []string{"/green/x", "/x"}},
		{"/ab?cd", []string{"/acd", "/abcd"}, []string{"/abbcd"}},
		{"/ab+cd", []string{"/abcd", "/abbbcd"}, []string{"/acd"}},
		{"/a/*/b", []string{"/a/x/b", "/a/x/y/b"}, []string{"/a/b", "/a/x/c"}},
		{"/f/:name.:ext", []string{"/f/a.txt"}, []string{"/f/a"}},
		{"/r/:from-:to", []string{"/r/a-b"}, []string{"/r/ab"}},
		{"/a|/b", []string{"/a", "/b", "/ax"}, []string{"/c"}},
		{"/v1.0/x", []string{"/v1.0/x"}, []string{"/v1a0/x"}},
	}
	for _, tt := range tests {
		t.Run(tt.pattern, func(t *testing.T) {
			t.Parallel()
			p, err := pattern.NewPath(tt.pattern)
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range tt.yes {
				if got := p.Match(path); got != pattern.Yes {
					t.Errorf("%q on %q: %v, want a match", tt.pattern, path, got)
				}
			}
			for _, path := range tt.no {
				if got := p.Match(path); got != pattern.No {
					t.Errorf("%q on %q: %v, want none", tt.pattern, path, got)
				}
			}
		})
	}
}

func TestPathMatchMalformed(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"/u/:id", "/u/*", "*", "/u/:id(.*)"} {
		p, err := pattern.NewPath(source)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/u/%zz", "/u/%ff"} {
			if got := p.Match(path); got != pattern.Malformed {
				t.Errorf("%q on %q: %v, want malformed", source, path, got)
			}
		}
	}
}

func TestPathParams(t *testing.T) {
	t.Parallel()
	p, err := pattern.NewPath("/u/:id/:rest?")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"id": "a/b", "rest": ""}
	if diff := cmp.Diff(want, p.Params("/u/a%2Fb")); diff != "" {
		t.Errorf("params (-want +got):\n%s", diff)
	}
}

func TestPathRefusesLookaround(t *testing.T) {
	t.Parallel()
	if _, err := pattern.NewPath("/a(?=b)"); !errors.Is(err, pattern.ErrLookaround) {
		t.Errorf("got %v, want ErrLookaround", err)
	}
	if _, err := pattern.NewPath("/a(b"); err == nil {
		t.Error("an unclosed group was accepted")
	}
}

func TestPathRegexpIsSearchedWithCase(t *testing.T) {
	t.Parallel()
	p, err := pattern.NewPathRegexp(`/v\d+/`)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]pattern.Match{"/x/v12/y": pattern.Yes, "/x/V12/y": pattern.No, "/v/": pattern.No} {
		if got := p.Match(path); got != want {
			t.Errorf("%q: %v, want %v", path, got, want)
		}
	}
}

// FuzzPath holds the short cuts (exact, prefix, literal prefix) to the expression they stand for.
func FuzzPath(f *testing.F) {
	for _, s := range []string{"/a", "/a/", "/a/*", "*", "/a/:b", "/a/:b?", "/ab?c", "/(x|y)", "/a.b", "/a-:b.:c", "/a|b(c)"} {
		f.Add(s, "/a/b/c")
		f.Add(s, "/A")
	}
	f.Fuzz(func(t *testing.T, source, path string) {
		if strings.ContainsAny(path, "%\n\r\u2028\u2029\u212a\u017f") || !isPrintable(source+path) || !strings.HasPrefix(path, "/") {
			return
		}
		p, err := pattern.NewPath(source)
		if err != nil || source == "" || source == "*" {
			return
		}
		re, err := pattern.Regexp(pattern.PathExpression(source), true)
		if err != nil {
			t.Fatalf("%q compiles as path, not as expression: %v", source, err)
		}
		want := re.MatchString(path)
		if got := p.Match(path) == pattern.Yes; got != want {
			t.Errorf("%q on %q: %v, its expression %s says %v", source, path, got, re, want)
		}
		if lower := strings.ToLower(path); want && !strings.HasPrefix(lower, p.Prefix()) {
			t.Errorf("%q matches %q, which does not begin with %q", source, path, p.Prefix())
		}
	})
}

func isPrintable(s string) bool { return regexp.MustCompile(`^[ -~]*$`).MatchString(s) }
