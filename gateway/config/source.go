package config

import (
	"slices"
	"strings"
	"unicode/utf8"

	"egk8s.dev/egk8s/gateway/diag"
)

// source is one file as written and as substituted, with the way back.
type source struct {
	file     string // as named in problems
	original string
	text     string // original with its variables
	pieces   []piece
	lines    []int // offsets in original at which lines begin
}

// piece is a stretch of the substituted text.
type piece struct {
	start int // in text
	from  int // in original
	// name is the variable whose value the piece is; empty for a piece of the original.
	name string
	// unknown is set when the value is only known in the pod; the piece is then a placeholder.
	unknown bool
	unset   bool // the piece is the word null, for want of a value
	length  int  // of the reference in original, when name is set
}

// The characters that enclose the name of an unknown variable in the substituted text: private use, so no YAML indicator.
const (
	unknownOpen  = '\ue0f0'
	unknownClose = '\ue0f1'
)

// newSource substitutes ${NAME} and ${NAME:-default} as Express Gateway does, on the raw text.
// It also returns a warning for each reference that becomes the word null.
func newSource(file, original string, opts Options) (*source, diag.Problems) {
	s := &source{file: file, original: original, lines: []int{0}}
	for i := range len(original) {
		if original[i] == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	var b strings.Builder
	var problems diag.Problems
	copied := 0
	for at := 0; at < len(original); {
		ref, ok := referenceAt(original, at)
		if !ok {
			at++
			continue
		}
		if !ref.escaped {
			if at > copied {
				s.pieces = append(s.pieces, piece{start: b.Len(), from: copied})
				b.WriteString(original[copied:at])
			}
			value, unknown, set := opts.value(ref)
			s.pieces = append(s.pieces, piece{start: b.Len(), from: at, name: ref.name, unknown: unknown, unset: !set, length: ref.length})
			b.WriteString(value)
			copied = at + ref.length
			if !set && !inComment(original, at) {
				problems = append(problems, s.unset(at, ref))
			}
		}
		at += ref.length
	}
	s.pieces = append(s.pieces, piece{start: b.Len(), from: copied})
	b.WriteString(original[copied:])
	s.text = b.String()
	return s, problems
}

// inComment tells whether only a comment stands before an offset on its line.
func inComment(text string, at int) bool {
	line := text[strings.LastIndexByte(text[:at], '\n')+1 : at]
	return strings.HasPrefix(strings.TrimLeft(line, " \t"), "#")
}

func (s *source) unset(at int, ref reference) diag.Problem {
	p := diag.Problem{
		Code: "variable-unset", Severity: diag.Warning, Position: positionAt(s.file, s.original, at), Length: ref.length,
		Message: "variable " + ref.name + " is not set: Express Gateway puts the word null in its place",
		Label:   "becomes null",
		Hint:    unsetHint(ref.name),
	}
	return p
}

// unsetHint says what to do about a variable that is not set.
func unsetHint(name string) string {
	switch name {
	case "req", "res", "consumer", "apiEndpoint", "requestID", "egContext":
		return "where the JavaScript name is meant, put blanks around it: ${ " + name + " }"
	default:
		return "set it, or give a default: ${" + name + ":-value}"
	}
}

// reference is one ${NAME} or ${NAME:-default} in a text.
type reference struct {
	name     string
	fallback string
	length   int
	escaped  bool // $${NAME}: stays as written
}

// referenceAt reads a reference that begins at an offset. The name is letters, digits and underscores;
// the default ends at the first "}" and stays on its line.
func referenceAt(text string, at int) (reference, bool) {
	rest := text[at:]
	r := reference{}
	body, ok := strings.CutPrefix(rest, "${")
	if !ok {
		if body, ok = strings.CutPrefix(rest, "$${"); !ok {
			return r, false
		}
		r.escaped = true
	}
	n := strings.IndexFunc(body, func(c rune) bool {
		return c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
	})
	if n <= 0 {
		return r, false
	}
	r.name, body = body[:n], body[n:]
	end := 0
	if fallback, ok := strings.CutPrefix(body, ":-"); ok {
		i := strings.IndexAny(fallback, "}\n\r\u2028\u2029")
		if i < 0 || fallback[i] != '}' {
			return r, false
		}
		r.fallback, end = fallback[:i], len(":-")+i
	}
	if end >= len(body) || body[end] != '}' {
		return r, false
	}
	r.length = len(rest) - len(body) + end + 1
	return r, true
}

// value decides what stands in place of a reference. set is false when it becomes the word null for want of a value.
func (o Options) value(ref reference) (value string, unknown, set bool) {
	if o.Lookup != nil {
		if v, ok := o.Lookup(ref.name); ok {
			return v, false, true
		}
	}
	if o.Outside && o.inPod(ref) {
		return string(unknownOpen) + ref.name + string(unknownClose), true, true
	}
	if ref.fallback != "" {
		return ref.fallback, false, true
	}
	return "null", false, false
}

// inPod tells whether the pod may have a value that is not known here.
func (o Options) inPod(ref reference) bool {
	switch {
	case o.PodOnly != nil && o.PodOnly(ref.name):
		return true
	case o.Unset != nil && o.Unset(ref.name):
		return false
	default:
		return ref.fallback == ""
	}
}

// piece returns the piece that an offset of the substituted text lies in.
func (s *source) piece(offset int) piece {
	i, found := slices.BinarySearchFunc(s.pieces, offset, func(p piece, o int) int { return p.start - o })
	if !found {
		i--
	}
	// An empty piece begins where the next one does: the last of them is the right one.
	for i+1 < len(s.pieces) && s.pieces[i+1].start <= offset {
		i++
	}
	return s.pieces[max(i, 0)]
}

// back maps an offset of the substituted text to the original.
func (s *source) back(offset int) int {
	p := s.piece(offset)
	if p.name != "" {
		return p.from
	}
	return min(p.from+offset-p.start, len(s.original))
}

// backEnd maps the end of a range: the end of a reference when the range ends inside of it.
func (s *source) backEnd(offset int) int {
	if offset == 0 {
		return 0
	}
	p := s.piece(offset - 1)
	if p.name != "" {
		return p.from + p.length
	}
	return min(p.from+offset-p.start, len(s.original))
}

// position maps an offset of the substituted text to line and column of the file.
func (s *source) position(offset int) diag.Position {
	at := s.back(offset)
	line, exact := slices.BinarySearch(s.lines, at)
	if !exact {
		line--
	}
	before := strings.TrimPrefix(s.original[s.lines[line]:at], "\ufeff")
	return diag.Position{File: s.file, Line: line + 1, Column: utf8.RuneCountInString(before) + 1}
}

// length counts the columns between two offsets of the substituted text, on the first one's line.
func (s *source) length(start, end int) int {
	from, to := s.back(start), s.backEnd(end)
	if to <= from {
		return 0
	}
	part := s.original[from:to]
	if i := strings.IndexAny(part, "\r\n"); i >= 0 {
		part = part[:i]
	}
	return utf8.RuneCountInString(part)
}

// references returns the substituted pieces of a range.
func (s *source) references(start, end int) []piece {
	var list []piece
	for _, p := range s.pieces {
		if p.name != "" && p.start < max(end, start+1) && p.start >= start {
			list = append(list, p)
		}
	}
	return list
}

// positionAt counts lines and columns, in characters, from 1.
func positionAt(file, text string, offset int) diag.Position {
	offset = min(offset, len(text))
	before := text[:offset]
	line := strings.Count(before, "\n")
	start := strings.LastIndexByte(before, '\n') + 1
	return diag.Position{File: file, Line: line + 1, Column: utf8.RuneCountInString(strings.TrimPrefix(before[start:], "\ufeff")) + 1}
}
