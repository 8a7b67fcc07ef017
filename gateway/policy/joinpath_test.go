package policy

import "testing"

// TestJoinPath holds paths to what a service behind Express Gateway saw.
func TestJoinPath(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ base, rest, want string }{
		{"/", "/", "/"},
		{"", "//", "/"},
		{"", "//a//b", "/a/b"},
		{"", "/a//b?x=//y", "/a/b?x=//y"},
		{"", "/http://x/y", "/http://x/y"},
		{"", "/x/https://y//z", "/x/https://y/z"},
		{"", "/a?", "/a?"},
		{"", "/a??b=?", "/a??b=?"},
		{"/base", "/", "/base/"},
		{"/base/", "/a?x", "/base/a?x"},
		{"/base//x", "", "/base/x"},
		{"/base", "?x", "/base?x"},
		{"", "", "/"},
		{"", "a", "/a"},
		{"/base?q=1", "/a?b", "/base?q=1/a?b"},
	} {
		if got := joinPath(tt.base, tt.rest); got != tt.want {
			t.Errorf("%q and %q: %q, want %q", tt.base, tt.rest, got, tt.want)
		}
	}
}
