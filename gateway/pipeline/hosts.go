package pipeline

import (
	"iter"
	"slices"
	"strings"

	"egk8s.dev/egk8s/gateway/pattern"
)

// hostTable finds the groups whose host pattern matches a name, in order.
type hostTable struct {
	patterns []*pattern.Host
	// exact has every name that some pattern stands for exactly, with all groups that match it.
	exact map[string][]int
	// open are the groups that an unlisted name can match.
	open []int
}

func newHostTable(patterns []*pattern.Host) *hostTable {
	t := &hostTable{patterns: patterns, exact: map[string][]int{}}
	for i, p := range patterns {
		if name, ok := p.Exact(); ok {
			t.exact[name] = append(t.exact[name], i)
		} else {
			t.open = append(t.open, i)
		}
	}
	for name, groups := range t.exact {
		for _, i := range t.open {
			if patterns[i].Match(name) {
				groups = append(groups, i)
			}
		}
		slices.Sort(groups)
		t.exact[name] = groups
	}
	return t
}

// match yields the groups of a host name in order.
func (t *hostTable) match(name string) iter.Seq[int] {
	return func(yield func(int) bool) {
		if groups, ok := t.exact[strings.ToLower(name)]; ok {
			for _, i := range groups {
				if !yield(i) {
					return
				}
			}
			return
		}
		for _, i := range t.open {
			if t.patterns[i].Match(name) && !yield(i) {
				return
			}
		}
	}
}
