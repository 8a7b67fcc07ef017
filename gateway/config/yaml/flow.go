package yaml

import "strings"

// flow reads an alias, a scalar or a flow collection, with its properties when inside is true.
// It returns nil when none begins here. Lines of a plain scalar must be indented by at least indent.
func (p *parser) flow(indent int, inside bool) (*Node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail(p.pos, "yaml-depth", "nested too deeply")
	}
	defer func() { p.depth-- }()
	if p.end() {
		return nil, nil //nolint:nilnil // nothing here
	}
	var props properties
	for inside && (p.at(0) == '&' || p.at(0) == '!') {
		if err := p.readProperty(&props); err != nil {
			return nil, err
		}
		p.skip()
	}
	var n *Node
	var err error
	switch p.at(0) {
	case '*':
		return p.alias()
	case '[', '{':
		n, err = p.collection(indent)
	case '\'':
		n, err = p.singleQuoted()
	case '"':
		n, err = p.doubleQuoted()
	default:
		n = p.plain(indent, inside)
	}
	if err != nil {
		return nil, err
	}
	if n == nil {
		if props == (properties{}) {
			return nil, nil //nolint:nilnil // nothing here
		}
		n = &Node{Start: p.pos, End: p.pos}
	}
	return p.finish(n, props)
}

// keyAhead tells whether an implicit key begins here: a flow node on one line with ": " behind it.
func (p *parser) keyAhead() bool {
	probe := *p
	probe.anchors = nil // a probe sets none: keys with anchors are tried by propertiesOfKey
	if probe.at(0) == ':' && isSpace(probe.at(1)) {
		return true
	}
	line := probe.s[probe.pos:]
	if i := strings.IndexAny(line, "\r\n"); i >= 0 {
		line = line[:i]
	}
	if !strings.Contains(line, ":") {
		return false
	}
	switch probe.at(0) {
	case '*':
		probe.pos++
		probe.name()
	case '[', '{':
		probe.anchors = map[string]*Node{}
		if n, err := probe.collection(0); err != nil || n == nil {
			return false
		}
	case '\'', '"':
		if n, err := probe.flow(0, false); err != nil || n == nil {
			return false
		}
	default:
		if !probe.plainStart(false) || probe.plainLine(false) == "" {
			return false
		}
	}
	if probe.lineStart != p.lineStart {
		return false
	}
	for isBlank(probe.at(0)) {
		probe.pos++
	}
	return probe.at(0) == ':' && isSpace(probe.at(1))
}

// collection reads [...] or {...}.
func (p *parser) collection(indent int) (*Node, error) {
	n := &Node{Kind: List, Start: p.pos}
	closer := byte(']')
	if p.at(0) == '{' {
		n.Kind, closer = Map, '}'
	}
	p.pos++
	for {
		p.skip()
		switch {
		case p.done():
			e := &Error{Offset: n.Start, Length: 1, Code: "yaml-syntax", Text: "this bracket is never closed"}
			return nil, e
		case p.at(0) == closer:
			p.pos++
			n.End = p.pos
			return n, nil
		}
		if err := p.entry(n, indent); err != nil {
			return nil, err
		}
		p.skip()
		switch c := p.at(0); {
		case p.done():
		case c == ',':
			p.pos++
		case c != closer:
			return nil, p.fail(p.pos, "yaml-syntax", "a comma or %q is missing", string(closer))
		}
	}
}

// entry reads one item of a list or one pair of a map.
func (p *parser) entry(n *Node, indent int) error {
	start, line := p.pos, p.lineStart
	explicit := p.at(0) == '?' && isSpace(p.at(1))
	if explicit {
		p.pos++
		p.skip()
	}
	key, err := p.flow(indent, true)
	if err != nil {
		return err
	}
	p.skip()
	pair := p.at(0) == ':' && !p.end() && (explicit || p.lineStart == line)
	if key == nil && !pair && !explicit {
		return p.fail(p.pos, "yaml-syntax", "unexpected %q", string(p.at(0)))
	}
	if key == nil {
		key = &Node{Start: start, End: start}
	}
	if n.Kind == List && !pair && !explicit {
		n.Items = append(n.Items, key)
		return nil
	}
	value := &Node{Start: key.End, End: key.End}
	if pair {
		p.pos++
		p.skip()
		v, err := p.flow(indent, true)
		if err != nil {
			return err
		}
		if v != nil {
			value = v
		}
	}
	if n.Kind == Map {
		return p.store(n, key, value, start)
	}
	single := &Node{Kind: Map, Start: start, End: value.End}
	n.Items = append(n.Items, single)
	return p.store(single, key, value, start)
}

// name reads the name of an anchor or alias.
func (p *parser) name() string {
	start := p.pos
	for !p.end() && !isSpace(p.at(0)) && !isFlow(p.at(0)) {
		p.pos++
	}
	return p.s[start:p.pos]
}

func (p *parser) alias() (*Node, error) {
	start := p.pos
	p.pos++
	name := p.name()
	if n, ok := p.anchors[name]; ok && name != "" {
		return n, nil
	}
	if p.anchors == nil {
		return &Node{Start: start, End: p.pos}, nil
	}
	e := &Error{Offset: start, Length: p.pos - start, Code: "yaml-alias", Text: `there is no anchor of this name: a "*" in front makes a word an alias`}
	e.Hint = "quote the value: '" + p.s[start:p.pos] + "'"
	return nil, e
}

// readProperty reads one tag or anchor.
func (p *parser) readProperty(props *properties) error {
	start := p.pos
	if props.tag == "" && props.anchor == "" {
		props.start = start
	}
	if p.at(0) == '&' {
		p.pos++
		name := p.name()
		if name == "" || props.anchor != "" {
			return p.fail(start, "yaml-anchor", "an anchor needs one name")
		}
		props.anchor = name
		return nil
	}
	if props.tag != "" {
		return p.fail(start, "yaml-tag", "a second tag on one value")
	}
	for !p.end() && !isSpace(p.at(0)) && (p.at(0) != ',' || p.s[start+1] == '<') {
		p.pos++
	}
	props.tag = longTag(p.s[start:p.pos])
	return nil
}

// longTag writes !!str and !<tag:yaml.org,2002:str> alike.
func longTag(text string) string {
	if inner, ok := strings.CutPrefix(text, "!<"); ok {
		return strings.TrimSuffix(inner, ">")
	}
	if name, ok := strings.CutPrefix(text, "!!"); ok {
		return "tag:yaml.org,2002:" + name
	}
	return text
}

func shortTag(tag string) string {
	if name, ok := strings.CutPrefix(tag, "tag:yaml.org,2002:"); ok {
		return "!!" + name
	}
	return tag
}
