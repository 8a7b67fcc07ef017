// Package pattern matches what Express Gateway's files match with: JavaScript regular expressions,
// Express 4 paths, minimatch globs and vhost names.
package pattern

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// ErrLookaround is matched by the error of an expression that looks around or back:
// those need backtracking, whose cost has no bound, and are not supported.
var ErrLookaround = errors.New("look-ahead, look-behind and back-references are not supported")

// Regexp compiles a JavaScript regular expression; fold makes it ignore case (flag i).
//
// It runs in time linear in its input. An expression with look-around gives an error matching ErrLookaround.
func Regexp(source string, fold bool) (*regexp.Regexp, error) {
	translated, err := translate(source)
	if err != nil {
		return nil, fmt.Errorf("compile /%s/: %w", source, err)
	}
	if fold {
		translated = "(?i)" + translated
	}
	re, err := regexp.Compile(translated)
	if err != nil {
		return nil, fmt.Errorf("compile /%s/: %w", source, err)
	}
	return re, nil
}

// translate turns JavaScript's syntax into RE2's where they differ.
func translate(source string) (string, error) {
	var b strings.Builder
	inClass := false
	for i := 0; i < len(source); i++ {
		c := source[i]
		switch {
		case c == '\\' && i+1 < len(source):
			n, err := escape(&b, source[i:], inClass)
			if err != nil {
				return "", err
			}
			i += n - 1
		case inClass:
			inClass = c != ']'
			if c == '[' {
				b.WriteByte('\\') // JavaScript knows no classes inside classes
			}
			b.WriteByte(c)
		case strings.HasPrefix(source[i:], "[^]"):
			b.WriteString(`(?s:.)`)
			i += 2
		case strings.HasPrefix(source[i:], "[]"):
			b.WriteString(`[^\x00-\x{10FFFF}]`)
			i++
		case c == '[':
			inClass = true
			b.WriteByte(c)
		case c == '(' && lookaround(source[i:]):
			return "", ErrLookaround
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}

func lookaround(s string) bool {
	for _, start := range []string{"(?=", "(?!", "(?<=", "(?<!"} {
		if strings.HasPrefix(s, start) {
			return true
		}
	}
	return false
}

// escape writes the escape sequence at the start of s and returns how long it was.
func escape(b *strings.Builder, s string, inClass bool) (int, error) {
	c := s[1]
	switch {
	case c == 'u' && len(s) >= 6 && isHex(s[2:6]):
		b.WriteString(`\x{` + s[2:6] + `}`)
		return 6, nil
	case c == 'x' && len(s) >= 4 && isHex(s[2:4]):
		b.WriteString(s[:4])
		return 4, nil
	case c == '0':
		b.WriteString(`\x00`)
	case c >= '1' && c <= '9', c == 'k':
		return 0, ErrLookaround
	case c == 'b' && inClass:
		b.WriteString(`\x08`)
	case strings.IndexByte("dDwWsSbBtnrfv", c) >= 0:
		b.WriteString(s[:2])
	case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
		b.WriteByte(c) // an identity escape
	default:
		b.WriteString(s[:2])
	}
	return 2, nil
}

func isHex(s string) bool {
	return strings.Trim(s, "0123456789abcdefABCDEF") == ""
}
