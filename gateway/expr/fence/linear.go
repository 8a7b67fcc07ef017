package fence

import (
	"errors"
	"strings"
)

// Linear is a regular expression that Go's automaton runs, for use outside of a run.
type Linear struct{ p *pattern }

// CompileLinear compiles a regular expression without look-around and back-references.
func CompileLinear(source, flags string) (*Linear, error) {
	if strings.Trim(flags, "gims") != "" {
		return nil, errors.New("these flags have no compiled form")
	}
	p, err := compilePattern(source, flags)
	if err != nil {
		return nil, err
	}
	if p.back != nil || p.names != nil {
		return nil, errors.New("look-around, back-references and named groups have no compiled form")
	}
	return &Linear{p: p}, nil
}

// most is how many steps of the automaton one call may take.
const most = 1 << 19

// Test tells whether the expression matches; false as second value: the text is too long to try here.
func (l *Linear) Test(text string) (matches, ok bool) {
	if len(text)*l.p.states > most {
		return false, false
	}
	return l.p.re.MatchString(text), true
}

// Replace replaces the first match, or all, by a text in which $1 to $9 stand for groups. False: the call is
// one of those that only a run does exactly as JavaScript, or within its limits.
func (l *Linear) Replace(text, by string, all bool) (string, bool) {
	steps := len(text) * l.p.states
	if all {
		steps *= 1 + len(text)/8 // each match may read to the end
	}
	if steps > most || len(text)*(1+len(by)) > most {
		return "", false
	}
	var out strings.Builder
	last := 0
	limit := 1
	if all {
		limit = -1
	}
	for _, loc := range l.p.re.FindAllStringSubmatchIndex(text, limit) {
		if all && loc[0] == loc[1] {
			return "", false // JavaScript goes on in another way behind an empty match
		}
		out.WriteString(text[last:loc[0]])
		if !fillIn(&out, by, text, loc) {
			return "", false
		}
		last = loc[1]
	}
	out.WriteString(text[last:])
	return out.String(), true
}

// fillIn writes by with its groups.
func fillIn(out *strings.Builder, by, text string, loc []int) bool {
	for {
		i := strings.IndexByte(by, '$')
		if i < 0 {
			out.WriteString(by)
			return true
		}
		if i+1 == len(by) || by[i+1] < '1' || by[i+1] > '9' || i+2 < len(by) && by[i+2] >= '0' && by[i+2] <= '9' {
			return false
		}
		n := int(by[i+1] - '0')
		if 2*n+1 >= len(loc) {
			return false
		}
		out.WriteString(by[:i])
		if loc[2*n] >= 0 {
			out.WriteString(text[loc[2*n]:loc[2*n+1]])
		}
		by = by[i+2:]
	}
}
