package pipeline

import (
	"math"
	"strings"
)

// routeTable finds the routes that may match a path, in order, without trying every one.
//
// A route with a plain path is found in a map; every other one is found in a tree by what its paths begin
// with. Both only ever leave out routes that cannot match: the route itself has the last word.
type routeTable struct {
	list  []*route
	exact map[string][]int
	tree  node
}

// node is a place in the tree of prefixes; a chain of places with one way on is one node.
type node struct {
	label  string  // what leads here from the node above
	routes []int   // whose prefix ends here, in order
	first  string  // of every child's label the first byte
	next   []*node // the children, in the order of first
}

func newRouteTable(list []*route) *routeTable {
	t := &routeTable{list: list, exact: map[string][]int{}}
	for i, r := range list {
		if path, ok := r.path.Exact(); ok {
			t.exact[path] = append(t.exact[path], i)
			continue
		}
		n := t.tree.insert(r.path.Prefix())
		n.routes = append(n.routes, i)
	}
	return t
}

// insert returns the node of a prefix below n; it makes what is missing.
func (n *node) insert(prefix string) *node {
	for prefix != "" {
		at := strings.IndexByte(n.first, prefix[0])
		if at < 0 {
			child := &node{label: prefix}
			n.first, n.next = n.first+prefix[:1], append(n.next, child)
			return child
		}
		child := n.next[at]
		same := 1
		for same < min(len(prefix), len(child.label)) && prefix[same] == child.label[same] {
			same++
		}
		if same < len(child.label) { // the ways part inside of the label
			between := &node{label: child.label[:same], first: child.label[same : same+1], next: []*node{child}}
			child.label = child.label[same:]
			n.next[at] = between
			child = between
		}
		n, prefix = child, prefix[same:]
	}
	return n
}

// child returns the node that a path leads on to, and the rest of the path; nil: none.
func (n *node) child(path string) (*node, string) {
	if path == "" {
		return nil, ""
	}
	at := strings.IndexByte(n.first, fold(path[0]))
	if at < 0 {
		return nil, ""
	}
	child := n.next[at]
	if len(path) < len(child.label) {
		return nil, ""
	}
	for i := 1; i < len(child.label); i++ {
		if fold(path[i]) != child.label[i] {
			return nil, ""
		}
	}
	return child, path[len(child.label):]
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
	for n, rest := &t.tree, path; n != nil; n, rest = n.child(rest) {
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
