package pattern

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Glob is a compiled minimatch pattern: *, ?, [class], {a,b}, {1..3}, +(a|b), a leading "!".
// EG: minimatch 3 with its defaults, used on names without slashes.
type Glob struct {
	alternatives []*regexp.Regexp
	guarded      []bool // the alternative begins with magic: no empty name, none with a leading dot
	negate       bool
	never        bool
}

// What a glob may cost: braces can stand for any number of alternatives.
const (
	maxGlob         = 1 << 12 // bytes of its source
	maxAlternatives = 1 << 10
	maxBraces       = 1 << 6
)

// NewGlob compiles a glob. The extended form !(…) is refused, and so is one that stands for too much.
func NewGlob(source string) (*Glob, error) {
	if len(source) > maxGlob {
		return nil, fmt.Errorf("compile glob: it has more than %d bytes", maxGlob)
	}
	if strings.HasPrefix(source, "#") {
		return &Glob{never: true}, nil // a comment
	}
	g := &Glob{}
	for strings.HasPrefix(source, "!") && !strings.HasPrefix(source, "!(") {
		g.negate = !g.negate
		source = source[1:]
	}
	alternatives, err := expandBraces(source, 0)
	if err != nil {
		return nil, fmt.Errorf("compile glob: %w", err)
	}
	for _, one := range alternatives {
		expr, err := globExpression(one)
		if err != nil {
			return nil, fmt.Errorf("compile glob %q: %w", source, err)
		}
		re, err := regexp.Compile("^(?:" + expr + ")$")
		if err != nil {
			return nil, fmt.Errorf("compile glob %q: %w", source, err)
		}
		g.alternatives = append(g.alternatives, re)
		g.guarded = append(g.guarded, one != "" && strings.IndexByte("*?[+@", one[0]) >= 0)
	}
	return g, nil
}

// Match tells whether name matches; case counts.
func (g *Glob) Match(name string) bool {
	if g.never {
		return false
	}
	for i, re := range g.alternatives {
		if g.guarded[i] && (name == "" || name[0] == '.') {
			continue
		}
		if re.MatchString(name) {
			return !g.negate
		}
	}
	return g.negate
}

// globExpression translates one alternative, without braces, into a regular expression.
func globExpression(s string) (string, error) {
	var b strings.Builder
	var open []byte // the kinds of extended groups that are open
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteString(regexp.QuoteMeta(s[i : i+1]))
		case strings.IndexByte("?*+@!", c) >= 0 && i+1 < len(s) && s[i+1] == '(':
			if c == '!' {
				return "", fmt.Errorf("!(…) is not supported")
			}
			open = append(open, c)
			b.WriteString("(?:")
			i++
		case c == ')' && len(open) > 0:
			b.WriteString(map[byte]string{'?': ")?", '*': ")*", '+': ")+", '@': ")"}[open[len(open)-1]])
			open = open[:len(open)-1]
		case c == '|' && len(open) > 0:
			b.WriteByte('|')
		case c == '*':
			b.WriteString("[^/]*?")
		case c == '?':
			b.WriteString("[^/]")
		case c == '[':
			class, n := globClass(s[i:])
			b.WriteString(class)
			i += n - 1
		default:
			b.WriteString(regexp.QuoteMeta(s[i : i+1]))
		}
	}
	if len(open) > 0 {
		return "", fmt.Errorf("a group is not closed")
	}
	return b.String(), nil
}

// globClass translates the class at the start of s; an unclosed one is a plain bracket.
func globClass(s string) (string, int) {
	end := strings.IndexByte(s[1:], ']')
	if end == 0 { // the first bracket belongs to the class
		if more := strings.IndexByte(s[2:], ']'); more >= 0 {
			end = more + 1
		}
	}
	if end <= 0 {
		return `\[`, 1
	}
	body := s[1 : end+1]
	not := ""
	if body[0] == '!' || body[0] == '^' {
		not, body = "^", body[1:]
	}
	body = strings.NewReplacer(`\`, `\\`, `[`, `\[`, `]`, `\]`).Replace(body)
	return "[" + not + body + "]", end + 2
}

// expandBraces returns all alternatives of {a,b} and {1..3}, nested ones too. depth counts the calls around it.
func expandBraces(s string, depth int) ([]string, error) {
	open, end := braces(s)
	if end < 0 {
		return []string{s}, nil
	}
	if depth > maxBraces {
		return nil, fmt.Errorf("it has more than %d braces behind and inside of each other", maxBraces)
	}
	tails, err := expandBraces(s[end+1:], depth+1)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, item := range braceItems(s[open+1 : end]) {
		heads, err := expandBraces(item, depth+1)
		if err != nil {
			return nil, err
		}
		if len(out)+len(heads)*len(tails) > maxAlternatives {
			return nil, fmt.Errorf("its braces stand for more than %d alternatives", maxAlternatives)
		}
		for _, head := range heads {
			for _, tail := range tails {
				out = append(out, s[:open]+head+tail)
			}
		}
	}
	return out, nil
}

// braces finds the first pair that holds a list or a range; end is -1 when there is none.
func braces(s string) (open, end int) {
	for open = range len(s) {
		if s[open] != '{' {
			continue
		}
		depth := 0
		for end = open; end < len(s); end++ {
			switch s[end] {
			case '{':
				depth++
			case '}':
				depth--
			}
			if depth == 0 {
				if len(braceItems(s[open+1:end])) > 1 {
					return open, end
				}
				break
			}
		}
	}
	return 0, -1
}

func braceItems(s string) []string {
	if from, to, ok := strings.Cut(s, ".."); ok {
		if items := numbers(from, to); items != nil {
			return items
		}
	}
	var items []string
	depth, start := 0, 0
	for i := range len(s) {
		switch s[i] {
		case '{':
			depth++
		case '}':
			depth--
		case ',':
			if depth == 0 {
				items, start = append(items, s[start:i]), i+1
			}
		}
	}
	return append(items, s[start:])
}

func numbers(from, to string) []string {
	a, errA := strconv.Atoi(from)
	b, errB := strconv.Atoi(to)
	if errA != nil || errB != nil || max(a, b)-min(a, b) > 1000 {
		return nil
	}
	var items []string
	for i := min(a, b); i <= max(a, b); i++ {
		items = append(items, strconv.Itoa(i))
	}
	return items
}
