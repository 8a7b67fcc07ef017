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
}

// part is a fixed text or an expression.
type part struct {
	fixed string
	expr  *Expression
}

// CompileTemplate compiles what stands between the backticks of a JavaScript template.
func CompileTemplate(source string) (*Template, error) {
	t := &Template{source: source}
	rest := source
	for {
		at := dollar(rest)
		if at < 0 {
			break
		}
		if at > 0 {
			t.parts = append(t.parts, part{fixed: unescape(rest[:at])})
		}
		length := closing(rest[at+2:])
		if length < 0 {
			return nil, fmt.Errorf("a ${ is not closed")
		}
		e, err := Compile(rest[at+2 : at+2+length])
		if err != nil {
			return nil, fmt.Errorf("${%s}: %w", rest[at+2:at+2+length], err)
		}
		t.parts = append(t.parts, part{expr: e})
		rest = rest[at+2+length+1:]
	}
	if rest != "" {
		t.parts = append(t.parts, part{fixed: unescape(rest)})
	}
	return t, nil
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

// Text fills the template in for an exchange. An error is a ThrownError.
func (t *Template) Text(x *message.Exchange) (string, error) {
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
