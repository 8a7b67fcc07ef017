package message

import (
	"iter"
	"net/textproto"
	"slices"
	"strings"
)

// Header holds header fields; names are compared without regard to case.
// The zero value is empty and read-only: engines make headers with NewHeader or HeaderOf.
type Header struct {
	fields map[string][]string
}

// NewHeader returns an empty header with room for n names.
func NewHeader(n int) Header { return Header{fields: make(map[string][]string, n)} }

// HeaderOf wraps fields, whose keys must be in canonical form (Content-Type), without copying them.
// It is for engines; policies never need it.
func HeaderOf(fields map[string][]string) Header { return Header{fields: fields} }

// Map returns the fields themselves, for engines that send them.
func (h Header) Map() map[string][]string { return h.fields }

// Get returns the first value of name, or "".
func (h Header) Get(name string) string {
	if vs := h.fields[textproto.CanonicalMIMEHeaderKey(name)]; len(vs) > 0 {
		return vs[0]
	}
	return ""
}

// Values returns all values of name; do not change them.
func (h Header) Values(name string) []string {
	return h.fields[textproto.CanonicalMIMEHeaderKey(name)]
}

// Has tells whether there is at least one field called name.
func (h Header) Has(name string) bool { return len(h.Values(name)) > 0 }

// Set replaces all values of name by value.
func (h Header) Set(name, value string) {
	h.fields[textproto.CanonicalMIMEHeaderKey(name)] = []string{value}
}

// Put replaces all values of name, which must be in canonical form, by values, which is kept and may be shared:
// nobody changes it in place. It is for fields that are the same in every answer, and for several at once.
func (h Header) Put(name string, values []string) { h.fields[name] = slices.Clip(values) }

// Add appends one more field.
func (h Header) Add(name, value string) {
	key := textproto.CanonicalMIMEHeaderKey(name)
	h.fields[key] = append(h.fields[key], value)
}

// Del removes every field called name.
func (h Header) Del(name string) {
	delete(h.fields, textproto.CanonicalMIMEHeaderKey(name))
}

// Len returns how many names there are.
func (h Header) Len() int { return len(h.fields) }

// DelNamed removes the fields that the field called name lists by their names, and keeps name itself:
// what Connection lists belongs to one connection only (RFC 9110, section 7.6.1).
func (h Header) DelNamed(name string) {
	for _, value := range h.Values(name) {
		for listed := range strings.SplitSeq(value, ",") {
			if listed = strings.TrimSpace(listed); !strings.EqualFold(listed, name) {
				h.Del(listed)
			}
		}
	}
}

// All yields every name in canonical form with its values, in no order.
func (h Header) All() iter.Seq2[string, []string] {
	return func(yield func(string, []string) bool) {
		for name, values := range h.fields {
			if !yield(name, values) {
				return
			}
		}
	}
}

// Joined returns name's values as node joins them: the first one for fields that may occur once,
// "; " between cookies, ", " between all others.
// EG: expressions see req.headers in that form.
func (h Header) Joined(name string) string {
	vs := h.Values(name)
	if len(vs) <= 1 {
		return h.Get(name)
	}
	lower := strings.ToLower(name)
	if slices.Contains(single(), lower) {
		return vs[0]
	}
	if lower == "cookie" {
		return strings.Join(vs, "; ")
	}
	return strings.Join(vs, ", ")
}

// DelRepeated removes all but the first of fields that may occur once. EG: node does.
func (h Header) DelRepeated() {
	for name, values := range h.fields {
		if len(values) > 1 && slices.Contains(single(), strings.ToLower(name)) {
			h.fields[name] = values[:1:1]
		}
	}
}

// single lists the request fields of which node keeps the first and drops the rest.
func single() []string {
	return []string{
		"age", "authorization", "content-length", "content-type", "etag", "expires", "from", "host",
		"if-modified-since", "if-unmodified-since", "last-modified", "location", "max-forwards",
		"proxy-authorization", "referer", "retry-after", "server", "user-agent",
	}
}
