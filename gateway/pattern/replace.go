package pattern

import (
	"regexp"
	"slices"
	"strings"
)

// ReplaceFirst replaces the first match in s as JavaScript's s.replace(re, replacement) does:
// $1 to $99 are groups, $<name> a named one, $& the match, $` and $' what is around it, $$ a dollar.
// Without a match it returns s.
func ReplaceFirst(re *regexp.Regexp, s, replacement string) string {
	found := re.FindStringSubmatchIndex(s)
	if found == nil {
		return s
	}
	var b strings.Builder
	b.WriteString(s[:found[0]])
	for rest := replacement; rest != ""; {
		at := strings.IndexByte(rest, '$')
		if at < 0 {
			b.WriteString(rest)
			break
		}
		b.WriteString(rest[:at])
		text, n := reference(re, s, found, rest[at:])
		b.WriteString(text)
		rest = rest[at+n:]
	}
	b.WriteString(s[found[1]:])
	return b.String()
}

// reference returns what the reference at the start of r, a "$", stands for, and its length.
func reference(re *regexp.Regexp, s string, found []int, r string) (string, int) {
	if len(r) < 2 {
		return "$", 1
	}
	switch c := r[1]; {
	case c == '$':
		return "$", 2
	case c == '&':
		return s[found[0]:found[1]], 2
	case c == '`':
		return s[:found[0]], 2
	case c == '\'':
		return s[found[1]:], 2
	case c == '<' && slices.ContainsFunc(re.SubexpNames(), func(name string) bool { return name != "" }):
		if name, _, closed := strings.Cut(r[2:], ">"); closed {
			return submatch(s, found, re.SubexpIndex(name)), len(name) + 3
		}
	case isDigit(c):
		n := int(c - '0')
		if len(r) > 2 && isDigit(r[2]) {
			if two := 10*n + int(r[2]-'0'); two > 0 && two <= re.NumSubexp() {
				return submatch(s, found, two), 3
			}
		}
		if n > 0 && n <= re.NumSubexp() {
			return submatch(s, found, n), 2
		}
	}
	return "$", 1
}

func submatch(s string, found []int, i int) string {
	if i < 0 || found[2*i] < 0 {
		return ""
	}
	return s[found[2*i]:found[2*i+1]]
}
