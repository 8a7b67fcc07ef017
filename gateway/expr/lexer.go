package expr

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

type tokenKind int

const (
	end tokenKind = iota
	name
	number
	text
	template
	punctuation
)

type token struct {
	kind tokenKind
	text string // decoded for text, raw for template
	num  float64
	at   int
}

type lexer struct {
	source string
	pos    int
}

func (l *lexer) next() (token, error) {
	for l.pos < len(l.source) && strings.IndexByte(" \t\r\n", l.source[l.pos]) >= 0 {
		l.pos++
	}
	if l.pos == len(l.source) {
		return token{kind: end, at: l.pos}, nil
	}
	start, c := l.pos, l.source[l.pos]
	switch {
	case isNameByte(c) && !isDigit(c):
		for l.pos < len(l.source) && isNameByte(l.source[l.pos]) {
			l.pos++
		}
		return token{kind: name, text: l.source[start:l.pos], at: start}, nil
	case isDigit(c):
		return l.number()
	case c == '\'' || c == '"':
		return l.text(c)
	case c == '`':
		return l.template()
	}
	for _, op := range operators() {
		if strings.HasPrefix(l.source[start:], op) {
			l.pos += len(op)
			return token{kind: punctuation, text: op, at: start}, nil
		}
	}
	return token{}, fmt.Errorf("unexpected character %q", l.source[start:start+1])
}

// operators are in an order in which the first match is the longest.
func operators() []string {
	return []string{
		"===", "!==", "=>", "==", "!=", "<=", ">=", "&&", "||", "??", "?.", "++", "--", "+=", "-=", "**",
		"+", "-", "*", "/", "%", "<", ">", "!", "?", ":", "(", ")", "[", "]", ".", ",", ";", "=", "{", "}",
		"&", "|", "^", "~",
	}
}

func (l *lexer) number() (token, error) {
	start := l.pos
	for l.pos < len(l.source) && (isNameByte(l.source[l.pos]) || l.source[l.pos] == '.') {
		l.pos++
	}
	written := l.source[start:l.pos]
	n, err := strconv.ParseFloat(written, 64)
	if len(written) > 1 && written[0] == '0' && written[1] != '.' {
		i, errInt := strconv.ParseUint(written, 0, 53)
		n, err = float64(i), errInt
		if isDigit(written[1]) || strings.Contains(written, "_") {
			return token{}, &UnsupportedError{What: "the number " + written}
		}
	}
	if err != nil {
		return token{}, fmt.Errorf("%q is no number", written)
	}
	return token{kind: number, num: n, text: written, at: start}, nil
}

func (l *lexer) text(quote byte) (token, error) {
	start := l.pos
	for l.pos++; l.pos < len(l.source); l.pos++ {
		switch l.source[l.pos] {
		case '\\':
			l.pos++
		case quote:
			raw := l.source[start+1 : l.pos]
			l.pos++
			decoded, ok := unescape(raw)
			if !ok || strings.ContainsAny(raw, "\r\n") {
				return token{}, &UnsupportedError{What: "this text"}
			}
			return token{kind: text, text: decoded, at: start}, nil
		}
	}
	return token{}, fmt.Errorf("a text that begins with %c does not end", quote)
}

// template reads up to the closing backtick; templates inside of ${…} may have backticks of their own.
func (l *lexer) template() (token, error) {
	start, depth := l.pos, 0
	for l.pos++; l.pos < len(l.source); l.pos++ {
		switch rest := l.source[l.pos:]; {
		case rest[0] == '\\':
			l.pos++
		case strings.HasPrefix(rest, "${"):
			depth++
		case rest[0] == '}' && depth > 0:
			depth--
		case rest[0] == '`' && depth == 0:
			raw := l.source[start+1 : l.pos]
			l.pos++
			return token{kind: template, text: raw, at: start}, nil
		}
	}
	return token{}, fmt.Errorf("a template does not end")
}

// unescape decodes the escape sequences of a text; false: it has some that only the interpreter knows.
func unescape(raw string) (string, bool) {
	if strings.IndexByte(raw, '\\') < 0 {
		return raw, true
	}
	var b strings.Builder
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			b.WriteByte(raw[i])
			continue
		}
		i++
		if i == len(raw) || isDigit(raw[i]) || raw[i] == '\n' || raw[i] == '\r' || raw[i] >= utf8.RuneSelf {
			return "", false
		}
		if digits := map[byte]int{'x': 2, 'u': 4}[raw[i]]; digits > 0 {
			code, err := strconv.ParseUint(raw[i+1:min(len(raw), i+1+digits)], 16, 32)
			if err != nil || i+digits >= len(raw) || code >= 0xd800 && code < 0xe000 {
				return "", false
			}
			b.WriteRune(rune(code)) //nolint:gosec // four digits at most
			i += digits
			continue
		}
		if at := strings.IndexByte("nrtbfv", raw[i]); at >= 0 {
			b.WriteByte("\n\r\t\b\f\v"[at])
			continue
		}
		b.WriteByte(raw[i])
	}
	return b.String(), true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isNameByte(c byte) bool {
	return c == '_' || c == '$' || isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf
}
