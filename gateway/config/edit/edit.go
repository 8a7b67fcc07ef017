// Package edit changes one entry of gateway.config.yml and leaves the rest of the text as it is:
// comments, order, and references such as ${HOST}, which a rewritten file would lose.
package edit

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	goyaml "github.com/goccy/go-yaml"

	"egk8s.dev/egk8s/gateway/config/yaml"
)

// ErrForm says that a file is written in a way that cannot be edited, for instance with an alias
// where the entry would go.
var ErrForm = errors.New("the file is written in a form that cannot be changed here; edit it by hand")

// Set puts value under section.name and tells whether that was new. The value is of encoding/json's types.
func Set(text, section, name string, value any) (out string, created bool, err error) {
	root, want, err := read(text)
	if err != nil {
		return "", false, err
	}
	entries, _ := want[section].(map[string]any)
	if entries == nil {
		entries = map[string]any{}
	}
	_, known := entries[name]
	entries[name], want[section] = value, entries
	out, err = choose(want, append(setEntry(text, root.Get(section), name, value), replaceSection(text, root, section, entries)...))
	return out, !known, err
}

// Delete removes section.name; an unknown name leaves the text as it is.
func Delete(text, section, name string) (string, error) {
	root, want, err := read(text)
	if err != nil {
		return "", err
	}
	entries, _ := want[section].(map[string]any)
	if _, known := entries[name]; !known {
		return text, nil
	}
	delete(entries, name)
	return choose(want, append(deleteEntry(text, root.Get(section), name), replaceSection(text, root, section, entries)...))
}

// AddItem appends a text to the list section unless it is there.
func AddItem(text, section, item string) (string, error) {
	root, want, err := read(text)
	if err != nil {
		return "", err
	}
	list, _ := want[section].([]any)
	if slices.Contains(list, any(item)) {
		return text, nil
	}
	list = append(slices.Clone(list), item)
	want[section] = list
	return choose(want, append(appendItem(text, root.Get(section), item), replaceSection(text, root, section, list)...))
}

// RemoveItem takes a text from the list section.
func RemoveItem(text, section, item string) (string, error) {
	root, want, err := read(text)
	if err != nil {
		return "", err
	}
	list, _ := want[section].([]any)
	left := slices.DeleteFunc(slices.Clone(list), func(have any) bool { return have == item })
	if len(left) == len(list) {
		return text, nil
	}
	want[section] = left
	return choose(want, append(removeItem(text, root.Get(section), item), replaceSection(text, root, section, left)...))
}

func read(text string) (*yaml.Node, map[string]any, error) {
	root, err := yaml.Parse(text)
	if err != nil {
		return nil, nil, fmt.Errorf("read gateway config: %w", err)
	}
	if root == nil {
		root = &yaml.Node{}
	}
	value, err := root.Any(nil)
	if err != nil {
		return nil, nil, fmt.Errorf("read gateway config: %w", err)
	}
	object, ok := value.(map[string]any)
	if !ok && value != nil {
		return nil, nil, fmt.Errorf("read gateway config: %w", ErrForm)
	}
	if object == nil {
		object = map[string]any{}
	}
	return root, maps.Clone(object), nil
}

// choose returns the first candidate that reads as exactly what is wanted.
func choose(want map[string]any, candidates []string) (string, error) {
	for _, text := range candidates {
		if _, got, err := read(text); err == nil && same(got, want) {
			return text, nil
		}
	}
	return "", ErrForm
}

// same compares what is read; an empty list or map is like a null one.
func same(a, b any) bool {
	x, xIsMap := a.(map[string]any)
	y, yIsMap := b.(map[string]any)
	if !xIsMap || !yIsMap {
		return reflect.DeepEqual(a, b) || isEmpty(a) && isEmpty(b)
	}
	if len(x) != len(y) {
		return false
	}
	for k := range x {
		if _, known := y[k]; !known || !same(x[k], y[k]) {
			return false
		}
	}
	return true
}

func isEmpty(v any) bool {
	switch x := v.(type) {
	case nil:
		return true
	case []any:
		return len(x) == 0
	case map[string]any:
		return len(x) == 0
	default:
		return false
	}
}

// forms are a value as it can stand behind "key:": as a block with an indentation, and on one line.
func forms(value any, indent int) []string {
	line, err := json.Marshal(value)
	if err != nil {
		return nil
	}
	flat := " " + string(line)
	if isEmpty(value) {
		return []string{flat}
	}
	block, err := goyaml.MarshalWithOptions(value, goyaml.Indent(2), goyaml.IndentSequence(false))
	if err != nil {
		return []string{flat}
	}
	pad := "\n" + strings.Repeat(" ", indent)
	switch value.(type) {
	case map[string]any, []any:
		body := strings.TrimRight(string(block), "\n")
		return []string{pad + strings.ReplaceAll(body, "\n", pad), flat}
	default:
		return []string{flat}
	}
}
