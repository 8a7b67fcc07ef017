package file

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"egk8s.dev/egk8s/gateway/config/schema"
	"egk8s.dev/egk8s/gateway/config/yaml"
	"egk8s.dev/egk8s/gateway/diag"
)

const (
	maxDepth  = 16      // how deep values may nest; consumers.yml needs four levels
	maxValues = 4 << 20 // how many values there may be: aliases can repeat some
)

// value is one YAML value with its place. Exactly one of the forms is set.
type value struct {
	pos    diag.Position
	scalar any    // string, bool, float64 or nil
	text   string // a scalar as written
	list   []value
	fields []field // in file order
	form   form
}

type form int

const (
	isScalar form = iota
	isList
	isMap
)

func (f form) String() string { return [...]string{"a single value", "a list", "a map"}[f] }

type field struct {
	name  string
	pos   diag.Position
	value value
}

// get returns the field's value, nil when there is none.
func (v value) get(name string) *value {
	for i := range v.fields {
		if v.fields[i].name == name {
			return &v.fields[i].value
		}
	}
	return nil
}

// plain is the value as JSON would have it.
func (v value) plain() any {
	switch v.form {
	case isList:
		out := make([]any, len(v.list))
		for i, one := range v.list {
			out[i] = one.plain()
		}
		return out
	case isMap:
		out := make(map[string]any, len(v.fields))
		for _, f := range v.fields {
			out[f.name] = f.value.plain()
		}
		return out
	default:
		return v.scalar
	}
}

// reader turns a text into values and collects what is wrong.
type reader struct {
	file     string
	text     string
	lines    []int // where each line begins
	values   int
	problems diag.Problems
}

func (r *reader) add(code string, pos diag.Position, format string, args ...any) *diag.Problem {
	r.problems = append(r.problems, diag.Problem{
		Code: code, Severity: diag.Error, Position: pos, Message: fmt.Sprintf(format, args...),
	})
	return &r.problems[len(r.problems)-1]
}

// parse reads one document; an empty one is an empty map. False means that a problem was added.
func (r *reader) parse(text []byte) (value, bool) {
	r.text = string(text)
	r.lines = []int{0}
	for i := range len(r.text) {
		if r.text[i] == '\n' {
			r.lines = append(r.lines, i+1)
		}
	}
	root, err := yaml.Parse(r.text)
	if syntax, ok := errors.AsType[*yaml.Error](err); ok {
		p := r.add(syntax.Code, r.at(syntax.Offset), "%s", syntax.Text)
		p.Hint = syntax.Hint
		return value{}, false
	}
	if err != nil {
		r.add("yaml-syntax", diag.Position{File: r.file}, "%s", err)
		return value{}, false
	}
	if root == nil || root.Kind == yaml.Null {
		return value{form: isMap, pos: r.at(0)}, true
	}
	return r.read(root, 0)
}

// at turns a place in the text into line and column, which count characters.
func (r *reader) at(offset int) diag.Position {
	offset = min(max(offset, 0), len(r.text))
	line, found := slices.BinarySearch(r.lines, offset)
	if !found {
		line--
	}
	return diag.Position{
		File: r.file, Line: line + 1, Column: utf8.RuneCountInString(r.text[r.lines[line]:offset]) + 1,
	}
}

func (r *reader) read(n *yaml.Node, depth int) (value, bool) {
	v := value{pos: r.at(n.Start)}
	if r.values++; depth > maxDepth || r.values > maxValues {
		r.add("too-deep", v.pos, "values nest deeper than %d levels, or aliases make the file too large", maxDepth)
		return v, false
	}
	switch n.Kind {
	case yaml.Map:
		v.form = isMap
		for _, p := range n.Pairs {
			one, ok := r.read(p.Value, depth+1)
			if !ok {
				return v, false
			}
			v.fields = append(v.fields, field{name: p.Name, pos: r.at(p.Key.Start), value: one})
		}
	case yaml.List:
		v.form = isList
		for _, item := range n.Items {
			one, ok := r.read(item, depth+1)
			if !ok {
				return v, false
			}
			v.list = append(v.list, one)
		}
	default:
		r.scalar(&v, n)
	}
	return v, true
}

// scalar keeps a plain scalar as it is written too: a key id 017 is not 15.
func (r *reader) scalar(v *value, n *yaml.Node) {
	v.scalar = n.Value
	switch x := n.Value.(type) {
	case nil:
	case string:
		v.text = x
	case schema.Regexp:
		v.scalar, v.text = r.written(n), r.written(n)
	default:
		v.text = r.written(n)
	}
}

func (r *reader) written(n *yaml.Node) string { return strings.TrimSpace(r.text[n.Start:n.End]) }
