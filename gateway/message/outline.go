package message

import (
	"bytes"
	"encoding/json"
)

// member is a member of the outermost object, its value as it stands in the text.
type member struct {
	name  string
	value []byte
}

// outline returns the members of the outermost object in order, and how deep the text nests. The text need
// not be valid; then the members are of no use.
func outline(text []byte) (members []member, deepest int) {
	var o outliner
	for i := 0; i < len(text); i++ {
		if text[i] != '"' {
			o.mark(text, i)
			continue
		}
		end := stringEnd(text, i)
		o.text(text[i:end])
		i = end - 1
	}
	return o.members, o.deepest
}

// outliner walks over a JSON text once.
type outliner struct {
	members        []member
	depth, deepest int
	object         bool // the outermost value is one
	name           bool // the next string is a name of it
	begin          int  // of the value of the last member; 0: it has ended
}

// mark takes a character outside of strings.
func (o *outliner) mark(text []byte, i int) {
	switch text[i] {
	case '{', '[':
		o.object = o.object || o.depth == 0 && text[i] == '{'
		o.name = o.depth == 0 && o.object
		o.depth++
		o.deepest = max(o.deepest, o.depth)
	case '}', ']':
		if o.depth--; o.depth == 0 {
			o.end(text, i)
		}
	case ',':
		if o.name = o.object && o.depth == 1; o.name {
			o.end(text, i)
		}
	case ':':
		if o.depth == 1 {
			o.begin = i + 1
		}
	}
}

// text takes a string with its quotes.
func (o *outliner) text(quoted []byte) {
	var key string
	if o.name && json.Unmarshal(quoted, &key) == nil {
		o.members = append(o.members, member{name: key})
	}
	o.name = false
}

// end ends the value of the last member.
func (o *outliner) end(text []byte, i int) {
	if o.begin > 0 && len(o.members) > 0 {
		o.members[len(o.members)-1].value = bytes.TrimSpace(text[o.begin:i])
	}
	o.begin = 0
}

// stringEnd returns where the string that begins at i ends.
func stringEnd(text []byte, i int) int {
	for i++; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}
