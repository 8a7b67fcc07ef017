// Package strictyaml reads YAML into Go types and says everything that is wrong in one pass, with
// file, line and column: unknown keys (with the key that was probably meant), duplicate keys, wrong types.
//
// Decoding into a value that is already filled overrides it: maps merge, lists replace, null removes.
package strictyaml

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	yaml "github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"egk8s.dev/egk8s/gateway/diag"
)

// The codes of the problems.
const (
	CodeSyntax    = "yaml-syntax"
	CodeUnknown   = "unknown-key"
	CodeDuplicate = "duplicate-key"
	CodeType      = "wrong-type"
)

// Document is one YAML document whose values know their positions.
type Document struct {
	file    string
	root    ast.Node
	anchors map[string]ast.Node
}

// Parse reads exactly one document. Positions name the file as given. An empty document is an empty mapping.
func Parse(file string, data []byte) (*Document, diag.Problems) {
	parsed, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, diag.Problems{syntaxProblem(file, err)}
	}
	d := &Document{file: file, anchors: map[string]ast.Node{}}
	for _, doc := range parsed.Docs {
		switch {
		case doc.Body == nil:
		case d.root == nil:
			d.root = doc.Body
		default:
			return nil, diag.Problems{d.problem(doc.Body, CodeSyntax, "more than one document in the file")}
		}
	}
	if d.root != nil {
		ast.Walk(anchorVisitor(d.anchors), d.root)
	}
	return d, nil
}

// Position is where the value at the path stands: the names of keys and the numbers of list items,
// from 0, from the root on. A path that is not there gives the nearest value above it, or the file
// alone.
func (d *Document) Position(path ...string) diag.Position {
	for ; len(path) > 0; path = path[:len(path)-1] {
		if node := d.find(path); node != nil {
			return d.position(node)
		}
	}
	return diag.Position{File: d.file}
}

// Has tells whether the document has a value, null included, at the path.
func (d *Document) Has(path ...string) bool { return d.find(path) != nil }

// Keys are the keys of the mapping at the path, in file order.
func (d *Document) Keys(path ...string) []string {
	var keys []string
	for _, entry := range d.entries(d.resolve(d.find(path))) {
		keys = append(keys, keyText(entry))
	}
	return keys
}

func (d *Document) find(path []string) ast.Node {
	node := d.resolve(d.root)
	for _, name := range path {
		var next ast.Node
		if list, ok := node.(*ast.SequenceNode); ok {
			if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(list.Values) {
				next = list.Values[i]
			}
		}
		for _, entry := range d.entries(node) {
			if keyText(entry) == name {
				next = entry.Value
			}
		}
		if next == nil {
			return nil
		}
		node = d.resolve(next)
	}
	return node
}

// entries are the pairs of a mapping, with those of merged mappings first, so that the own ones win.
func (d *Document) entries(node ast.Node) []*ast.MappingValueNode {
	return d.entriesTo(node, 16) // a mapping that merges itself must not hang us
}

func (d *Document) entriesTo(node ast.Node, depth int) []*ast.MappingValueNode {
	if depth == 0 {
		return nil
	}
	var merged, rest []*ast.MappingValueNode
	for _, entry := range written(node) {
		if _, ok := entry.Key.(*ast.MergeKeyNode); ok {
			merged = append(merged, d.entriesTo(d.resolve(entry.Value), depth-1)...)
			continue
		}
		rest = append(rest, entry)
	}
	return append(merged, rest...)
}

// written are the pairs of a mapping as they stand in the file, merge keys among them.
func written(node ast.Node) []*ast.MappingValueNode {
	switch node := node.(type) {
	case *ast.MappingNode:
		return node.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{node}
	}
	return nil
}

// resolve follows anchors, aliases and tags to the value.
func (d *Document) resolve(node ast.Node) ast.Node {
	for range 100 { // an alias may not lead to itself, but a broken file must not hang us
		switch n := node.(type) {
		case *ast.AnchorNode:
			node = n.Value
		case *ast.AliasNode:
			node = d.anchors[n.Value.GetToken().Value]
		case *ast.TagNode:
			node = n.Value
		default:
			return node
		}
	}
	return nil
}

func (d *Document) position(node ast.Node) diag.Position {
	pos := diag.Position{File: d.file}
	if mapping, ok := node.(*ast.MappingNode); ok && len(mapping.Values) > 0 && !mapping.IsFlowStyle {
		node = mapping.Values[0].Key // the token of a block mapping is its first colon
	}
	if tk := node.GetToken(); tk != nil && tk.Position != nil {
		pos.Line, pos.Column = tk.Position.Line, max(tk.Position.Column, 1)
	}
	return pos
}

func (d *Document) problem(node ast.Node, code, message string) diag.Problem {
	return diag.Problem{
		Code: code, Severity: diag.Error, Position: d.position(node), Length: length(node), Message: message,
	}
}

func length(node ast.Node) int {
	switch node.(type) {
	case *ast.MappingNode, *ast.SequenceNode, *ast.LiteralNode, nil:
		return 1
	}
	tk := node.GetToken()
	if tk == nil {
		return 1
	}
	origin := strings.TrimSpace(tk.Origin)
	if origin == "" || strings.Contains(origin, "\n") {
		origin = tk.Value
	}
	return max(1, utf8.RuneCountInString(origin))
}

func keyText(entry *ast.MappingValueNode) string { return entry.Key.GetToken().Value }

func syntaxProblem(file string, err error) diag.Problem {
	p := diag.Problem{
		Code: CodeSyntax, Severity: diag.Error, Position: diag.Position{File: file}, Message: err.Error(),
	}
	var syntax yaml.Error
	if !errors.As(err, &syntax) {
		return p
	}
	p.Message = "not valid YAML: " + syntax.GetMessage()
	if strings.Contains(p.Message, "cannot start any token") && strings.Contains(p.Message, "\t") {
		p.Message, p.Hint = "not valid YAML: a tab cannot indent", "use spaces"
	}
	if tk := syntax.GetToken(); tk != nil && tk.Position != nil {
		p.Line, p.Column = tk.Position.Line, max(tk.Position.Column, 1)
	}
	return p
}

type anchorVisitor map[string]ast.Node

func (v anchorVisitor) Visit(node ast.Node) ast.Visitor {
	if anchor, ok := node.(*ast.AnchorNode); ok {
		v[anchor.Name.GetToken().Value] = anchor.Value
	}
	return v
}
