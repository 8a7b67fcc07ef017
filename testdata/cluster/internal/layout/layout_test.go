package layout_test

import (
	"strings"
	"testing"

	"egk8s.dev/egk8s/testdata/cluster/internal/layout"
)

func TestDefaultCache(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		env  map[string]string
		home string
		want string
	}{
		"home":     {home: "/home/u", want: "/home/u/.cache/egk8s/cluster"},
		"xdg":      {home: "/home/u", env: map[string]string{"XDG_CACHE_HOME": "/x"}, want: "/x/egk8s/cluster"},
		"variable": {env: map[string]string{"XDG_CACHE_HOME": "/x", layout.CacheVariable: "/c"}, want: "/c"},
		"nothing":  {},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := layout.DefaultCache(func(k string) string { return tt.env[k] }, tt.home)
			if (err != nil) != (tt.want == "") {
				t.Fatalf("error %v", err)
			}
			if got.Dir != tt.want {
				t.Errorf("got %q, want %q", got.Dir, tt.want)
			}
		})
	}
}

func TestCheckName(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{
		"egk8s": true, "a": true, "a-1": true, "": false, "A": false, "-a": false, "a-": false, "a/b": false, "..": false,
		strings.Repeat("a", 32): true, strings.Repeat("a", 33): false,
	} {
		if err := layout.CheckName(name); (err == nil) != ok {
			t.Errorf("name %q: %v", name, err)
		}
	}
}

func TestIDsOfTwoUsersDiffer(t *testing.T) {
	t.Parallel()
	a := layout.Cache{Dir: "/home/a"}.Cluster("egk8s").ID()
	b := layout.Cache{Dir: "/home/b"}.Cluster("egk8s").ID()
	if a == b || !strings.HasPrefix(a, "egk8s-") {
		t.Errorf("got %q and %q", a, b)
	}
}
