package pattern

import (
	"regexp"
	"strings"
)

// PathExpression translates an Express 4 path into the JavaScript regular expression that
// path-to-regexp 0.1 makes of it; the flag i belongs to it. Named parameters become named groups.
//
// A parameter that follows other text in its segment must not contain that text; where the text is
// longer than one character this is left out, which changes what a parameter holds, not what matches.
func PathExpression(path string) string {
	var out, before strings.Builder
	last := 0
	names := map[string]bool{}
	for _, m := range tokens().FindAllStringSubmatchIndex(path, -1) {
		between := path[last:m[0]]
		out.WriteString(between)
		last = m[1]
		token := path[m[0]:m[1]]
		switch {
		case token[0] == '\\':
			before.WriteString(between + token)
			out.WriteString(token)
		case token == ".":
			before.WriteString(between + `\.`)
			out.WriteString(`\.`)
		case token == "*":
			before.WriteString(between)
			out.WriteString("(.*)")
		case token == "/(":
			before.Reset()
			before.WriteString("/")
			out.WriteString("/(?:")
		default:
			p := param{slash: group(path, m, 1), format: group(path, m, 2), name: group(path, m, 3)}
			p.capture, p.star, p.optional = group(path, m, 4), group(path, m, 5) != "", group(path, m, 6)
			before.WriteString(between)
			if p.slash != "" || p.format != "" {
				before.Reset()
			}
			out.WriteString(p.expression(before.String(), names))
		}
	}
	out.WriteString(path[last:])
	if strings.HasSuffix(path, "/") {
		return "^" + out.String() + "?$"
	}
	return "^" + out.String() + "/?$"
}

func tokens() *regexp.Regexp {
	return regexp.MustCompile(`\\.|(/)?(\.)?:(\w+)(\(.*?\))?(\*)?(\?)?|[.*]|/\(`)
}

func group(s string, m []int, i int) string {
	if m[2*i] < 0 {
		return ""
	}
	return s[m[2*i]:m[2*i+1]]
}

type param struct {
	slash, format, name, capture, optional string
	star                                   bool
}

// expression returns the group of a parameter; before is the text of its segment up to it.
func (p param) expression(before string, names map[string]bool) string {
	format := ""
	if p.format != "" {
		format = `\.`
	}
	inner := "[^/" + format + "]+?"
	switch {
	case p.capture != "":
		inner = p.capture[1 : len(p.capture)-1]
		if i := strings.IndexAny(inner, `\*`); i >= 0 && inner[i] == '*' {
			inner = inner[:i] + "(.*)" + inner[i+1:]
		}
	case len(before) == 1:
		inner = `[^/\` + before + "]+?"
		if before == "/" || isWord(before[0]) {
			inner = "[^/" + before + "]+?"
		}
	case before != "":
		inner = "[^/]+?"
	}
	name := "?<" + p.name + ">"
	if names[p.name] || isDigit(p.name[0]) {
		name = "" // group names are unique and begin with a letter
	}
	names[p.name] = true
	star := ""
	if p.star {
		star = "((?:[/" + format + "].+?)?)"
	}
	return "(?:" + format + p.slash + "(" + name + inner + ")" + star + ")" + p.optional
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWord(c byte) bool { return c == '_' || isDigit(c) || foldByte(c) >= 'a' && foldByte(c) <= 'z' }
