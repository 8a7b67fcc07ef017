package config

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"egk8s.dev/egk8s/gateway/config/schema"
	"egk8s.dev/egk8s/gateway/config/yaml"
	"egk8s.dev/egk8s/gateway/diag"
)

// spot is a place in a file that a problem can point to.
type spot struct {
	diag.Position
	length int
}

// value is the place of a scalar; of a list or map only where it begins.
func (t *tree) valueSpot(n *yaml.Node) spot {
	s := spot{Position: t.src.position(n.Start)}
	switch n.Kind {
	case yaml.Map, yaml.List:
		s.length = 1
	default:
		s.length = t.src.length(n.Start, n.End)
	}
	return s
}

// keySpot is the place of a key.
func (t *tree) keySpot(p *yaml.Pair) spot {
	return spot{Position: t.src.position(p.Key.Start), length: t.src.length(p.Key.Start, p.Key.End)}
}

// pairSpot is the place of a value, or of its key where the value is a collection or nothing.
func (t *tree) pairSpot(p *yaml.Pair) spot {
	n := p.Value
	if n.Kind == yaml.Map || n.Kind == yaml.List || n.Start == n.End {
		return t.keySpot(p)
	}
	return t.valueSpot(n)
}

// find follows a path from a node. It returns the pair that the path ends in, or a list item's node.
func find(n *yaml.Node, path schema.Path) (pair *yaml.Pair, item *yaml.Node) {
	item = n
	for _, e := range path {
		if item == nil {
			return nil, nil
		}
		switch item.Kind {
		case yaml.Map:
			next := item.Pair(e)
			if next == nil {
				return pair, item
			}
			pair, item = next, next.Value
		case yaml.List:
			i, err := strconv.Atoi(e)
			if err != nil || i >= len(item.Items) {
				return pair, item
			}
			pair, item = nil, item.Items[i]
		default:
			return pair, item
		}
	}
	return pair, item
}

// violationSpot is where a violation below node n is best seen.
func (t *tree) violationSpot(n *yaml.Node, own *yaml.Pair, v schema.Violation) spot {
	pair, item := find(n, v.Path)
	if pair == nil && len(v.Path) == 0 {
		pair = own
	}
	switch {
	case v.Key != "" && item != nil && item.Pair(v.Key) != nil:
		return t.keySpot(item.Pair(v.Key))
	case pair != nil:
		return t.pairSpot(pair)
	case item != nil:
		return t.valueSpot(item)
	default:
		return spot{Position: diag.Position{File: t.src.file}}
	}
}

// problem makes a Problem of a violation that lies below node n, the value of pair own (nil: none).
// subject names that node.
func (t *tree) problem(n *yaml.Node, own *yaml.Pair, subject string, v schema.Violation) diag.Problem {
	name := subject
	if path := v.Path.String(); path != "" {
		name += path
	}
	s := t.violationSpot(n, own, v)
	p := diag.Problem{
		Code: violationCode(v.Code), Severity: diag.Error, Position: s.Position, Length: s.length,
		Message: name + " " + v.Message, Suggestion: v.Suggestion,
	}
	return p
}

// violation adds the problem of a violation below node n. Where an unset variable is to blame it says so, once.
func (l *loader) violation(t *tree, p diag.Problem, v schema.Violation, n *yaml.Node) {
	_, item := find(n, v.Path)
	if item != nil && item.Kind != yaml.Map && item.Kind != yaml.List {
		for _, ref := range t.src.references(item.Start, item.End) {
			if !ref.unset {
				continue
			}
			p.Label = "variable " + ref.name + " is not set: null stands here"
			p.Hint = unsetHint(ref.name)
			l.forget(t.src.file, t.src.original, ref.from, ref.length)
		}
	}
	l.problem(p)
}

// forget drops the warnings of unset variables inside a range of a file: they were told otherwise, or do not matter.
func (l *loader) forget(file, original string, from, length int) {
	first, last := positionAt(file, original, from), positionAt(file, original, from+length)
	l.problems = slices.DeleteFunc(l.problems, func(p diag.Problem) bool {
		return p.Code == "variable-unset" && p.File == file && comparePositions(p.Position, first) >= 0 && comparePositions(p.Position, last) <= 0
	})
}

func comparePositions(a, b diag.Position) int {
	return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

func violationCode(keyword string) string {
	switch keyword {
	case "required", "oneOf", "anyOf", "dependencies":
		return "missing-key"
	case "additionalProperties", "propertyNames":
		return "unknown-key"
	default:
		return "invalid-value"
	}
}

// fileProblem is a violation of the file's own schema.
func (t *tree) fileProblem(v schema.Violation) diag.Problem {
	p := t.problem(t.root, nil, "", v)
	if len(v.Path) == 0 {
		p.Message = t.src.file + " " + v.Message
	}
	if v.Code == "maxProperties" {
		p.Message = v.Path.String() + " has more than one policy: every policy needs an entry of its own"
		p.Hint = `put each policy behind a "- " of its own`
		p.Code = "two-policies"
	}
	return p
}

// report adds a problem at a place.
func (l *loader) report(s spot, severity diag.Severity, p diag.Problem) {
	p.Position, p.Length, p.Severity = s.Position, s.length, severity
	l.problem(p)
}

// ordered returns the pairs of a map as JavaScript enumerates them: names that are array indexes first, ascending.
func ordered(n *yaml.Node) []*yaml.Pair {
	if n == nil {
		return nil
	}
	pairs := make([]*yaml.Pair, len(n.Pairs))
	for i := range n.Pairs {
		pairs[i] = &n.Pairs[i]
	}
	slices.SortStableFunc(pairs, func(a, b *yaml.Pair) int { return cmp.Compare(arrayIndex(a.Name), arrayIndex(b.Name)) })
	return pairs
}

// arrayIndex is the number of a name that is an array index, else infinite.
func arrayIndex(name string) uint64 {
	i, err := strconv.ParseUint(name, 10, 32)
	if err != nil || i == math.MaxUint32 || strconv.FormatUint(i, 10) != name {
		return math.MaxUint64
	}
	return i
}

// child is an element of a list or map: its place in the file and its value after coercion.
type child struct {
	name  string
	pair  *yaml.Pair // nil for an item of a list
	node  *yaml.Node
	value any
}

// children lists the elements of a collection as a JavaScript for-in does; nil when it is none.
func children(n *yaml.Node, v any) []child {
	switch v := v.(type) {
	case map[string]any:
		var list []child
		for _, p := range ordered(n) {
			list = append(list, child{p.Name, p, p.Value, v[p.Name]})
		}
		return list
	case []any:
		var list []child
		for i, item := range n.Items {
			if i < len(v) {
				list = append(list, child{strconv.Itoa(i), nil, item, v[i]})
			}
		}
		return list
	default:
		return nil
	}
}

func (t *tree) childSpot(c child) spot {
	if c.pair != nil {
		return t.keySpot(c.pair)
	}
	return t.valueSpot(c.node)
}

// get returns the element of a map; its node is never nil.
func (c child) get(name string) (child, bool) {
	m, _ := c.value.(map[string]any)
	v, ok := m[name]
	if !ok {
		return child{name: name, node: c.node}, false
	}
	if p := c.node.Pair(name); p != nil {
		return child{name, p, p.Value, v}, true
	}
	return child{name: name, pair: c.pair, node: c.node, value: v}, true // a default
}

func (t *tree) top() child { return child{node: t.root, value: t.value} }

// truthy is JavaScript's idea of true.
func truthy(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case float64:
		return v != 0 && !math.IsNaN(v)
	case string:
		return v != ""
	default:
		return true
	}
}
