package yaml

import "strings"

// blockScalar reads "|" and ">" texts whose lines are indented deeper than parent.
func (p *parser) blockScalar(parent int) (*Node, error) {
	n := &Node{Kind: String, Start: p.pos}
	h, err := p.header()
	if err != nil {
		return nil, err
	}
	indent := parent + 1
	if h.indent > 0 {
		indent = parent + h.indent
	}
	t := textBuilder{folded: h.folded}
	detected := h.indent > 0
	n.End = p.pos
	for !p.end() {
		blank, width := p.measureLine()
		if blank && (!detected || width <= indent) {
			if !detected {
				indent = max(indent, width)
			}
			t.empty++
			p.nextLine()
			continue
		}
		if !detected {
			indent, detected = max(indent, width), true
		}
		if width < indent || p.marker() && indent == 0 {
			break
		}
		line := p.line()
		t.add(line[indent:])
		n.End = p.lineStart + len(line)
		p.nextLine()
	}
	n.Value = t.finish(h.chomp)
	return n, nil
}

// header is what stands behind "|" or ">".
type header struct {
	folded bool
	chomp  byte // '+', '-' or 0
	indent int  // 0: found by the first line
}

func (p *parser) header() (header, error) {
	h := header{folded: p.at(0) == '>'}
	for p.pos++; !p.end(); p.pos++ {
		c := p.at(0)
		switch {
		case (c == '+' || c == '-') && h.chomp == 0:
			h.chomp = c
			continue
		case c >= '1' && c <= '9' && h.indent == 0:
			h.indent = int(c - '0')
			continue
		}
		break
	}
	rest := strings.TrimLeft(p.line()[p.pos-p.lineStart:], " \t")
	spaced := isSpace(p.at(0))
	if rest != "" && (rest[0] != '#' || !spaced) {
		return h, p.fail(p.pos, "yaml-syntax", "a text block begins on the line behind its mark")
	}
	p.nextLine()
	return h, nil
}

// line returns the present line without its break.
func (p *parser) line() string {
	line := p.s[p.lineStart:]
	if i := strings.IndexAny(line, "\r\n"); i >= 0 {
		return line[:i]
	}
	return line
}

// nextLine goes behind the next line break, or to the end.
func (p *parser) nextLine() {
	p.pos = p.lineStart + len(p.line())
	if !p.end() {
		p.lineBreak()
	}
}

// measureLine counts the spaces that begin the line; blank tells that nothing else is on it.
func (p *parser) measureLine() (blank bool, width int) {
	line := p.line()
	width = len(line) - len(strings.TrimLeft(line, " "))
	return width == len(line), width
}

// textBuilder joins the lines of a block scalar.
type textBuilder struct {
	b      strings.Builder
	folded bool
	empty  int  // blank lines since the last one
	any    bool // a line was added
	deeper bool // the last line began with a blank: such lines keep their breaks
}

func (t *textBuilder) add(line string) {
	deeper := line != "" && isBlank(line[0])
	breaks := t.empty
	if t.any && (!t.folded || deeper || t.deeper) {
		breaks++
	}
	switch {
	case t.any && breaks == 0:
		t.b.WriteByte(' ')
	default:
		t.b.WriteString(strings.Repeat("\n", breaks))
	}
	t.b.WriteString(line)
	t.any, t.deeper, t.empty = true, deeper, 0
}

func (t *textBuilder) finish(chomp byte) string {
	switch {
	case chomp == '+' && t.any:
		t.b.WriteString(strings.Repeat("\n", t.empty+1))
	case chomp == '+':
		t.b.WriteString(strings.Repeat("\n", t.empty))
	case chomp == 0 && t.any:
		t.b.WriteByte('\n')
	}
	return t.b.String()
}
