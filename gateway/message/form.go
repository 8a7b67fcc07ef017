package message

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The limits of body-parser on forms.
const (
	maxFields    = 1000
	maxFormDepth = 32
)

// parseForm reads a form with nested names: a[b]=1&c[]=2&c[]=3. EG: qs, as body-parser calls it.
func (r *Request) parseForm(text string) error {
	if text == "" {
		r.Parsed = map[string]any{}
		return nil
	}
	fields := strings.Count(text, "&") + 1
	if fields > maxFields {
		return tooLarge("the form has more than %d fields", maxFields)
	}
	root := &formObject{}
	for _, f := range formFields(text) {
		value, err := nest(f, max(100, fields))
		if err != nil {
			return badRequest(err)
		}
		if value != nil {
			root = mergeForm(root, value).(*formObject) //nolint:forcetypeassert // an object stays one unless a text comes
		}
	}
	r.Parsed, r.order = plainForm(root), root.names
	if len(root.names) > 0 { // EG: nothing tells that an empty object was a form
		r.written = formBody
	}
	return nil
}

// formField is a name with its values.
type formField struct {
	name   string
	values []string
}

// formFields splits a form; values of one name come together, at its first place.
func formFields(text string) []formField {
	text = strings.NewReplacer("%5B", "[", "%5b", "[", "%5D", "]", "%5d", "]").Replace(text)
	var list []formField
	at := map[string]int{}
	for part := range strings.SplitSeq(text, "&") {
		split := strings.Index(part, "]=") + 1
		if split == 0 {
			split = strings.IndexByte(part, '=')
		}
		name, value := part, ""
		if split >= 0 {
			name, value = part[:split], part[split+1:]
		}
		name, value = unescape(name), unescape(value)
		i, known := at[name]
		if !known {
			i = len(list)
			at[name] = i
			list = append(list, formField{name: name})
		}
		list[i].values = append(list[i].values, value)
	}
	return list
}

// nest makes what a field describes; nil: its name is empty. Numbers below limit are places in a list.
func nest(f formField, limit int) (any, error) {
	path, err := segments(f.name)
	if err != nil || len(path) == 0 {
		return nil, err
	}
	var leaf any = f.values[0]
	if len(f.values) > 1 {
		leaf = listOf(f.values)
	}
	for _, segment := range slices.Backward(path) {
		leaf = wrap(segment, leaf, limit)
	}
	return leaf, nil
}

// wrap puts a value into the object or list that one segment of a name stands for.
func wrap(segment string, leaf any, limit int) any {
	if segment == "[]" {
		if list, isList := leaf.(*formList); isList {
			return list
		}
		return &formList{at: []int{0}, values: []any{leaf}}
	}
	name, bracketed := segment, false
	if strings.HasPrefix(segment, "[") && strings.HasSuffix(segment, "]") {
		name, bracketed = segment[1:len(segment)-1], true
	}
	if n, err := strconv.Atoi(name); bracketed && err == nil && n >= 0 && n < limit && strconv.Itoa(n) == name {
		return &formList{at: []int{n}, values: []any{leaf}}
	}
	o := &formObject{}
	if name != "__proto__" {
		o.set(name, leaf)
	}
	return o
}

// segments splits a[b][c] into a, [b], [c]. Brackets that are not closed belong to the last segment.
func segments(name string) ([]string, error) {
	if name == "" {
		return nil, nil
	}
	open := strings.IndexByte(name, '[')
	if open < 0 {
		return []string{name}, nil
	}
	var list []string
	if open > 0 {
		list = append(list, name[:open])
	}
	for n := 0; open >= 0; n++ {
		if n == maxFormDepth {
			return nil, fmt.Errorf("parse form: a field is nested deeper than %d levels", maxFormDepth)
		}
		end := closingBracket(name, open)
		if end < 0 {
			return append(list, "["+name[open:]+"]"), nil
		}
		list = append(list, name[open:end+1])
		next := strings.IndexByte(name[end+1:], '[')
		if next < 0 {
			break
		}
		open = end + 1 + next
	}
	return list, nil
}

// closingBracket returns where the bracket at open is closed, or -1.
func closingBracket(s string, open int) int {
	level := 0
	for i := open; i < len(s); i++ {
		switch s[i] {
		case '[':
			level++
		case ']':
			if level--; level == 0 {
				return i
			}
		}
	}
	return -1
}
