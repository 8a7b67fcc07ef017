package expr

import (
	"fmt"
	"strings"

	"egk8s.dev/egk8s/gateway/message"
)

// Template is a compiled template: text with ${expressions}. It is safe for concurrent use.
type Template struct {
	source string
	parts  []part
	script *script // the interpreted form; nil: it is compiled
	slow   string
	broken error
}

// part is a fixed text or an expression.
type part struct {
	fixed string
	expr  *Expression
}

// CompileTemplate compiles what stands between the backticks of a JavaScript template.
// An error is a *fence.SyntaxError.
func CompileTemplate(source string) (*Template, error) {
	t := &Template{source: source}
	var err error
	if t.parts, err = templateParts(source); err == nil {
		return t, nil
	}
	t.parts, t.slow, t.script = nil, err.Error(), newScript("`"+source+"`")
	if _, err := t.script.compile(); err != nil {
		return nil, fmt.Errorf("%w", err)
	}
	return t, nil
}

// BrokenTemplate returns a template that throws err whenever it is filled in.
func BrokenTemplate(source string, err error) *Template {
	return &Template{source: source, broken: &ThrownError{Message: "SyntaxError: " + err.Error()}}
}

// templateParts makes the compiled form.
func templateParts(source string) ([]part, error) {
	var parts []part
	rest := source
	for {
		at := dollar(rest)
		fixed := rest
		if at >= 0 {
			fixed = rest[:at]
		}
		if strings.Contains(strings.ReplaceAll(fixed, "\\`", ""), "`") {
			return nil, &UnsupportedError{What: "a backtick"}
		}
		if fixed != "" {
			text, ok := unescape(fixed)
			if !ok || strings.Contains(fixed, "\r") {
				return nil, &UnsupportedError{What: "this escape sequence"}
			}
			parts = append(parts, part{fixed: text})
		}
		if at < 0 {
			return parts, nil
		}
		length := closing(rest[at+2:])
		if length < 0 {
			return nil, fmt.Errorf("a ${ is not closed")
		}
		source := rest[at+2 : at+2+length]
		eval, err := compileOne(source)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part{expr: &Expression{source: source, eval: eval, script: newScript(source)}})
		rest = rest[at+2+length+1:]
	}
}

// dollar finds the next ${ that is not escaped.
func dollar(s string) int {
	for i := 0; i+1 < len(s); i++ {
		if s[i] == '\\' {
			i++
		} else if s[i] == '$' && s[i+1] == '{' {
			return i
		}
	}
	return -1
}

// closing returns the length of an expression up to its closing brace, or -1.
func closing(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '\'', '"', '`':
			for i++; i < len(s) && s[i] != c; i++ {
				if s[i] == '\\' {
					i++
				}
			}
		case '{':
			depth++
		case '}':
			if depth == 0 {
				return i
			}
			depth--
		}
	}
	return -1
}

// String returns the template as written.
func (t *Template) String() string { return t.source }

// Slow says why the template runs in the interpreter; empty: it is compiled.
func (t *Template) Slow() string { return t.slow }

// Text fills the template in for an exchange. Errors are those of Expression.Eval.
func (t *Template) Text(x *message.Exchange) (string, error) {
	if t.broken != nil {
		return "", t.broken
	}
	if t.script != nil {
		return t.script.text(x)
	}
	var b strings.Builder
	for _, p := range t.parts {
		if p.expr == nil {
			b.WriteString(p.fixed)
			continue
		}
		s, err := p.expr.Text(x)
		if err != nil {
			return "", err
		}
		b.WriteString(s)
	}
	return b.String(), nil
}
