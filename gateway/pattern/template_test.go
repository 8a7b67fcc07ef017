package pattern_test

import (
	"testing"

	"egk8s.dev/egk8s/gateway/pattern"
)

// TestTemplate holds templates to what path-to-regexp 3.3.0 answered.
func TestTemplate(t *testing.T) {
	t.Parallel()
	tests := []struct{ match, rewrite, url, want string }{
		{"/u/:id/p/:pid", "/user?id=:id&post=:pid", "/u/1/p/2", "/user?id=1&post=2"},
		{"/u/:id/p/:pid", "/user?id=:id&post=:pid", "/u/1/p/2?x=1", "/user?id=1&post=2?x=1"},
		{"/u/:id/p/:pid", "/user?id=:id&post=:pid", "/U/a%2Fb/P/c/", "/user?id=a%2Fb&post=c"},
		{"/files/:path+", "/f/:path+", "/files/a/b/c", "/f/a/b/c"},
		{"/a/:b?", "/z/:b?", "/a", "/z"},
		{"/a/:b?", "/z/:b?", "/a/b", "/z/b"},
		{"/a/:b?", "/z/:b?", "/a/", "/z"},
		{"/n/:id(\\d+)", "/m/:id", "/n/12", "/m/12"},
		{"/a\\:b/:c", "/c-:c", "/a:b/q", "/c-q"},
		{"/x-:a-:b", "/:b/:a", "/x-1-2", "/2/1"},
		{"/*", "/s", "/*", "/s"},
		{"/:a:b", "/:b", "/x-1-2", "/-1-2"},
		{"/:a:b", "/:b", "/x-1-2-3", "/-1-2-3"},
		{"/:a:b", "/:b", "/ab", "/b"},
		{"/tina/:code", "/status/:code%20x", "/tina/7", "/status/7 x"},
		{"/v/:x", "https://o.test/:x", "/v/a-b", "https://o.test/a-b"},
		{"/v/:x*", "/w/:x*", "/v/a-b", "/w/a-b"},
		{"/v/:x*", "/w/:x*", "/v", "/w"},
		{"/v/:x*", "/w/:x*", "/v/a/b?c=/d", "/w/a/b?c=/d"},
		{"/(.*)", "/x/(.*)", "/U/a%2Fb/P/c/", "/x/U/a%2Fb/P/c/"},
		{"/(.*)", "/x/(.*)", "/anything/else?q=1", "/x/anything/else?q=1"},
		{"/(.*)", "/x/(.*)", "/a/", "/x/a/"},
		{"/x-:a-:b", "/:b/:a", "/x-1-2-3", ""},
		{"/n/:id(\\d+)", "/m/:id", "/n/x", ""},
		{"/u/:id/p/:pid", "/", "/u/1/p/", ""},
	}
	for _, tt := range tests {
		from, err := pattern.NewTemplate(tt.match)
		if err != nil {
			t.Fatal(err)
		}
		to, err := pattern.NewTemplate(tt.rewrite)
		if err != nil {
			t.Fatal(err)
		}
		params, ok := from.Match(tt.url)
		got := ""
		if ok {
			if got, err = to.Expand(params); err != nil {
				t.Fatal(err)
			}
		}
		if got != tt.want {
			t.Errorf("%s by %s to %s: %q, want %q", tt.url, tt.match, tt.rewrite, got, tt.want)
		}
	}
}

func TestTemplateErrors(t *testing.T) {
	t.Parallel()
	for source, params := range map[string]map[string]string{
		"/:a":         {},
		"/:a(\\d+)":   {"a": "x"},
		"/x-:a":       {"a": "1-2"},
		"/%zz/:a":     {"a": "1"},
		"/:a?/:b+/:c": {"b": "1"},
	} {
		to, err := pattern.NewTemplate(source)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := to.Expand(params); err == nil {
			t.Errorf("%s: %q, want an error", source, got)
		}
	}
	for _, source := range []string{"/:a(?=b)", "/:a([)", "/(*)"} {
		if _, err := pattern.NewTemplate(source); err == nil {
			t.Errorf("%s: compiled", source)
		}
	}
}

// TestReplaceFirst holds replacements to what node answered.
func TestReplaceFirst(t *testing.T) {
	t.Parallel()
	tests := []struct{ re, s, replacement, want string }{
		{`^/svc/(.*)$`, "/svc/a/b?x=1", "/$1", "/a/b?x=1"},
		{`b`, "abcb", "[$&]", "a[b]cb"},
		{`b`, "abc", "$`|$'|$$", "aa|c|$c"},
		{`(a)(b)?`, "ac", "$2$1$3$0$", "a$3$0$c"},
		{`(a)`, "a", "$10$01$11", "a0aa1"},
		{`(?<n>a)`, "a", "$<n>$<m>$<n", "a$<n"},
		{`a`, "a", "$<n>", "$<n>"},
		{`x`, "a", "$1", "a"},
	}
	for _, tt := range tests {
		re, err := pattern.Regexp(tt.re, false)
		if err != nil {
			t.Fatal(err)
		}
		if got := pattern.ReplaceFirst(re, tt.s, tt.replacement); got != tt.want {
			t.Errorf("%q.replace(/%s/, %q): %q, want %q", tt.s, tt.re, tt.replacement, got, tt.want)
		}
	}
}
