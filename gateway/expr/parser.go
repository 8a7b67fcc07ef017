package expr

import (
	"fmt"

	"egk8s.dev/egk8s/gateway/message"
)

// maxDepth bounds the nesting of an expression, and so the stack that it needs.
const maxDepth = 100

type parser struct {
	lex   lexer
	tok   token
	depth int
	// coalesces and combines tell whether ?? and && or || were seen: together they need brackets.
	coalesces, combines bool
}

func newParser(source string) (*parser, error) {
	p := &parser{lex: lexer{source: source}}
	return p, p.next()
}

func (p *parser) next() error {
	tok, err := p.lex.next()
	p.tok = tok
	return err
}

func (p *parser) is(punct string) bool { return p.tok.kind == punctuation && p.tok.text == punct }

func (p *parser) unexpected() error {
	if p.tok.kind == end {
		return fmt.Errorf("the expression ends too early")
	}
	return &UnsupportedError{What: fmt.Sprintf("%q at offset %d", p.tok.text, p.tok.at)}
}

func (p *parser) expect(punct string) error {
	if !p.is(punct) {
		return p.unexpected()
	}
	return p.next()
}

// precedence returns how strongly a binary operator binds; 0 means that it is none.
func precedence(op string) int {
	switch op {
	case "?":
		return 1
	case "??":
		return 2
	case "||":
		return 3
	case "&&":
		return 4
	case "==", "!=", "===", "!==":
		return 5
	case "<", ">", "<=", ">=":
		return 6
	case "+", "-":
		return 7
	case "*", "/", "%":
		return 8
	default:
		return 0
	}
}

// expression parses operators that bind more strongly than floor.
func (p *parser) expression(floor int) (node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, &UnsupportedError{What: "so much nesting"}
	}
	defer func() { p.depth-- }()
	left, err := p.unary()
	for err == nil && p.tok.kind == punctuation {
		op, level := p.tok.text, precedence(p.tok.text)
		if level <= floor {
			break
		}
		if err = p.next(); err != nil {
			break
		}
		p.coalesces = p.coalesces || op == "??"
		p.combines = p.combines || op == "||" || op == "&&"
		if p.coalesces && p.combines {
			return nil, &UnsupportedError{What: "?? beside && or ||"}
		}
		if op == "?" {
			left, err = p.choice(left)
			continue
		}
		var right node
		if right, err = p.expression(level); err == nil {
			left = binary(op, left, right)
		}
	}
	return left, err
}

// choice parses what follows the question mark.
func (p *parser) choice(test node) (node, error) {
	yes, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	if err := p.expect(":"); err != nil {
		return nil, err
	}
	no, err := p.expression(0)
	return func(x *message.Exchange) (Value, error) {
		v, err := test(x)
		if err != nil {
			return nil, err
		}
		if Truthy(v) {
			return yes(x)
		}
		return no(x)
	}, err
}

func (p *parser) unary() (node, error) {
	op := p.tok.text
	isOp := p.tok.kind == punctuation && (op == "!" || op == "-" || op == "+") || p.tok.kind == name && op == "typeof"
	if !isOp {
		return p.postfix()
	}
	if p.depth++; p.depth > maxDepth {
		return nil, &UnsupportedError{What: "so much nesting"}
	}
	defer func() { p.depth-- }()
	if err := p.next(); err != nil {
		return nil, err
	}
	if op == "typeof" && p.tok.kind == name && isFree(p.tok.text) {
		return nil, &UnsupportedError{What: "typeof of a name that may not be there"}
	}
	operand, err := p.unary()
	return func(x *message.Exchange) (Value, error) {
		v, err := operand(x)
		if err != nil {
			return nil, err
		}
		switch op {
		case "!":
			return !Truthy(v), nil
		case "-":
			return -toNumber(v), nil
		case "+":
			return toNumber(v), nil
		default:
			return typeOf(v), nil
		}
	}, err
}

// postfix parses a primary with everything that follows it: .name, [key], ?.name and calls.
func (p *parser) postfix() (node, error) {
	left, err := p.primary()
	for err == nil && p.tok.kind == punctuation {
		switch p.tok.text {
		case ".", "?.":
			left, err = p.member(left, p.tok.text == "?.")
		case "[":
			left, err = p.index(left)
		case "(":
			return nil, &UnsupportedError{What: "calling this function"}
		default:
			return left, nil
		}
	}
	return left, err
}

func (p *parser) index(object node) (node, error) {
	if err := p.next(); err != nil {
		return nil, err
	}
	key, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	return func(x *message.Exchange) (Value, error) {
		o, err := object(x)
		if err != nil {
			return nil, err
		}
		k, err := key(x)
		if err != nil {
			return nil, err
		}
		if isObject(k) {
			return nil, errInterpret
		}
		return property(o, Text(k))
	}, p.expect("]")
}

func (p *parser) member(object node, optional bool) (node, error) {
	if err := p.next(); err != nil {
		return nil, err
	}
	if p.tok.kind != name {
		return nil, p.unexpected()
	}
	field := p.tok.text
	if err := p.next(); err != nil {
		return nil, err
	}
	if p.is("(") {
		if optional {
			return nil, &UnsupportedError{What: "a call behind ?."}
		}
		return p.method(object, field)
	}
	if optional && (p.is(".") || p.is("[")) {
		return nil, &UnsupportedError{What: "a chain behind ?."}
	}
	return func(x *message.Exchange) (Value, error) {
		o, err := object(x)
		if err != nil || optional && missing(o) {
			return Undefined{}, err
		}
		return property(o, field)
	}, nil
}

// isFree tells whether a name is neither the gateway's nor a literal.
func isFree(id string) bool {
	switch id {
	case "req", "res", "egContext", "consumer", "requestID", "apiEndpoint", "true", "false", "null", "undefined":
		return false
	default:
		return true
	}
}

func (p *parser) primary() (node, error) {
	tok := p.tok
	if p.is("/") {
		return p.regexpTest()
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	switch {
	case tok.kind == number:
		return constant(tok.num), nil
	case tok.kind == text:
		return constant(tok.text), nil
	case tok.kind == template:
		parts, err := templateParts(tok.text)
		if err != nil {
			return nil, err
		}
		t := &Template{parts: parts}
		return func(x *message.Exchange) (Value, error) { return t.Text(x) }, nil
	case tok.kind == punctuation && tok.text == "(":
		inner, err := p.expression(0)
		if err != nil {
			return nil, err
		}
		return inner, p.expect(")")
	case tok.kind == name:
		return p.global(tok.text)
	case tok.kind == end:
		return nil, fmt.Errorf("the expression ends too early")
	default:
		return nil, &UnsupportedError{What: fmt.Sprintf("%q at offset %d", tok.text, tok.at)}
	}
}

func constant(v Value) node {
	return func(*message.Exchange) (Value, error) { return v, nil }
}
