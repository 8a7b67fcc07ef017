package yaml

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds nesting.
const maxDepth = 500

// Parse reads a text that holds one document. An empty text is Null. The error is an *Error.
func Parse(text string) (n *Node, err error) {
	p := &parser{s: text, anchors: map[string]*Node{}}
	if err := p.checkCharacters(); err != nil {
		return nil, err
	}
	if strings.HasPrefix(text, "\ufeff") {
		p.pos = len("\ufeff")
		p.lineStart = p.pos
	}
	return p.document()
}

// parser stands at pos of s; every method leaves it behind what it read.
type parser struct {
	s         string
	pos       int
	lineStart int
	depth     int
	anchors   map[string]*Node
}

func (p *parser) fail(at int, code, format string, args ...any) error {
	return &Error{Offset: min(at, len(p.s)), Code: code, Text: fmt.Sprintf(format, args...)}
}

func (p *parser) checkCharacters() error {
	for i, r := range p.s {
		bad := r < ' ' && r != '\t' && r != '\n' && r != '\r' || r >= 0x7f && r <= 0x9f && r != 0x85 || r == 0xfffe || r == 0xffff
		if r == utf8.RuneError {
			_, size := utf8.DecodeRuneInString(p.s[i:])
			bad = size == 1
		}
		if bad {
			return p.fail(i, "yaml-character", "a character that YAML does not allow")
		}
	}
	return nil
}

// at returns the byte at an offset from pos; behind the end it is a line break.
func (p *parser) at(offset int) byte {
	if i := p.pos + offset; i < len(p.s) {
		return p.s[i]
	}
	return '\n'
}

func (p *parser) end() bool { return p.pos >= len(p.s) }

// column counts from 0.
func (p *parser) column() int { return p.pos - p.lineStart }

// first tells whether only spaces stand before pos on its line.
func (p *parser) first() bool {
	return strings.Trim(p.s[p.lineStart:min(p.pos, len(p.s))], " ") == ""
}

// lineBreak steps over one line break.
func (p *parser) lineBreak() {
	if p.at(0) == '\r' && p.at(1) == '\n' && p.pos+1 < len(p.s) {
		p.pos++
	}
	p.pos++
	p.lineStart = p.pos
}

// skip steps over blanks, comments and line breaks to the next token.
func (p *parser) skip() {
	for !p.end() {
		switch c := p.at(0); {
		case isBlank(c):
			p.pos++
		case isBreak(c):
			p.lineBreak()
		case c == '#' && (p.pos == p.lineStart || isSpace(p.s[p.pos-1])):
			for !p.end() && !isBreak(p.at(0)) {
				p.pos++
			}
		default:
			return
		}
	}
}

// marker tells whether a document marker stands at pos.
func (p *parser) marker() bool {
	rest := p.s[min(p.pos, len(p.s)):]
	return p.pos == p.lineStart && (strings.HasPrefix(rest, "---") || strings.HasPrefix(rest, "...")) &&
		(len(rest) == 3 || isSpace(rest[3]))
}

// done tells whether the document has no more content.
func (p *parser) done() bool { return p.end() || p.marker() }

func (p *parser) document() (*Node, error) {
	p.skip()
	directives := false
	for p.at(0) == '%' && p.column() == 0 && !p.end() {
		directives = true
		for !p.end() && !isBreak(p.at(0)) {
			p.pos++
		}
		p.skip()
	}
	switch {
	case p.marker() && p.at(0) == '-':
		p.pos += 3
	case directives:
		return nil, p.fail(p.pos, "yaml-syntax", "a line of --- is missing behind the directives")
	}
	n, err := p.block(-1, place{compact: true})
	if err != nil {
		return nil, err
	}
	p.skip()
	if p.marker() && p.at(0) == '.' {
		p.pos += 3
		p.skip()
	}
	switch {
	case p.end():
		return n, nil
	case p.marker():
		return nil, p.fail(p.pos, "yaml-documents", "a second document begins here; the file must hold one")
	default:
		return nil, p.unexpected()
	}
}

// unexpected names what stands where nothing can.
func (p *parser) unexpected() error {
	switch c := p.at(0); {
	case c == ':' && isSpace(p.at(1)):
		e := &Error{Offset: p.pos, Length: 1, Code: "yaml-syntax", Text: `a second ":" on the line of a value`}
		e.Hint = "quote the value, or put what it holds on the next line, indented"
		return e
	case p.first() && isFlow(c) && c != '[' && c != '{':
		return p.fail(p.pos, "yaml-syntax", "%q closes nothing", string(c))
	case p.first():
		return p.fail(p.pos, "yaml-indentation", "this line is not indented like its neighbours")
	default:
		return p.fail(p.pos, "yaml-syntax", "unexpected text behind the value")
	}
}
