package yaml

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// plainStart tells whether a plain scalar can begin at pos.
func (p *parser) plainStart(inside bool) bool {
	c := p.at(0)
	if p.end() || isSpace(c) || strings.IndexByte(",[]{}#&*!|>'\"%@`", c) >= 0 {
		return false
	}
	if c == '?' || c == '-' || c == ':' {
		next := p.at(1)
		return !isSpace(next) && (!inside || !isFlow(next))
	}
	return true
}

// plainLine reads the part of a plain scalar on this line, "" when there is none.
func (p *parser) plainLine(inside bool) string {
	start, end := p.pos, p.pos
	for !p.end() {
		c := p.at(0)
		next := p.at(1)
		switch {
		case isBreak(c),
			c == ':' && (isSpace(next) || inside && isFlow(next)),
			c == '#' && p.pos > 0 && isSpace(p.s[p.pos-1]),
			inside && isFlow(c):
			p.pos = end
			return p.s[start:end]
		}
		p.pos++
		if !isBlank(c) {
			end = p.pos
		}
	}
	p.pos = end
	return p.s[start:end]
}

// plain reads an unquoted scalar; its further lines must be indented by at least indent.
func (p *parser) plain(indent int, inside bool) *Node {
	if !p.plainStart(inside) {
		return nil
	}
	n := &Node{Start: p.pos, plain: true}
	var text strings.Builder
	text.WriteString(p.plainLine(inside))
	n.End = p.pos
	for {
		mark := *p
		breaks := p.breaks()
		more := breaks > 0 && !p.done() && p.at(0) != '#' && p.spaces() >= indent && (!inside || !isFlow(p.at(0)))
		line := ""
		if more {
			line = p.plainLine(inside)
		}
		if line == "" {
			p.pos, p.lineStart = mark.pos, mark.lineStart
			break
		}
		text.WriteString(fold(breaks) + line)
		n.End = p.pos
	}
	n.text = text.String()
	n.Kind, n.Value = resolve(n.text)
	return n
}

// breaks steps over blanks and line breaks and counts the latter.
func (p *parser) breaks() int {
	count := 0
	for !p.end() && isSpace(p.at(0)) {
		if isBreak(p.at(0)) {
			p.lineBreak()
			count++
			continue
		}
		p.pos++
	}
	return count
}

// spaces counts the spaces that begin the line.
func (p *parser) spaces() int {
	line := p.s[p.lineStart:]
	return len(line) - len(strings.TrimLeft(line, " "))
}

// fold is what line breaks inside a scalar become: one is a space, more are one less.
func fold(breaks int) string {
	if breaks == 1 {
		return " "
	}
	return strings.Repeat("\n", max(breaks-1, 0))
}

func (p *parser) singleQuoted() (*Node, error) {
	n := &Node{Kind: String, Start: p.pos}
	p.pos++
	var b strings.Builder
	for !p.end() {
		switch c := p.at(0); {
		case c == '\'' && p.at(1) == '\'':
			b.WriteByte('\'')
			p.pos += 2
		case c == '\'':
			p.pos++
			n.End, n.Value = p.pos, b.String()
			return n, nil
		case isBreak(c):
			b.WriteString(fold(p.breaks())) // js-yaml 3 keeps blanks before the break
		case p.marker():
			return nil, p.unclosed(n)
		default:
			b.WriteByte(c)
			p.pos++
		}
	}
	return nil, p.unclosed(n)
}

func (p *parser) unclosed(n *Node) error {
	return &Error{Offset: n.Start, Length: 1, Code: "yaml-syntax", Text: "this quote is never closed"}
}

func (p *parser) doubleQuoted() (*Node, error) {
	n := &Node{Kind: String, Start: p.pos}
	p.pos++
	var b strings.Builder
	for !p.end() {
		switch c := p.at(0); {
		case c == '"':
			p.pos++
			n.End, n.Value = p.pos, b.String()
			return n, nil
		case c == '\\':
			if err := p.escape(&b); err != nil {
				return nil, err
			}
		case isBreak(c):
			b.WriteString(fold(p.breaks()))
		case p.marker():
			return nil, p.unclosed(n)
		default:
			b.WriteByte(c)
			p.pos++
		}
	}
	return nil, p.unclosed(n)
}

// escape reads one backslash sequence.
func (p *parser) escape(b *strings.Builder) error {
	start := p.pos
	p.pos++
	c := p.at(0)
	if p.end() {
		return p.fail(start, "yaml-syntax", "the text ends behind a backslash")
	}
	if isBreak(c) {
		p.breaks()
		return nil
	}
	p.pos++
	if i := strings.IndexByte("0abt\tnvfre \"/\\N_LP", c); i >= 0 {
		b.WriteString([]string{"\x00", "\a", "\b", "\t", "\t", "\n", "\v", "\f", "\r", "\x1b", " ", `"`, "/", `\`, "\u0085", "\u00a0", "\u2028", "\u2029"}[i])
		return nil
	}
	length := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
	if length == 0 {
		e := &Error{Offset: start, Length: 2, Code: "yaml-escape", Text: `this is no escape of a double-quoted text`}
		e.Hint = "write a backslash as \\\\, or use single quotes"
		return e
	}
	r, err := p.hex(start, length)
	if err != nil {
		return err
	}
	if utf16.IsSurrogate(r) && p.at(0) == '\\' && p.at(1) == 'u' {
		p.pos += 2
		low, err := p.hex(start, 4)
		if err != nil {
			return err
		}
		r = utf16.DecodeRune(r, low)
	}
	b.WriteString(string(r))
	return nil
}

func (p *parser) hex(start, length int) (rune, error) {
	if p.pos+length <= len(p.s) {
		if v, err := strconv.ParseUint(p.s[p.pos:p.pos+length], 16, 32); err == nil && v <= utf8.MaxRune {
			p.pos += length
			return rune(v), nil
		}
	}
	return 0, p.fail(start, "yaml-escape", "%d hexadecimal digits are missing", length)
}
