package message

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf16"
)

// maxDepth is how deep lists and objects of a body may stand inside one another: what walks over them
// later (schemas, expressions) calls itself for every level.
const maxDepth = 512

// parseJSON reads an object or a list. EG: the option strict of body-parser, which takes nothing else.
func (r *Request) parseJSON(text []byte, charset string) error {
	text, err := toUTF8(text, charset)
	if err != nil {
		return err
	}
	if len(text) == 0 {
		r.Parsed = map[string]any{}
		return nil
	}
	if first := bytes.TrimLeft(text, " \t\r\n"); len(first) == 0 || first[0] != '{' && first[0] != '[' {
		return badRequest(errors.New("parse body: it is no JSON object or list"))
	}
	members, depth := outline(text)
	if depth > maxDepth {
		return badRequest(fmt.Errorf("parse body: it is nested deeper than %d levels", maxDepth))
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return badRequest(errors.New("parse body: it is not valid JSON")) // the error would quote it
	}
	r.Parsed, r.written = v, jsonBody
	r.order, r.raw = make([]string, len(members)), make(map[string][]byte, len(members))
	for i, m := range members {
		r.order[i], r.raw[m.name] = m.name, m.value
	}
	return nil
}

// toUTF8 decodes what JavaScript decodes, and takes a byte order mark away.
func toUTF8(text []byte, charset string) ([]byte, error) {
	var order binary.ByteOrder = binary.LittleEndian
	switch charset {
	case "", "utf-8":
		return bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), nil
	case "utf-16le":
	case "utf-16":
		if bytes.HasPrefix(text, []byte{0xfe, 0xff}) {
			order = binary.BigEndian
		}
	case "utf-16be":
		order = binary.BigEndian
	default:
		return nil, unsupported("charset %q", charset)
	}
	units := make([]uint16, 0, len(text)/2)
	for i := 0; i+1 < len(text); i += 2 {
		units = append(units, order.Uint16(text[i:]))
	}
	if len(units) > 0 && units[0] == 0xfeff {
		units = units[1:]
	}
	return []byte(string(utf16.Decode(units))), nil
}

// NameLast makes a name of Parsed that the body does not have come behind those that it has.
func (r *Request) NameLast(name string) {
	if r.Parsed != nil && !slices.Contains(r.order, name) {
		r.order = append(r.order, name)
	}
}

// ordered returns the names of an object that Parsed is: those that the body had in its order, then the
// others by name.
func (r *Request) ordered(object map[string]any) []string {
	names := make([]string, 0, len(object))
	seen := make(map[string]bool, len(object))
	for _, name := range r.order {
		if _, ok := object[name]; ok && !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if !seen[name] {
			names = append(names, name)
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(arrayIndex(a), arrayIndex(b)) })
	return names
}

// compareNames orders the names of an object whose order is not known.
func compareNames(a, b string) int {
	return cmp.Or(cmp.Compare(arrayIndex(a), arrayIndex(b)), cmp.Compare(a, b))
}

// arrayIndex is the number of a name that is one, else infinite: JavaScript lists those names first.
func arrayIndex(name string) uint64 {
	i, err := strconv.ParseUint(name, 10, 32)
	if err != nil || strconv.FormatUint(i, 10) != name {
		return math.MaxUint64
	}
	return i
}

// encodeObject writes an object with its names in a given order. Members that are what they were in the
// body stay byte for byte: nested names keep their order, and large numbers their digits.
func encodeObject(object map[string]any, names []string, raw map[string][]byte) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, name := range names {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := encodeJSON(name)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		if before, known := raw[name]; known && unchanged(object[name], before) {
			b.Write(before)
			continue
		}
		value, err := encodeJSON(object[name])
		if err != nil {
			return nil, err
		}
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// unchanged tells whether a value is what a text says.
func unchanged(value any, text []byte) bool {
	var before any
	return json.Unmarshal(text, &before) == nil && reflect.DeepEqual(before, value)
}

// encodeJSON writes JSON as JSON.stringify does: without escapes for HTML.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode body: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
