package pipeline

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/pattern"
)

// TestTableFindsWhatTryingEveryRouteFinds holds the table to the plain way: every route in order.
func TestTableFindsWhatTryingEveryRouteFinds(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"/a", "/b", "/ab", "/A", "/:x", "/:x?", "/*", "*", "/a?b", "/(a|b)", "/", "/a.b", "|/a", "/c+"}
	texts := []string{"/a", "/b", "/ab", "/AB", "/", "//", "/a.b", "/ccc", "/x"}
	pick := func(list []string, most int) string {
		var b strings.Builder
		for range 1 + random.IntN(most) {
			b.WriteString(list[random.IntN(len(list))])
		}
		return b.String()
	}
	for range 300 {
		var list []*route
		for range 1 + random.IntN(12) {
			path, err := pattern.NewPath(pick(pieces, 3))
			if err != nil {
				continue
			}
			list = append(list, &route{path: path})
		}
		table := newRouteTable(list)
		for range 20 {
			path := pick(texts, 4)
			var want, got []int
			for i, r := range list {
				if r.path.Match(path) != pattern.No {
					want = append(want, i)
				}
			}
			found := table.candidates(path)
			for i := found.next(-1); i >= 0; i = found.next(i) {
				if list[i].path.Match(path) != pattern.No {
					got = append(got, i)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s with %v (-want +got):\n%s", path, list, diff)
			}
		}
	}
}

func TestHostTableKeepsTheOrder(t *testing.T) {
	t.Parallel()
	table := newHostTable([]*pattern.Host{
		pattern.NewHost("*.a.test"), pattern.NewHost("x.a.test"), pattern.NewHost("*"), pattern.NewHost("b.test"),
	})
	tests := map[string][]int{"X.a.test": {0, 1, 2}, "y.a.test": {0, 2}, "b.test": {2, 3}, "": {2}, "c": {2}}
	for name, want := range tests {
		var got []int
		for i := range table.match(name) {
			got = append(got, i)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", name, diff)
		}
	}
}

func BenchmarkCandidates(b *testing.B) {
	var list []*route
	for i := range 1000 {
		path, err := pattern.NewPath("/service" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + "/:id")
		if err != nil {
			b.Fatal(err)
		}
		list = append(list, &route{path: path})
	}
	table := newRouteTable(list)
	b.ReportAllocs()
	for b.Loop() {
		found := table.candidates("/servicexxxk/12")
		if found.next(-1) < 0 {
			b.Fatal("no candidate")
		}
	}
}
