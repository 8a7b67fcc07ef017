package pattern

import (
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Path is a compiled path pattern in Express 4 syntax: :name, :name?, :name(\d+), *, ?, +, (a|b).
//
// It ignores case, tolerates one slash at the end, and sees the path as sent: not decoded, with
// its double slashes. EG: path-to-regexp 0.1, as express 4 uses it.
type Path struct {
	source string
	kind   kind
	// literal is the whole path (exact) or what comes before a last "*" (prefix), in lower case
	// and without a slash at the end of an exact path.
	literal string
	re      *regexp.Regexp
}

type kind int

const (
	anything kind = iota // "*"
	exact
	prefix
	expression
)

// NewPath compiles a path pattern. It fails on look-around inside of a pattern and on broken groups.
func NewPath(source string) (*Path, error) {
	p := &Path{source: source}
	stem := strings.TrimSuffix(source, "*")
	switch {
	case source == "" || source == "*":
		p.kind = anything
	case isLiteral(source):
		p.kind, p.literal = exact, strings.ToLower(strings.TrimSuffix(source, "/"))
	case len(stem) == len(source)-1 && isLiteral(stem):
		p.kind, p.literal = prefix, strings.ToLower(stem)
	default:
		p.kind, p.literal = expression, literalPrefix(source)
		re, err := Regexp(PathExpression(source), true)
		if err != nil {
			return nil, err
		}
		p.re = re
	}
	return p, nil
}

// NewPathRegexp compiles an expression that is searched in the path, with regard to case.
// EG: pathRegex.
func NewPathRegexp(source string) (*Path, error) {
	re, err := Regexp(source, false)
	if err != nil {
		return nil, err
	}
	return &Path{source: source, kind: expression, re: re}, nil
}

// String returns the pattern as written.
func (p *Path) String() string { return p.source }

// Exact returns the only path that matches, in lower case; with one more slash at its end it matches too.
func (p *Path) Exact() (string, bool) { return p.literal, p.kind == exact }

// Prefix returns what every matching path begins with, in lower case; it may be empty.
func (p *Path) Prefix() string { return p.literal }

// Match is the result of matching one path.
type Match int

// The results.
const (
	No Match = iota
	Yes
	// Malformed is a path that matches and of which a parameter cannot be decoded.
	// EG: answers 400.
	Malformed
)

// Match tells whether path, without its query, matches.
func (p *Path) Match(path string) Match {
	switch p.kind {
	case anything:
		return decodable(path)
	case exact:
		if trimmed, ok := strings.CutSuffix(path, "/"); ok && equalFold(trimmed, p.literal) {
			return Yes
		}
		if equalFold(path, p.literal) {
			return Yes
		}
		return No
	case prefix:
		n := len(p.literal)
		if len(path) < n || !equalFold(path[:n], p.literal) {
			return No
		}
		return decodable(path[n:])
	default:
		return p.matchExpression(path)
	}
}

func (p *Path) matchExpression(path string) Match {
	if strings.IndexByte(path, '%') < 0 {
		if p.re.MatchString(path) {
			return Yes
		}
		return No
	}
	found := p.re.FindStringSubmatchIndex(path)
	if found == nil {
		return No
	}
	for i := 2; i+1 < len(found); i += 2 {
		if found[i] >= 0 && decodable(path[found[i]:found[i+1]]) == Malformed {
			return Malformed
		}
	}
	return Yes
}

// Params returns the named parameters of a path that matches, decoded.
func (p *Path) Params(path string) map[string]string {
	params := map[string]string{}
	if p.re == nil {
		return params
	}
	found := p.re.FindStringSubmatch(path)
	for i, name := range p.re.SubexpNames() {
		if i < len(found) && name != "" {
			if plain, err := url.PathUnescape(found[i]); err == nil {
				params[name] = plain
			}
		}
	}
	return params
}

func decodable(s string) Match {
	if strings.IndexByte(s, '%') < 0 {
		return Yes
	}
	if plain, err := url.PathUnescape(s); err != nil || !utf8.ValidString(plain) {
		return Malformed
	}
	return Yes
}

// equalFold compares with ASCII letters folded; lower is in lower case already.
func equalFold(s, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i := range len(s) {
		if foldByte(s[i]) != lower[i] {
			return false
		}
	}
	return true
}

func foldByte(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// isLiteral tells whether a pattern stands for itself: only characters that mean nothing to Express.
func isLiteral(s string) bool {
	return strings.HasPrefix(s, "/") && !strings.ContainsFunc(s, special)
}

func special(c rune) bool {
	return c > '~' || strings.ContainsRune(`\:*?+()[]{}^$|`, c)
}

// literalPrefix returns what every path that matches an expression begins with.
func literalPrefix(source string) string {
	i := strings.IndexFunc(source, special)
	if i < 0 {
		return ""
	}
	if strings.ContainsRune(source, '|') { // an alternative may begin with anything
		return ""
	}
	// The character before a quantifier or an optional group is not certain, nor is the slash
	// that belongs to an optional parameter.
	return strings.ToLower(source[:max(0, i-1)])
}
