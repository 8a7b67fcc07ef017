package yaml

// place says what may stand where a block node is read.
type place struct {
	// compact allows a list or map to begin on the same line, as behind "- ".
	compact bool
	// listAtParent allows a list with the parent's own indentation, as below "key:".
	listAtParent bool
}

// properties are the tag and anchor before a value.
type properties struct {
	tag, anchor string
	start       int
}

// block reads a value that must be indented deeper than parent; without one it is Null and p stands at the next token.
func (p *parser) block(parent int, pl place) (*Node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail(p.pos, "yaml-depth", "nested too deeply")
	}
	defer func() { p.depth-- }()

	var props properties
	empty := p.pos
	for {
		line := p.lineStart
		p.skip()
		if p.lineStart != line {
			pl.compact = true
		}
		if p.done() {
			return p.finish(&Node{Start: empty, End: empty}, props)
		}
		if err := p.checkIndent(); err != nil {
			return nil, err
		}
		if p.first() && p.lineStart != line && p.column() <= parent {
			return p.shallow(parent, pl, props, empty)
		}
		// Properties on the line of a key belong to the key, on a line of their own to the value.
		if c := p.at(0); c != '&' && c != '!' || p.propertiesOfKey() {
			n, err := p.content(parent, pl, props)
			return p.finishOr(n, err, props)
		}
		if err := p.readProperty(&props); err != nil {
			return nil, err
		}
		pl.compact = false
	}
}

// shallow reads what is not deeper than parent: a list may be, else there is no value.
func (p *parser) shallow(parent int, pl place, props properties, empty int) (*Node, error) {
	if !pl.listAtParent || p.column() != parent || !p.dash() {
		return p.finish(&Node{Start: empty, End: empty}, props)
	}
	n, err := p.list()
	return p.finishOr(n, err, props)
}

// checkIndent refuses a tab before the first token of a line.
func (p *parser) checkIndent() error {
	for i := p.lineStart; i < p.pos; i++ {
		switch p.s[i] {
		case ' ':
		case '\t':
			return &Error{Offset: i, Length: 1, Code: "yaml-tab", Text: "a tab cannot indent", Hint: "indent with spaces"}
		default:
			return nil
		}
	}
	return nil
}

// propertiesOfKey tells whether a key with properties of its own begins here: "&a key: value" on a fresh line.
func (p *parser) propertiesOfKey() bool {
	if !p.first() {
		return false
	}
	probe := *p
	var props properties
	for probe.at(0) == '&' || probe.at(0) == '!' {
		if probe.readProperty(&props) != nil {
			return false
		}
		for isBlank(probe.at(0)) {
			probe.pos++
		}
	}
	return !isBreak(probe.at(0)) && probe.keyAhead()
}

func (p *parser) dash() bool { return p.at(0) == '-' && isSpace(p.at(1)) }

func (p *parser) finishOr(n *Node, err error, props properties) (*Node, error) {
	if err != nil {
		return nil, err
	}
	return p.finish(n, props)
}

// finish applies tag and anchor.
func (p *parser) finish(n *Node, props properties) (*Node, error) {
	if props.tag != "" && !applyTag(n, props.tag) {
		return nil, p.fail(props.start, "yaml-tag", "the tag %s does not fit this value or is not known", shortTag(props.tag))
	}
	if props.anchor != "" {
		p.anchors[props.anchor] = n
	}
	return n, nil
}

func (p *parser) content(parent int, pl place, props properties) (*Node, error) {
	c := p.at(0)
	switch {
	case c == '*' && props != (properties{}) && !p.keyAhead():
		return nil, p.fail(props.start, "yaml-alias", "an alias cannot have a tag or an anchor of its own")
	case p.dash() && pl.compact:
		return p.list()
	case c == '|' || c == '>':
		return p.blockScalar(parent)
	case (c == '?' && isSpace(p.at(1)) || p.keyAhead()) && pl.compact:
		return p.mapping()
	}
	n, err := p.flow(parent+1, false)
	if err != nil {
		return nil, err
	}
	if n == nil {
		return nil, p.fail(p.pos, "yaml-syntax", "unexpected %q", string(p.s[p.pos]))
	}
	return n, p.endOfValue(n, parent)
}

// endOfValue checks that nothing but a comment follows on the line.
func (p *parser) endOfValue(n *Node, parent int) error {
	line := p.lineStart
	p.skip()
	if p.done() || p.lineStart != line && p.column() <= parent {
		return nil
	}
	if p.lineStart != line && p.first() {
		return nil // the surrounding collection judges the indentation
	}
	if n.plain && n.Start < p.lineStart && p.at(0) == ':' {
		start := p.lineStart + p.spaces()
		return &Error{
			Offset: start, Length: p.pos - start, Code: "yaml-indentation", Text: "this line is indented deeper than the value before it, so it continues that value",
			Hint: "indent it like its neighbours",
		}
	}
	return p.unexpected()
}

// list reads "- " items at the present column.
func (p *parser) list() (*Node, error) {
	column := p.column()
	n := &Node{Kind: List, Start: p.pos}
	for {
		p.pos++
		item, err := p.block(column, place{compact: true})
		if err != nil {
			return nil, err
		}
		n.Items = append(n.Items, item)
		n.End = item.End
		more, err := p.next(column)
		if err != nil {
			return nil, err
		}
		if !more || !p.dash() {
			return n, nil
		}
	}
}

// next goes to the next entry of a collection at column; false means that the collection ends.
func (p *parser) next(column int) (bool, error) {
	p.skip()
	switch {
	case p.done():
		return false, nil
	case !p.first():
		if err := p.checkIndent(); err != nil {
			return false, err
		}
		return false, p.unexpected()
	case p.column() > column:
		return false, p.unexpected()
	default:
		return p.column() == column, nil
	}
}

// mapping reads keys and values at the present column.
func (p *parser) mapping() (*Node, error) {
	column := p.column()
	n := &Node{Kind: Map, Start: p.pos}
	for {
		start := p.pos
		key, value, err := p.pair(column)
		if err != nil {
			return nil, err
		}
		if err := p.store(n, key, value, start); err != nil {
			return nil, err
		}
		n.End = max(value.End, key.End)
		more, err := p.next(column)
		if err != nil {
			return nil, err
		}
		if !more {
			return n, nil
		}
	}
}

func (p *parser) pair(column int) (key, value *Node, err error) {
	if p.at(0) == '?' && isSpace(p.at(1)) {
		return p.explicitPair(column)
	}
	key, err = p.key(column)
	if err != nil {
		return nil, nil, err
	}
	value, err = p.block(column, place{listAtParent: true})
	return key, value, err
}

// key reads "key:" and stops behind the colon.
func (p *parser) key(column int) (*Node, error) {
	start, line := p.pos, p.lineStart
	var props properties
	for p.at(0) == '&' || p.at(0) == '!' {
		if err := p.readProperty(&props); err != nil {
			return nil, err
		}
		p.skip()
	}
	key := &Node{Start: p.pos, End: p.pos}
	switch n, err := p.flow(column+1, false); {
	case err != nil:
		return nil, err
	case n != nil:
		key = n
	case props == (properties{}):
		return nil, p.fail(p.pos, "yaml-syntax", "a key is missing")
	}
	for isBlank(p.at(0)) {
		p.pos++
	}
	switch {
	case p.lineStart != line:
		return nil, p.fail(start, "yaml-syntax", "a key cannot go over several lines")
	case p.at(0) != ':' || p.end():
		return nil, p.missingColon(start, key)
	case !isSpace(p.at(1)):
		return nil, p.fail(p.pos, "yaml-syntax", `a space is missing behind ":"`)
	}
	p.pos++
	return p.finish(key, props)
}

func (p *parser) missingColon(start int, key *Node) error {
	e := &Error{Offset: start, Length: key.End - start, Code: "yaml-syntax", Text: `":" is missing behind this key`}
	if p.s[start] == '-' {
		e.Text = "a list item where a key is expected"
	}
	return e
}

func (p *parser) explicitPair(column int) (key, value *Node, err error) {
	p.pos++
	if key, err = p.block(column, place{compact: true}); err != nil {
		return nil, nil, err
	}
	p.skip()
	if p.done() || !p.first() || p.column() != column || p.at(0) != ':' || !isSpace(p.at(1)) {
		return key, &Node{Start: key.End, End: key.End}, nil
	}
	p.pos++
	value, err = p.block(column, place{compact: true})
	return key, value, err
}

// store adds a pair to a map: merges "<<", refuses what cannot be a key or stands twice.
func (p *parser) store(n, key, value *Node, start int) error {
	if key.plain && key.Value == "<<" {
		if !n.merge(value) {
			return p.fail(start, "yaml-merge", `"<<" needs a map or a list of maps`)
		}
		return nil
	}
	name, ok := keyName(key)
	if !ok {
		return p.fail(start, "yaml-key", "a list or map cannot be a key")
	}
	if !n.add(Pair{Name: name, Key: key, Value: value}) {
		return &Error{Offset: key.Start, Length: key.End - key.Start, Code: "duplicate-key", Text: "this key stands twice in the same map"}
	}
	return nil
}
