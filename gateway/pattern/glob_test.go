package pattern_test

import (
	"strings"
	"testing"

	"egk8s.dev/egk8s/gateway/pattern"
)

func TestGlobMatch(t *testing.T) {
	t.Parallel()
	tests := []struct {
		glob    string
		yes, no []string
	}{
		{"*.test", []string{"a.test", "a.b.test"}, []string{"test", ".test", "a.test:80", "A.TEST"}},
		{"{a,b}.te[rs]t", []string{"a.test", "b.tert"}, []string{"c.test", "a.tent"}},
		{"h{1..3}", []string{"h1", "h3"}, []string{"h4", "h"}},
		{"{a{x,y},b}", []string{"ax", "ay", "b"}, []string{"a", "bx"}},
		{"a?c", []string{"abc"}, []string{"ac", "abbc"}},
		{"!a.test", []string{"b.test"}, []string{"a.test"}},
		{"[!a]b", []string{"xb"}, []string{"ab"}},
		{"@(x|y).z", []string{"x.z", "y.z"}, []string{"xy.z"}},
		{"#a", nil, []string{"#a", "a"}},
		{"a.b", []string{"a.b"}, []string{"axb"}},
		{"*", []string{"x", "x.y"}, []string{"", ".x"}},
		{"{a}", []string{"{a}"}, []string{"a"}},
	}
	for _, tt := range tests {
		t.Run(tt.glob, func(t *testing.T) {
			t.Parallel()
			g, err := pattern.NewGlob(tt.glob)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range tt.yes {
				if !g.Match(name) {
					t.Errorf("%q does not match %q", tt.glob, name)
				}
			}
			for _, name := range tt.no {
				if g.Match(name) {
					t.Errorf("%q matches %q", tt.glob, name)
				}
			}
		})
	}
}

func TestHostMatch(t *testing.T) {
	t.Parallel()
	tests := []struct {
		host    string
		yes, no []string
	}{
		{"", []string{"", "a"}, nil},
		{"*", []string{"", "a.b"}, nil},
		{"api.test", []string{"api.test", "API.test"}, []string{"x.api.test", ""}},
		{"*.api.test", []string{"a.api.test"}, []string{"a.b.api.test", "api.test", ".api.test"}},
	}
	for _, tt := range tests {
		h := pattern.NewHost(tt.host)
		for _, name := range tt.yes {
			if !h.Match(name) {
				t.Errorf("%q does not match %q", tt.host, name)
			}
		}
		for _, name := range tt.no {
			if h.Match(name) {
				t.Errorf("%q matches %q", tt.host, name)
			}
		}
	}
	re, err := pattern.NewHostRegexp(`a\d|b`)
	if err != nil {
		t.Fatal(err)
	}
	if !re.Match("a1") || re.Match("xb.test") && re.Match("c") {
		t.Error("a host expression covers the whole name")
	}
}

func TestRegexpTranslation(t *testing.T) {
	t.Parallel()
	tests := []struct {
		source, text string
		want         bool
	}{
		{`^\/a\/`, "/a/b", true},
		{`[^]x`, "\nx", true},
		{`[]`, "a", false},
		{`\u0041`, "A", true},
		{`[[]`, "[", true},
		{`\e`, "e", true},
		{`(?<y>\d{4})`, "2024", true},
	}
	for _, tt := range tests {
		re, err := pattern.Regexp(tt.source, false)
		if err != nil {
			t.Errorf("%s: %v", tt.source, err)
			continue
		}
		if got := re.MatchString(tt.text); got != tt.want {
			t.Errorf("/%s/ on %q: %v, want %v", tt.source, tt.text, got, tt.want)
		}
	}
}

func TestGlobIsBounded(t *testing.T) {
	t.Parallel()
	for _, source := range []string{
		strings.Repeat("{a,b}", 40), "{0..1000}{0..1000}", strings.Repeat("{a,", 100) + "b" + strings.Repeat("}", 100),
		strings.Repeat("{", 1<<20), strings.Repeat("{a}", 1<<11),
	} {
		if _, err := pattern.NewGlob(source); err == nil {
			t.Errorf("%.20s… of %d bytes was compiled", source, len(source))
		}
	}
	if _, err := pattern.NewGlob("{0..1000}.test"); err != nil {
		t.Error(err)
	}
}

// FuzzGlob holds that no glob and no name panics or takes long.
func FuzzGlob(f *testing.F) {
	for _, source := range []string{"*.a.test", "{a,b{1..3}}", "+(a|b)", "[!a-c]", "[[]", "!a", "\\*", "?(a", "{a,b}{c,d}", "[z-a]"} {
		f.Add(source, "a.test")
	}
	f.Fuzz(func(_ *testing.T, source, name string) {
		if g, err := pattern.NewGlob(source); err == nil {
			g.Match(name)
		}
	})
}
