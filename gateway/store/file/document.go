package file

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"egk8s.dev/egk8s/gateway/diag"
)

// maxDepth bounds how deep values may nest; consumers.yml needs four levels.
const maxDepth = 16

// value is one YAML value with its place. Exactly one of the forms is set.
type value struct {
	pos    diag.Position
	scalar any    // string, bool, int64, float64 or nil
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
		if n, ok := v.scalar.(int64); ok {
			return float64(n)
		}
		return v.scalar
	}
}

// reader turns a syntax tree into values and collects what is wrong.
type reader struct {
	file     string
	problems diag.Problems
}

func (r *reader) add(code string, pos diag.Position, format string, args ...any) *diag.Problem {
	r.problems = append(r.problems, diag.Problem{
		Code: code, Severity: diag.Error, Position: pos, Message: fmt.Sprintf(format, args...),
	})
	return &r.problems[len(r.problems)-1]
}

// parse reads one document; an empty one is an empty map.
func (r *reader) parse(text []byte) (value, bool) {
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		pos, message := diag.Position{File: r.file}, err.Error()
		if syntax, ok := errors.AsType[yaml.Error](err); ok {
			message = syntax.GetMessage()
			if t := syntax.GetToken(); t != nil {
				pos = r.at(t)
			}
		}
		r.add("invalid-yaml", pos, "%s", message)
		return value{}, false
	}
	var root ast.Node
	for _, doc := range tree.Docs {
		if doc.Body == nil {
			continue
		}
		if root != nil {
			r.add("several-documents", r.at(doc.Body.GetToken()), "one YAML document is read, this is a second one")
			return value{}, false
		}
		root = doc.Body
	}
	if root == nil || root.Type() == ast.NullType {
		return value{form: isMap, pos: diag.Position{File: r.file, Line: 1, Column: 1}}, true
	}
	return r.read(root, 0)
}

func (r *reader) at(t *token.Token) diag.Position {
	if t == nil || t.Position == nil {
		return diag.Position{File: r.file}
	}
	return diag.Position{File: r.file, Line: t.Position.Line, Column: t.Position.Column}
}

// read turns a node into a value; false means that a problem was added.
func (r *reader) read(node ast.Node, depth int) (value, bool) {
	v := value{pos: r.at(node.GetToken())}
	if depth > maxDepth {
		r.add("too-deep", v.pos, "values nest deeper than %d levels", maxDepth)
		return v, false
	}
	switch n := node.(type) {
	case *ast.MappingNode:
		if len(n.Values) > 0 {
			v.pos = r.at(n.Values[0].Key.GetToken())
		}
		return r.readMap(v, n.Values, depth)
	case *ast.MappingValueNode:
		v.pos = r.at(n.Key.GetToken())
		return r.readMap(v, []*ast.MappingValueNode{n}, depth)
	case *ast.SequenceNode:
		v.form = isList
		all := true
		for _, item := range n.Values {
			one, ok := r.read(item, depth+1)
			all = all && ok
			v.list = append(v.list, one)
		}
		return v, all
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode:
		p := r.add("not-plain-yaml", v.pos, "anchors, aliases, merges and tags are not read here")
		p.Hint = "write the value out"
		return v, false
	default:
		return r.readScalar(v, node)
	}
}

func (r *reader) readMap(v value, pairs []*ast.MappingValueNode, depth int) (value, bool) {
	v.form = isMap
	all := true
	for _, pair := range pairs {
		key, ok := r.read(pair.Key, depth+1)
		if !ok || key.form != isScalar {
			all = false
			continue
		}
		if v.get(key.text) != nil {
			r.add("duplicate-key", key.pos, "the key %q stands here twice", key.text)
			all = false
			continue
		}
		one, ok := r.read(pair.Value, depth+1)
		all = all && ok
		v.fields = append(v.fields, field{name: key.text, pos: key.pos, value: one})
	}
	return v, all
}

func (r *reader) readScalar(v value, node ast.Node) (value, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		v.scalar, v.text = n.Value, n.Value
	case *ast.LiteralNode:
		v.scalar, v.text = n.Value.Value, n.Value.Value
	case *ast.BoolNode:
		v.scalar, v.text = n.Value, n.Token.Value
	case *ast.NullNode:
		v.text = ""
	case *ast.IntegerNode:
		v.text = n.Token.Value
		v.scalar = v.text
		if i, err := strconv.ParseInt(v.text, 0, 64); err == nil {
			v.scalar = i
		}
	case *ast.FloatNode:
		v.scalar, v.text = n.Value, n.Token.Value
	default:
		r.add("not-plain-yaml", v.pos, "this kind of value is not read here")
		return v, false
	}
	return v, true
}
