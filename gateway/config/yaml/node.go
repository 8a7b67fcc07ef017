// Package yaml reads YAML as js-yaml 3 does, the library by which Express Gateway reads its files, and keeps
// for every node where it stands.
//
// It differs from YAML 1.1 and 1.2 where js-yaml 3 does: yes, no, on and off are strings; 0o17 is a string and
// 017 is fifteen; 1:30 is ninety; a key may stand only once in a map. It is stricter in one place: a tab
// cannot indent, where js-yaml 3 silently takes such a line for a less indented one.
package yaml

import (
	"fmt"
	"strings"

	"egk8s.dev/egk8s/gateway/config/schema"
)

// Kind is what a node is.
type Kind int

// The kinds of nodes.
const (
	Null Kind = iota
	Bool
	Number
	String
	Date
	Regexp
	List
	Map
)

// Node is one value with its place in the text. Nodes may be shared by aliases; do not change them.
type Node struct {
	Kind Kind
	// Start and End are byte offsets of the value in the text; an alias's value keeps its own place.
	Start, End int
	// Value is nil, bool, float64, string or schema.Regexp, by Kind; a Date keeps its text.
	Value any
	Items []*Node
	// Pairs are in file order; merged keys stand where the merge does.
	Pairs []Pair

	plain bool   // an unquoted scalar
	text  string // of a plain scalar, as written
}

// Pair is one key of a map with its value.
type Pair struct {
	Name  string // the key as JavaScript's String(key)
	Key   *Node
	Value *Node

	merged bool // came by "<<": a key of the map itself replaces it
}

// Error is where and why a text is not YAML.
type Error struct {
	Offset int // in bytes
	Length int // in bytes; 0: unknown
	Code   string
	Text   string
	Hint   string
}

// Error returns what is wrong, without the place.
func (e *Error) Error() string { return e.Text }

// Get returns the value of a key, or nil.
func (n *Node) Get(name string) *Node {
	if p := n.Pair(name); p != nil {
		return p.Value
	}
	return nil
}

// Pair returns the pair of a key, or nil; n may be nil.
func (n *Node) Pair(name string) *Pair {
	if n == nil {
		return nil
	}
	for i := range n.Pairs {
		if n.Pairs[i].Name == name {
			return &n.Pairs[i]
		}
	}
	return nil
}

// maxValues bounds what aliases can blow up.
const maxValues = 1 << 18

// Any turns the node into the values of encoding/json. What scalar returns, when not nil,
// replaces a scalar's value.
func (n *Node) Any(scalar func(*Node) (any, bool)) (any, error) {
	left := maxValues
	return n.convert(scalar, &left)
}

func (n *Node) convert(scalar func(*Node) (any, bool), left *int) (any, error) {
	if *left--; *left < 0 {
		return nil, &Error{Offset: n.Start, Code: "yaml-aliases", Text: "aliases make this file too large"}
	}
	switch n.Kind {
	case Map:
		m := make(map[string]any, len(n.Pairs))
		for _, p := range n.Pairs {
			v, err := p.Value.convert(scalar, left)
			if err != nil {
				return nil, err
			}
			m[p.Name] = v
		}
		return m, nil
	case List:
		list := make([]any, len(n.Items))
		for i, item := range n.Items {
			v, err := item.convert(scalar, left)
			if err != nil {
				return nil, err
			}
			list[i] = v
		}
		return list, nil
	default:
		if scalar != nil {
			if v, ok := scalar(n); ok {
				return v, nil
			}
		}
		return n.Value, nil
	}
}

// keyName is JavaScript's String(key), by which js-yaml names a property.
func keyName(n *Node) (string, bool) {
	switch n.Kind {
	case Null:
		return "null", true
	case Bool:
		return fmt.Sprint(n.Value), true
	case Number:
		return schema.FormatNumber(n.Value.(float64)), true
	case String, Date:
		return n.Value.(string), true
	default:
		return "", false
	}
}

// add stores a pair; it returns false when the key stands twice.
func (n *Node) add(p Pair) bool {
	old := n.Pair(p.Name)
	switch {
	case old == nil:
		n.Pairs = append(n.Pairs, p)
	case p.merged:
	case old.merged:
		*old = p
	default:
		return false
	}
	return true
}

// merge adds the keys of a "<<" value that the map does not have yet.
func (n *Node) merge(source *Node) bool {
	switch source.Kind {
	case Map:
		for _, p := range source.Pairs {
			n.add(Pair{Name: p.Name, Key: p.Key, Value: p.Value, merged: true})
		}
		return true
	case List:
		for _, item := range source.Items {
			if item.Kind != Map || !n.merge(item) {
				return false
			}
		}
		return true
	default:
		return false
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }
func isBreak(c byte) bool { return c == '\n' || c == '\r' }
func isSpace(c byte) bool { return isBlank(c) || isBreak(c) }

// isFlow tells whether c is one of the characters that structure a flow collection.
func isFlow(c byte) bool { return strings.IndexByte(",[]{}", c) >= 0 }
