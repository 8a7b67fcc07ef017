package pattern

import (
	"regexp"
	"regexp/syntax"
	"strings"
)

// Example is a short text that the expression matches: what may be left out is.
func Example(re *regexp.Regexp) (string, bool) { return sample(re, false) }

// FullExample is a text that the expression matches: what may be left out stands once.
func FullExample(re *regexp.Regexp) (string, bool) { return sample(re, true) }

func sample(re *regexp.Regexp, full bool) (string, bool) {
	tree, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil {
		return "", false
	}
	s := sampler{full: full}
	ok := s.write(tree)
	return s.text.String(), ok
}

type sampler struct {
	text strings.Builder
	full bool
}

// write adds a text that the expression matches.
func (s *sampler) write(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpNoMatch:
		return false
	case syntax.OpLiteral:
		s.text.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		r, ok := pick(re.Rune)
		s.text.WriteRune(r)
		return ok
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		s.text.WriteByte('x')
	case syntax.OpCapture, syntax.OpPlus:
		return s.write(re.Sub[0])
	case syntax.OpRepeat:
		for range re.Min {
			if !s.write(re.Sub[0]) {
				return false
			}
		}
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if !s.write(sub) {
				return false
			}
		}
	case syntax.OpAlternate:
		return s.write(re.Sub[0])
	case syntax.OpQuest, syntax.OpStar:
		return !s.full || s.write(re.Sub[0])
	default: // nothing has to stand there
	}
	return true
}

// pick chooses a character of a class: one that reads well in a URL where there is one.
func pick(ranges []rune) (rune, bool) {
	for _, r := range "1xaA0-_" {
		for i := 0; i+1 < len(ranges); i += 2 {
			if r >= ranges[i] && r <= ranges[i+1] {
				return r, true
			}
		}
	}
	for i := 0; i+1 < len(ranges); i += 2 {
		if r := max(ranges[i], '!'); r <= min(ranges[i+1], '~') {
			return r, true
		}
	}
	return 'x', false
}
