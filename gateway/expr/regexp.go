package expr

import (
	"strings"

	"egk8s.dev/egk8s/gateway/expr/fence"
	"egk8s.dev/egk8s/gateway/message"
)

// regexp reads a regular expression; the parser stands at its first slash.
func (p *parser) regexp() (re *fence.Linear, global bool, err error) {
	source := p.lex.source
	start, at, class := p.tok.at+1, p.tok.at+1, false
	for ; ; at++ {
		if at >= len(source) || source[at] == '\n' {
			return nil, false, &UnsupportedError{What: "a regular expression without an end"}
		}
		switch source[at] {
		case '\\':
			at++
			continue
		case '[':
			class = true
		case ']':
			class = false
		}
		if source[at] == '/' && !class {
			break
		}
	}
	body := source[start:at]
	flagsAt := at + 1
	for at = flagsAt; at < len(source) && isNameByte(source[at]); at++ {
	}
	flags := source[flagsAt:at]
	if body == "" || strings.ContainsFunc(body, func(r rune) bool { return r >= 0x80 }) {
		return nil, false, &UnsupportedError{What: "this regular expression"}
	}
	if re, err = fence.CompileLinear(body, flags); err != nil {
		return nil, false, &UnsupportedError{What: "/" + body + "/" + flags}
	}
	p.lex.pos = at
	return re, strings.Contains(flags, "g"), p.next()
}

// regexpTest compiles /…/.test(value).
func (p *parser) regexpTest() (node, error) {
	re, global, err := p.regexp()
	if err != nil {
		return nil, err
	}
	if !p.is(".") {
		return nil, &UnsupportedError{What: "a regular expression that is kept"}
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	if p.tok.text != "test" || global {
		return nil, &UnsupportedError{What: "this use of a regular expression"}
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	args, err := p.arguments()
	if err != nil {
		return nil, err
	}
	if len(args) != 1 {
		return nil, &UnsupportedError{What: "test() with other than one argument"}
	}
	return func(x *message.Exchange) (Value, error) {
		v, err := args[0](x)
		if err != nil {
			return nil, err
		}
		matches, ok := re.Test(Text(v))
		if !ok {
			return nil, errInterpret
		}
		return matches, nil
	}, nil
}

// regexpReplace compiles object.replace(/…/, by); the parser stands at the slash.
func (p *parser) regexpReplace(object node) (node, error) {
	re, global, err := p.regexp()
	if err != nil {
		return nil, err
	}
	if err := p.expect(","); err != nil {
		return nil, err
	}
	by, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	return func(x *message.Exchange) (Value, error) {
		o, err := object(x)
		if err != nil {
			return nil, err
		}
		with, err := by(x)
		if err != nil {
			return nil, err
		}
		text, okText := o.(string)
		replacement, okBy := with.(string)
		if !okText || !okBy {
			return nil, errInterpret
		}
		out, ok := re.Replace(text, replacement, global)
		if !ok {
			return nil, errInterpret
		}
		return out, nil
	}, p.expect(")")
}
