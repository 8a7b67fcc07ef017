package strictyaml

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"egk8s.dev/egk8s/gateway/diag"
)

// Decode fills into, a pointer, from the value at the path (the names of keys from the root on). A
// path that is not there leaves it as it is.
//
// Struct fields are named by their json tag; embedded structs count as written in place. A field with the tag
// short stands for the whole struct where something else than a mapping is written; each form replaces the other. The
// tag hint of a field is the hint of a problem with its type. A scalar is taken as written where a string is
// wanted. All problems are returned, in file order.
func (d *Document) Decode(into any, path ...string) diag.Problems {
	node := d.find(path)
	if node == nil {
		return nil
	}
	dec := decoder{doc: d, path: strings.Join(path, ".")}
	dec.value(node, reflect.ValueOf(into).Elem(), "")
	dec.problems.Sort()
	return dec.problems
}

type decoder struct {
	doc      *Document
	path     string // of the value under way, for messages
	problems diag.Problems
}

func (dec *decoder) value(node ast.Node, into reflect.Value, hint string) {
	node = dec.doc.resolve(node)
	if _, null := node.(*ast.NullNode); null || node == nil {
		into.SetZero()
		return
	}
	switch into.Kind() {
	case reflect.Pointer:
		if into.IsNil() {
			into.Set(reflect.New(into.Type().Elem()))
		}
		dec.value(node, into.Elem(), hint)
	case reflect.Struct:
		dec.structure(node, into, hint)
	case reflect.Map:
		dec.mapping(node, into, hint)
	case reflect.Slice:
		dec.list(node, into, hint)
	case reflect.String:
		dec.text(node, into, hint)
	case reflect.Int, reflect.Int64:
		dec.integer(node, into, hint)
	case reflect.Bool:
		dec.boolean(node, into, hint)
	case reflect.Interface:
		if content := dec.any(node); content != nil {
			into.Set(reflect.ValueOf(content))
		}
	default:
		dec.wrong(node, "something this program cannot read", hint)
	}
}

func (dec *decoder) structure(node ast.Node, into reflect.Value, hint string) {
	if short, ok := shortOf(into.Type()); ok {
		if !isMapping(node) {
			into.SetZero()
			dec.value(node, into.FieldByIndex(short), hint)
			return
		}
		into.FieldByIndex(short).SetZero()
	}
	if !isMapping(node) {
		dec.wrong(node, "a mapping", hint)
		return
	}
	fields := fieldsOf(into.Type())
	dec.each(node, func(entry *ast.MappingValueNode) {
		name := keyText(entry)
		field, ok := fields[name]
		if !ok {
			dec.unknown(entry, fields)
			return
		}
		dec.at(name, func() { dec.value(entry.Value, into.FieldByIndex(field.Index), field.Tag.Get("hint")) })
	})
}

func (dec *decoder) mapping(node ast.Node, into reflect.Value, hint string) {
	if !isMapping(node) {
		dec.wrong(node, "a mapping", hint)
		return
	}
	merged := reflect.MakeMap(into.Type())
	for _, key := range into.MapKeys() {
		merged.SetMapIndex(key, into.MapIndex(key))
	}
	dec.each(node, func(entry *ast.MappingValueNode) {
		key := reflect.ValueOf(keyText(entry))
		if _, null := dec.doc.resolve(entry.Value).(*ast.NullNode); null {
			merged.SetMapIndex(key, reflect.Value{})
			return
		}
		value := reflect.New(into.Type().Elem()).Elem()
		if old := merged.MapIndex(key); old.IsValid() {
			value.Set(old)
		}
		dec.at(key.String(), func() { dec.value(entry.Value, value, hint) })
		merged.SetMapIndex(key, value)
	})
	into.Set(merged)
}

func (dec *decoder) list(node ast.Node, into reflect.Value, hint string) {
	sequence, ok := node.(*ast.SequenceNode)
	if !ok {
		dec.wrong(node, "a list", hint)
		return
	}
	list := reflect.MakeSlice(into.Type(), len(sequence.Values), len(sequence.Values))
	for i, item := range sequence.Values {
		dec.at(fmt.Sprintf("[%d]", i), func() { dec.value(item, list.Index(i), hint) })
	}
	into.Set(list)
}

func (dec *decoder) text(node ast.Node, into reflect.Value, hint string) {
	switch n := node.(type) {
	case *ast.StringNode:
		into.SetString(n.Value)
	case *ast.LiteralNode:
		into.SetString(n.Value.Value)
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		into.SetString(node.GetToken().Value)
	default:
		dec.wrong(node, "a text", hint)
	}
}

func (dec *decoder) integer(node ast.Node, into reflect.Value, hint string) {
	if _, ok := node.(*ast.IntegerNode); ok {
		if n, err := strconv.ParseInt(node.GetToken().Value, 0, 32); err == nil {
			into.SetInt(n)
			return
		}
	}
	dec.wrong(node, "a whole number", hint)
}

func (dec *decoder) boolean(node ast.Node, into reflect.Value, hint string) {
	boolean, ok := node.(*ast.BoolNode)
	if !ok {
		dec.wrong(node, "true or false", hint)
		return
	}
	into.SetBool(boolean.Value)
}

// any is a value of which the type does not say more: encoding/json's types, with int64 for whole numbers.
func (dec *decoder) any(node ast.Node) any {
	node = dec.doc.resolve(node)
	switch n := node.(type) {
	case *ast.NullNode:
		return nil
	case *ast.SequenceNode:
		list := make([]any, len(n.Values))
		for i, item := range n.Values {
			dec.at(fmt.Sprintf("[%d]", i), func() { list[i] = dec.any(item) })
		}
		return list
	case *ast.BoolNode:
		return n.Value
	case *ast.FloatNode:
		return n.Value
	case *ast.IntegerNode:
		if whole, err := strconv.ParseInt(node.GetToken().Value, 0, 64); err == nil {
			return whole
		}
		return node.GetToken().Value
	case *ast.LiteralNode:
		return n.Value.Value
	case *ast.StringNode:
		return n.Value
	}
	if !isMapping(node) {
		dec.wrong(node, "something this program can read", "")
		return nil
	}
	content := map[string]any{}
	dec.each(node, func(entry *ast.MappingValueNode) {
		name := keyText(entry)
		dec.at(name, func() { content[name] = dec.any(entry.Value) })
	})
	return content
}

// each calls f for every pair of a mapping and reports keys that stand twice. What a merge key brings
// comes first and is no second time.
func (dec *decoder) each(node ast.Node, f func(*ast.MappingValueNode)) {
	own := written(node)
	seen := map[string]ast.Node{}
	for _, entry := range dec.doc.entries(node) {
		if !slices.Contains(own, entry) {
			f(entry)
			continue
		}
		name := keyText(entry)
		if first, twice := seen[name]; twice {
			p := dec.doc.problem(entry.Key, CodeDuplicate, fmt.Sprintf("key %q stands twice", name))
			p.Label = fmt.Sprintf("first in line %d", dec.doc.position(first).Line)
			dec.problems = append(dec.problems, p)
			continue
		}
		seen[name] = entry.Key
		f(entry)
	}
}

func (dec *decoder) at(name string, f func()) {
	before := dec.path
	if dec.path != "" && !strings.HasPrefix(name, "[") {
		dec.path += "."
	}
	dec.path += name
	f()
	dec.path = before
}

func (dec *decoder) unknown(entry *ast.MappingValueNode, fields map[string]reflect.StructField) {
	known := make([]string, 0, len(fields))
	for name := range fields {
		known = append(known, name)
	}
	slices.Sort(known)
	name := keyText(entry)
	p := dec.doc.problem(entry.Key, CodeUnknown, fmt.Sprintf("unknown key %q", name))
	p.Label = "not a key of the file"
	if dec.path != "" {
		p.Label = "not a key of " + dec.path
	}
	p.Suggestion = diag.Suggest(name, known)
	if p.Suggestion == "" {
		p.Hint = "known here: " + strings.Join(known, ", ")
	}
	dec.problems = append(dec.problems, p)
}

func (dec *decoder) wrong(node ast.Node, want, hint string) {
	p := dec.doc.problem(node, CodeType, fmt.Sprintf("%s must be %s", dec.path, want))
	if dec.path == "" {
		p.Message = "the file must be " + want
	}
	p.Label = "this is " + describe(node)
	p.Hint = hint
	dec.problems = append(dec.problems, p)
}

func describe(node ast.Node) string {
	switch node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.BoolNode:
		return "true or false"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	default:
		return "a text"
	}
}

func isMapping(node ast.Node) bool {
	switch node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return true
	}
	return false
}

// Fields are the fields of a struct by their names in YAML.
func Fields(t reflect.Type) map[string]reflect.StructField { return fieldsOf(t) }

// Short finds the field that stands for the whole struct where something else than a mapping is written.
func Short(t reflect.Type) ([]int, bool) { return shortOf(t) }

// shortOf finds the field that stands for the whole struct.
func shortOf(t reflect.Type) ([]int, bool) {
	for _, field := range reflect.VisibleFields(t) {
		if field.Tag.Get("short") != "" {
			return field.Index, true
		}
	}
	return nil, false
}

// fieldsOf are the fields of a struct by their json name; fields without one, and "-", are left out.
func fieldsOf(t reflect.Type) map[string]reflect.StructField {
	fields := map[string]reflect.StructField{}
	for _, field := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name != "" && name != "-" {
			fields[name] = field
		}
	}
	return fields
}
