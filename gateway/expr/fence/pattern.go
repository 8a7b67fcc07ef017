package fence

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2/v2"
	"github.com/dop251/goja/parser"
)

// The limits of one regular expression.
const (
	maxPattern     = 2000    // bytes of source
	maxStates      = 10000   // states of Go's automaton: a{1000} has a thousand
	maxBacktracked = 8 << 10 // bytes of text that one with look-around or back-references may see
	backtracking   = 10 * time.Millisecond
	atOnce         = 1 << 17 // bytes times states that Go's automaton may go through without looking at the clock
)

// pattern is a compiled regular expression. Go's automaton, whose time is linear, runs what it can; what it
// cannot, look-around and back-references, backtracks within a time of its own.
type pattern struct {
	re      *regexp.Regexp
	behind  *regexp.Regexp // the same behind one character, for those that look at it; nil: re will do
	back    *regexp2.Regexp
	names   []string // of groups; empty: it has none
	states  int
	unicode bool
}

func patternKey(source, flags string) string { return flags + "/" + source }

// compilePattern compiles the source of a JavaScript regular expression.
func compilePattern(source, flags string) (*pattern, error) {
	if len(source) > maxPattern {
		return nil, fmt.Errorf("Invalid regular expression: it is longer than %d bytes", maxPattern) //nolint:staticcheck // JavaScript's words
	}
	for i, f := range flags {
		if !strings.ContainsRune("gimsuy", f) || strings.ContainsRune(flags[:i], f) {
			return nil, fmt.Errorf("Invalid flags supplied to RegExp constructor '%s'", flags) //nolint:staticcheck // JavaScript's words
		}
	}
	has := func(f string) bool { return strings.Contains(flags, f) }
	translated, err := parser.TransformRegExp(source, has("s"), has("u"))
	if _, incompatible := errors.AsType[parser.RegexpErrorIncompatible](err); incompatible {
		return compileBacktracking(source, has)
	}
	if err != nil {
		return nil, fmt.Errorf("Invalid regular expression: /%s/: %w", source, err) //nolint:staticcheck // JavaScript's words
	}
	options := strings.Map(func(f rune) rune {
		if f == 'i' || f == 'm' {
			return f
		}
		return -1
	}, flags)
	return compileLinear(source, "(?"+options+":"+translated+")", has)
}

func compileLinear(source, translated string, has func(string) bool) (*pattern, error) {
	tree, err := syntax.Parse(translated, syntax.Perl)
	if err != nil { // Go repeats a thousand times at most
		return compileBacktracking(source, has)
	}
	p := &pattern{states: states(tree), unicode: has("u")}
	if p.states > maxStates {
		return nil, fmt.Errorf("Invalid regular expression: /%s/: it repeats too much", source) //nolint:staticcheck // JavaScript's words
	}
	if p.re, err = regexp.Compile(translated); err != nil {
		return nil, fmt.Errorf("Invalid regular expression: /%s/: %w", source, err) //nolint:staticcheck // JavaScript's words
	}
	if looksBehind(tree) {
		if p.behind, err = regexp.Compile(`\A(?s:.)(?s:.*?)(` + translated + `)`); err != nil {
			return nil, fmt.Errorf("Invalid regular expression: /%s/: %w", source, err) //nolint:staticcheck // JavaScript's words
		}
	}
	p.names = namesOf(p.re.SubexpNames())
	return p, nil
}

func compileBacktracking(source string, has func(string) bool) (*pattern, error) {
	options := regexp2.ECMAScript
	for flag, option := range map[string]regexp2.RegexOptions{
		"i": regexp2.IgnoreCase, "m": regexp2.Multiline, "s": regexp2.Singleline, "u": regexp2.Unicode,
	} {
		if has(flag) {
			options |= option
		}
	}
	re, err := regexp2.Compile(source, options, regexp2.OptionMaxBacktrackingStackSize(1<<16))
	if err != nil {
		return nil, fmt.Errorf("Invalid regular expression: /%s/: %w", source, err) //nolint:staticcheck // JavaScript's words
	}
	re.MatchTimeout = backtracking
	p := &pattern{back: re, unicode: has("u")}
	names := re.GetGroupNames()
	for i, name := range names {
		if name == fmt.Sprint(i) {
			names[i] = ""
		}
	}
	p.names = namesOf(names)
	return p, nil
}

func namesOf(names []string) []string {
	for _, name := range names {
		if name != "" {
			return names
		}
	}
	return nil
}

// states estimates the size of Go's automaton before it is built.
func states(re *syntax.Regexp) int {
	n := 1
	for _, sub := range re.Sub {
		n += states(sub)
	}
	switch re.Op {
	case syntax.OpRepeat:
		n *= max(re.Min, re.Max, 1)
	case syntax.OpLiteral:
		n += len(re.Rune)
	case syntax.OpCharClass:
		n += len(re.Rune) / 16
	default:
	}
	return min(n, 1<<30)
}

// looksBehind tells whether what stands before a match matters to it.
func looksBehind(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpBeginLine, syntax.OpBeginText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	default:
	}
	return slices.ContainsFunc(re.Sub, looksBehind)
}

// find returns where the first match at or behind from begins and ends, and its groups; nil: there is none.
func (p *pattern) find(s *Sandbox, text string, from int) []int {
	s.Check()
	if from > len(text) {
		return nil
	}
	if p.back != nil {
		return p.backtrack(s, text, from)
	}
	re, start := p.re, from
	if from > 0 && p.behind != nil {
		_, size := utf8.DecodeLastRuneInString(text[:from])
		re, start = p.behind, from-size
	}
	var loc []int
	if (len(text)-start)*p.states <= atOnce {
		loc = re.FindStringSubmatchIndex(text[start:])
	} else {
		loc = re.FindReaderSubmatchIndex(&clocked{s: s, text: text[start:], every: max(1, atOnce/256/p.states)})
	}
	if loc == nil {
		return nil
	}
	if re == p.behind {
		loc = loc[2:]
	}
	for i := range loc {
		if loc[i] >= 0 {
			loc[i] += start
		}
	}
	return loc
}

// clocked reads a text and looks at the clock every so many characters.
type clocked struct {
	s            *Sandbox
	text         string
	at, n, every int
}

// ReadRune returns the next character.
func (c *clocked) ReadRune() (rune, int, error) {
	if c.at >= len(c.text) {
		return 0, 0, io.EOF
	}
	if c.n++; c.n%c.every == 0 {
		c.s.Check()
	}
	r, size := utf8.DecodeRuneInString(c.text[c.at:])
	c.at += size
	return r, size, nil
}

// backtrack runs the expression that Go's automaton cannot.
func (p *pattern) backtrack(s *Sandbox, text string, from int) []int {
	if len(text) > maxBacktracked {
		s.end(ErrTime)
	}
	s.Take(64 * len(text)) // its stack
	runes := []rune(text)
	m, err := p.back.FindRunesMatchStartingAt(runes, utf8.RuneCountInString(text[:from]))
	if err != nil {
		s.end(ErrTime)
	}
	if m == nil {
		return nil
	}
	bytesTo := func(n int) int { return len(string(runes[:n])) }
	var loc []int
	for _, g := range m.Groups() {
		if len(g.Captures) == 0 {
			loc = append(loc, -1, -1)
			continue
		}
		loc = append(loc, bytesTo(g.RuneIndex), bytesTo(g.RuneIndex+g.RuneLength))
	}
	return loc
}

// patterns are those of the source, shared, and those that a run made of texts.
type patterns struct {
	shared map[string]*pattern
	made   map[string]*pattern
}

func newPatterns(shared map[string]*pattern) *patterns { return &patterns{shared: shared} }

func (p *patterns) get(source, flags string) (*pattern, error) {
	key := patternKey(source, flags)
	if one := p.shared[key]; one != nil {
		return one, nil
	}
	if one := p.made[key]; one != nil {
		return one, nil
	}
	one, err := compilePattern(source, flags)
	if err != nil {
		return nil, err
	}
	if p.made == nil {
		p.made = map[string]*pattern{}
	}
	p.made[key] = one
	return one, nil
}
