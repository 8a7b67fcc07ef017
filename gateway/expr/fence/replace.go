package fence

import (
	"strconv"
	"strings"

	"github.com/dop251/goja"
)

// stringReplace is replace and replaceAll, by a text or by a function.
func stringReplace(everywhere bool) wrapper {
	return func(s *Sandbox, _ goja.Callable) func(goja.FunctionCall) goja.Value {
		return func(c goja.FunctionCall) goja.Value {
			return s.native(func() goja.Value {
				text := s.text(c.This).String()
				r := &replacing{s: s, text: text}
				r.by(c.Argument(1))
				m := s.regexp(c.Argument(0))
				switch {
				case m == nil:
					r.words(c.Argument(0).String(), everywhere)
				case m.global:
					r.m = m
					s.each(m, text, r.one)
				case everywhere:
					panic(s.VM.NewTypeError("replaceAll must be called with a global RegExp"))
				default:
					r.m = m
					if loc := m.at(s, text); loc != nil {
						r.one(loc)
					}
				}
				return s.VM.ToValue(r.rest())
			})
		}
	}
}

// replacing is one call of replace.
type replacing struct {
	s        *Sandbox
	m        *match // nil: a text is replaced
	text     string
	template string
	function goja.Callable
	out      strings.Builder
	last     int
}

func (r *replacing) by(v goja.Value) {
	if f, ok := goja.AssertFunction(v); ok {
		r.function = f
		return
	}
	r.template = v.String()
}

// words replaces a text once or everywhere.
func (r *replacing) words(what string, everywhere bool) {
	for at := 0; at <= len(r.text); {
		i := strings.Index(r.text[at:], what)
		if i < 0 {
			return
		}
		r.s.Check()
		r.one([]int{at + i, at + i + len(what)})
		if !everywhere {
			return
		}
		if at += i + len(what); what == "" {
			at = next(r.text, at)
		}
	}
}

// one puts the replacement of one match behind what stands before it.
func (r *replacing) one(loc []int) {
	r.write(r.text[r.last:loc[0]])
	r.last = loc[1]
	if r.function == nil {
		r.expand(loc)
		return
	}
	var args []goja.Value
	for g := 0; g+1 < len(loc); g += 2 {
		args = append(args, r.s.group(r.text, loc, g))
	}
	groups := args
	args = append(args, r.s.VM.ToValue(unitsOf(r.text[:loc[0]])), r.s.VM.ToValue(r.text))
	if r.m != nil && r.m.names != nil {
		args = append(args, r.s.groups(r.m, groups))
	}
	r.s.appendText(&r.out, r.s.call(r.function, goja.Undefined(), args...))
}

func (r *replacing) write(text string) {
	if r.out.Len()+len(text) > maxText {
		r.s.end(ErrMemory)
	}
	r.s.Take(2 * len(text))
	r.out.WriteString(text)
}

func (r *replacing) rest() string {
	r.write(r.text[r.last:])
	return r.out.String()
}

// expand writes the template with $$, $&, $`, $', $1 and $<name> filled in.
func (r *replacing) expand(loc []int) {
	t := r.template
	for {
		i := strings.IndexByte(t, '$')
		if i < 0 || i+1 == len(t) {
			r.write(t)
			return
		}
		r.write(t[:i])
		used := r.special(t[i:], loc)
		if used == 0 {
			r.write("$")
			used = 1
		}
		t = t[i+used:]
	}
}

// special writes what t begins with and returns how long that was; 0: it is only a dollar.
func (r *replacing) special(t string, loc []int) int {
	switch c := t[1]; {
	case c == '$':
		r.write("$")
	case c == '&':
		r.write(r.text[loc[0]:loc[1]])
	case c == '`':
		r.write(r.text[:loc[0]])
	case c == '\'':
		r.write(r.text[loc[1]:])
	case c == '<' && r.m != nil && r.m.names != nil:
		return r.named(t, loc)
	case c >= '0' && c <= '9':
		return r.numbered(t, loc)
	default:
		return 0
	}
	return 2
}

func (r *replacing) numbered(t string, loc []int) int {
	for digits := 2; digits > 0; digits-- {
		if len(t) < 1+digits {
			continue
		}
		n, err := strconv.Atoi(t[1 : 1+digits])
		if err != nil || n == 0 || 2*n+1 >= len(loc) {
			continue
		}
		if loc[2*n] >= 0 {
			r.write(r.text[loc[2*n]:loc[2*n+1]])
		}
		return 1 + digits
	}
	return 0
}

func (r *replacing) named(t string, loc []int) int {
	name, _, closed := strings.Cut(t[2:], ">")
	if !closed {
		return 0
	}
	for i, one := range r.m.names {
		if one == name && 2*i+1 < len(loc) && loc[2*i] >= 0 {
			r.write(r.text[loc[2*i]:loc[2*i+1]])
		}
	}
	return len("$<>") + len(name)
}
