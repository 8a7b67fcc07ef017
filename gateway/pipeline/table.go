package pipeline

import "math"

// routeTable finds the routes that may match a path, in order, without trying every one.
//
// A route with a plain path is found in a map; every other one is found in a tree by what its paths begin
// with. Both only ever leave out routes that cannot match: the route itself has the last word.
type routeTable struct {
	list  []*route
	exact map[string][]int
	tree  node
}

// node is a place in the tree of prefixes.
type node struct {
	routes []int // whose prefix ends here, in order
	next   map[byte]*node
}

func newRouteTable(list []*route) *routeTable {
	t := &routeTable{list: list, exact: map[string][]int{}}
	for i, r := range list {
		if path, ok := r.path.Exact(); ok {
			t.exact[path] = append(t.exact[path], i)
			continue
		}
		n := &t.tree
		prefix := r.path.Prefix()
		for j := range len(prefix) {
			child := n.next[prefix[j]]
			if child == nil {
				child = &node{}
				if n.next == nil {
					n.next = map[byte]*node{}
				}
				n.next[prefix[j]] = child
			}
			n = child
		}
		n.routes = append(n.routes, i)
	}
	return t
}

// maxLists is how many lists of candidates a path can have without an allocation.
const maxLists = 8

// candidates are the routes that may match one path: some lists, each in order.
type candidates struct {
	fixed [maxLists][]int
	more  [][]int
	n     int
}

func (c *candidates) add(list []int) {
	switch {
	case len(list) == 0:
	case c.n < maxLists:
		c.fixed[c.n] = list
		c.n++
	default:
		c.more = append(c.more, list)
	}
}

// next returns the first candidate behind last, or -1.
func (c *candidates) next(last int) int {
	best := math.MaxInt
	for i := range c.n {
		c.fixed[i] = skip(c.fixed[i], last)
		if len(c.fixed[i]) > 0 {
			best = min(best, c.fixed[i][0])
		}
	}
	for i := range c.more {
		c.more[i] = skip(c.more[i], last)
		if len(c.more[i]) > 0 {
			best = min(best, c.more[i][0])
		}
	}
	if best == math.MaxInt {
		return -1
	}
	return best
}

func skip(list []int, last int) []int {
	for len(list) > 0 && list[0] <= last {
		list = list[1:]
	}
	return list
}

// candidates collects the lists for a path.
func (t *routeTable) candidates(path string) candidates {
	var c candidates
	if len(t.exact) > 0 {
		lower := lowerASCII(path)
		c.add(t.exact[lower])
		if n := len(lower); n > 0 && lower[n-1] == '/' {
			c.add(t.exact[lower[:n-1]])
		}
	}
	n := &t.tree
	c.add(n.routes)
	for i := range len(path) {
		if n = n.next[fold(path[i])]; n == nil {
			break
		}
		c.add(n.routes)
	}
	return c
}

func fold(b byte) byte {
	if b >= 'A' && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

// lowerASCII folds ASCII letters only; it returns s itself when there are no capitals.
func lowerASCII(s string) string {
	for i := range len(s) {
		if fold(s[i]) != s[i] {
			b := []byte(s)
			for ; i < len(b); i++ {
				b[i] = fold(b[i])
			}
			return string(b)
		}
	}
	return s
}
