package pattern

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Template is a compiled path in the syntax of path-to-regexp 3, which reads a URL into parameters
// and writes parameters into a URL: /user/:id(\d+)?, /files/:path+, /(.*).
//
// It differs from Path, Express 4's own syntax: "*" alone stands for itself, and any character may
// stand before a parameter and belongs to it. EG: the rewrite plugin.
type Template struct {
	source string
	tokens []token
	re     *regexp.Regexp
	names  []string // of the groups of re
}

// token is a fixed text, or a parameter when it has a name.
type token struct {
	text, name, prefix, pattern string
	optional, repeat            bool
	value                       *regexp.Regexp // what a parameter's value must match
}

// NewTemplate compiles a path. It fails on look-around inside of a parameter's pattern and on broken ones.
func NewTemplate(source string) (*Template, error) {
	t := &Template{source: source, tokens: templateTokens(source)}
	var b strings.Builder
	b.WriteByte('^')
	for i := range t.tokens {
		tok := &t.tokens[i]
		if tok.name == "" {
			b.WriteString(regexp.QuoteMeta(tok.text))
			continue
		}
		value, err := Regexp("^(?:"+tok.pattern+")$", true)
		if err != nil {
			return nil, err
		}
		tok.value = value
		t.names = append(t.names, tok.name)
		b.WriteString(tok.expression())
	}
	b.WriteString("(?:/)?$")
	re, err := Regexp(b.String(), true)
	if err != nil {
		return nil, err
	}
	t.re = re
	return t, nil
}

// templateTokens splits a path into texts and parameters.
func templateTokens(source string) []token {
	var tokens []token
	text, escaped := "", false
	last, unnamed := 0, 0
	for _, m := range templatePattern().FindAllStringSubmatchIndex(source, -1) {
		text += source[last:m[0]]
		last = m[1]
		if group(source, m, 1) != "" {
			text += source[m[0]+1 : m[1]] // an escaped character stands for itself
			escaped = true
			continue
		}
		tok := token{name: group(source, m, 2)}
		if !escaped && text != "" {
			tok.prefix, text = text[len(text)-1:], text[:len(text)-1]
		}
		if text != "" {
			tokens = append(tokens, token{text: text})
			text, escaped = "", false
		}
		modifier := group(source, m, 5)
		tok.optional = modifier == "?" || modifier == "*"
		tok.repeat = modifier == "+" || modifier == "*"
		if tok.name == "" {
			tok.name = strconv.Itoa(unnamed)
			unnamed++
		}
		tok.pattern = templateGroup(group(source, m, 3) + group(source, m, 4))
		if tok.pattern == "" {
			tok.pattern = "[^" + classEscape(tok.prefix) + `\/]+?`
		}
		tokens = append(tokens, tok)
	}
	if text += source[last:]; text != "" {
		tokens = append(tokens, token{text: text})
	}
	return tokens
}

func templatePattern() *regexp.Regexp {
	return regexp.MustCompile(`(\\.)|(?::(\w+)(?:\(((?:\\.|[^\\()])+)\))?|\(((?:\\.|[^\\()])+)\))([+*?])?`)
}

// templateGroup keeps a parameter's own pattern from making groups.
func templateGroup(pattern string) string {
	return regexp.MustCompile(`[=!:$/()]`).ReplaceAllString(pattern, `\$0`)
}

// classEscape escapes the character in front of a parameter for a class; a slash is in it anyhow.
func classEscape(prefix string) string {
	if prefix == "" || prefix == "/" {
		return ""
	}
	if isWord(prefix[0]) || prefix[0] >= 0x80 {
		return prefix
	}
	return `\` + prefix
}

// expression is the part of the whole expression for a parameter.
func (t *token) expression() string {
	capture := t.pattern
	prefix := regexp.QuoteMeta(t.prefix)
	if t.repeat {
		delimiter := prefix
		if delimiter == "" {
			delimiter = "/"
		}
		capture = "(?:" + t.pattern + ")(?:" + delimiter + "(?:" + t.pattern + "))*"
	}
	switch {
	case !t.optional:
		return prefix + "(" + capture + ")"
	case prefix == "":
		return "(" + capture + ")?"
	default:
		return "(?:" + prefix + "(" + capture + "))?"
	}
}

// String returns the template as written.
func (t *Template) String() string { return t.source }

// Match returns the parameters of a URL that matches as a whole, as they stand in it; optional ones that
// are missing are left out. The names of parameters without one are numbers from 0.
func (t *Template) Match(url string) (map[string]string, bool) {
	found := t.re.FindStringSubmatchIndex(url)
	if found == nil {
		return nil, false
	}
	params := make(map[string]string, len(t.names))
	for i, name := range t.names {
		if from, to := found[2*i+2], found[2*i+3]; from >= 0 {
			params[name] = url[from:to]
		}
	}
	return params, true
}

// Expand writes parameters into the template. A missing one that is not optional, and one that does not
// match its pattern, are errors.
//
// EG: values are percent-encoded, and the whole result is decoded; so escapes of the template
// are decoded and those of values are not.
func (t *Template) Expand(params map[string]string) (string, error) {
	var b strings.Builder
	for i := range t.tokens {
		tok := &t.tokens[i]
		if tok.name == "" {
			b.WriteString(tok.text)
			continue
		}
		value, ok := params[tok.name]
		if !ok && tok.optional {
			continue
		}
		if !ok {
			return "", fmt.Errorf("expand %s: there is no parameter %q", t.source, tok.name)
		}
		encoded := EncodeComponent(value)
		if !tok.value.MatchString(encoded) {
			return "", fmt.Errorf("expand %s: parameter %q does not match /%s/", t.source, tok.name, tok.pattern)
		}
		b.WriteString(tok.prefix)
		b.WriteString(encoded)
	}
	out, err := url.PathUnescape(b.String())
	if err != nil {
		return "", fmt.Errorf("expand %s: %w", t.source, err)
	}
	return out, nil
}

// EncodeComponent is JavaScript's encodeURIComponent.
func EncodeComponent(s string) string {
	const safe = "-_.!~*'()"
	plain := func(c byte) bool { return c != '_' && isWord(c) || strings.IndexByte(safe, c) >= 0 }
	n := 0
	for i := range len(s) {
		if !plain(s[i]) {
			n++
		}
	}
	if n == 0 {
		return s
	}
	out := make([]byte, 0, len(s)+2*n)
	for i := range len(s) {
		if plain(s[i]) {
			out = append(out, s[i])
			continue
		}
		out = fmt.Appendf(out, "%%%02X", s[i])
	}
	return string(out)
}
