package fence

import (
	"strings"

	"github.com/dop251/goja"
)

// match is a regular expression of a script, ready to run.
type match struct {
	*pattern
	global, sticky bool
	object         *goja.Object
}

func regExpMethods() map[string]wrapper {
	return map[string]wrapper{"exec": regExpExec, "test": regExpTest, "toString": plain}
}

// checkRegExp sees what a script makes a regular expression of, before goja compiles it.
func (s *Sandbox) checkRegExp(args []goja.Value) {
	s.Take(1 << 15)
	source, flags := "", ""
	if len(args) > 0 {
		if m := s.regexp(args[0]); m != nil {
			return
		}
		source = args[0].String()
		args[0] = s.VM.ToValue(source)
	}
	if len(args) > 1 && !goja.IsUndefined(args[1]) {
		flags = args[1].String()
		args[1] = s.VM.ToValue(flags)
	}
	if _, err := s.patterns.get(source, flags); err != nil {
		s.throwSyntax(err)
	}
}

func (s *Sandbox) throwSyntax(err error) {
	o, newErr := s.VM.New(s.VM.Get("SyntaxError"), s.VM.ToValue(err.Error()))
	if newErr != nil {
		panic(newErr)
	}
	panic(o)
}

// regexp returns v as a regular expression, or nil when it is none.
func (s *Sandbox) regexp(v goja.Value) *match {
	o, ok := v.(*goja.Object)
	if !ok || o.ClassName() != "RegExp" {
		return nil
	}
	flags := flagsOf(o)
	p, err := s.patterns.get(o.Get("source").String(), flags)
	if err != nil {
		s.throwSyntax(err)
	}
	return &match{pattern: p, global: strings.Contains(flags, "g"), sticky: strings.Contains(flags, "y"), object: o}
}

func flagsOf(o *goja.Object) string {
	var flags strings.Builder
	for _, f := range [...]struct{ name, letter string }{
		{"global", "g"}, {"ignoreCase", "i"}, {"multiline", "m"}, {"dotAll", "s"}, {"unicode", "u"}, {"sticky", "y"},
	} {
		if v := o.Get(f.name); v != nil && v.ToBoolean() {
			flags.WriteString(f.letter)
		}
	}
	return flags.String()
}

// defineFlags replaces the getter of flags, which calls other getters.
func (s *Sandbox) defineFlags(proto *goja.Object) {
	get := s.VM.ToValue(func(c goja.FunctionCall) goja.Value {
		return s.native(func() goja.Value { return s.VM.ToValue(flagsOf(c.This.ToObject(s.VM))) })
	})
	_ = proto.DefineAccessorProperty("flags", get, nil, goja.FLAG_TRUE, goja.FLAG_FALSE)
}

// at finds from where the expression stands, and moves it, when it is global or sticky.
func (m *match) at(s *Sandbox, text string) []int {
	from := 0
	moves := m.global || m.sticky
	if moves {
		from = bytesOf(text, m.object.Get("lastIndex").ToInteger())
	}
	var loc []int
	if from >= 0 {
		loc = m.find(s, text, from)
	}
	if loc != nil && m.sticky && loc[0] != from {
		loc = nil
	}
	if moves {
		last := 0
		if loc != nil {
			last = unitsOf(text[:loc[1]])
		}
		m.setLast(last)
	}
	return loc
}

func (m *match) setLast(units int) {
	if err := m.object.Set("lastIndex", units); err != nil {
		panic(err)
	}
}

// unitsOf is the length of a text in JavaScript's units.
func unitsOf(text string) int {
	n := 0
	for _, r := range text {
		n++
		if r > 0xffff {
			n++
		}
	}
	return n
}

// bytesOf is how many bytes the first units of a text take; -1 when it has not so many.
func bytesOf(text string, units int64) int {
	if units <= 0 {
		return 0
	}
	for i, r := range text {
		if units <= 0 {
			return i
		}
		units--
		if r > 0xffff {
			units--
		}
	}
	if units > 0 {
		return -1
	}
	return len(text)
}

// group is the text of a group; what took no part is undefined.
func (s *Sandbox) group(text string, loc []int, at int) goja.Value {
	if loc[at] < 0 {
		return goja.Undefined()
	}
	s.takeText(loc[at+1] - loc[at])
	return s.VM.ToValue(text[loc[at]:loc[at+1]])
}

// result is what exec returns.
func (s *Sandbox) result(m *match, text string, input goja.Value, loc []int) goja.Value {
	items := make([]goja.Value, 0, len(loc)/2)
	for g := 0; g+1 < len(loc); g += 2 {
		items = append(items, s.group(text, loc, g))
	}
	s.Take(costObject)
	a := s.newArray(items)
	_ = a.Set("index", unitsOf(text[:loc[0]]))
	_ = a.Set("input", input)
	_ = a.Set("groups", s.groups(m, items))
	return a
}

func (s *Sandbox) groups(m *match, items []goja.Value) goja.Value {
	if m.names == nil {
		return goja.Undefined()
	}
	s.Take(costObject)
	o := s.VM.NewObject()
	for i, name := range m.names {
		if name != "" && i < len(items) {
			_ = o.Set(name, items[i])
		}
	}
	return o
}

func regExpExec(s *Sandbox, _ goja.Callable) func(goja.FunctionCall) goja.Value {
	return func(c goja.FunctionCall) goja.Value {
		return s.native(func() goja.Value {
			m := s.mustRegExp(c.This)
			input := s.VM.ToValue(c.Argument(0).String())
			text := input.String()
			loc := m.at(s, text)
			if loc == nil {
				return goja.Null()
			}
			return s.result(m, text, input, loc)
		})
	}
}

func regExpTest(s *Sandbox, _ goja.Callable) func(goja.FunctionCall) goja.Value {
	return func(c goja.FunctionCall) goja.Value {
		return s.native(func() goja.Value {
			return s.VM.ToValue(s.mustRegExp(c.This).at(s, c.Argument(0).String()) != nil)
		})
	}
}

func (s *Sandbox) mustRegExp(v goja.Value) *match {
	m := s.regexp(v)
	if m == nil {
		panic(s.VM.NewTypeError("this method is for regular expressions"))
	}
	return m
}

// asRegExp returns what match, matchAll and search look for: a text is an expression too.
func (s *Sandbox) asRegExp(v goja.Value, flags string) *match {
	if m := s.regexp(v); m != nil {
		return m
	}
	args := []goja.Value{s.VM.ToValue(""), s.VM.ToValue(flags)}
	if !goja.IsUndefined(v) {
		args[0] = v
	}
	o, err := s.VM.New(s.VM.Get("RegExp"), args...)
	if err != nil {
		panic(err)
	}
	return s.regexp(o)
}

func stringMatch(s *Sandbox, _ goja.Callable) func(goja.FunctionCall) goja.Value {
	return func(c goja.FunctionCall) goja.Value {
		return s.native(func() goja.Value {
			input := s.text(c.This)
			text, m := input.String(), s.asRegExp(c.Argument(0), "")
			if !m.global {
				loc := m.at(s, text)
				if loc == nil {
					return goja.Null()
				}
				return s.result(m, text, input, loc)
			}
			var items []goja.Value
			s.each(m, text, func(loc []int) { items = append(items, s.group(text, loc, 0)) })
			if items == nil {
				return goja.Null()
			}
			return s.newArray(items)
		})
	}
}

// each calls f for every match of a global expression.
func (s *Sandbox) each(m *match, text string, f func(loc []int)) {
	m.setLast(0)
	for at := 0; at <= len(text); {
		loc := m.find(s, text, at)
		if loc == nil || m.sticky && loc[0] != at {
			return
		}
		s.Take(64)
		f(loc)
		if at = loc[1]; loc[1] == loc[0] {
			at = next(text, at)
		}
	}
}

func stringMatchAll(s *Sandbox, _ goja.Callable) func(goja.FunctionCall) goja.Value {
	return func(c goja.FunctionCall) goja.Value {
		return s.native(func() goja.Value {
			input := s.text(c.This)
			text, m := input.String(), s.asRegExp(c.Argument(0), "g")
			if !m.global {
				panic(s.VM.NewTypeError("String.prototype.matchAll called with a non-global RegExp argument"))
			}
			var items []goja.Value
			s.each(m, text, func(loc []int) { items = append(items, s.result(m, text, input, loc)) })
			a := s.newArray(items)
			values, _ := goja.AssertFunction(a.Get("values"))
			return s.call(values, a)
		})
	}
}

func stringSearch(s *Sandbox, _ goja.Callable) func(goja.FunctionCall) goja.Value {
	return func(c goja.FunctionCall) goja.Value {
		return s.native(func() goja.Value {
			text := s.text(c.This).String()
			loc := s.asRegExp(c.Argument(0), "").find(s, text, 0)
			if loc == nil {
				return s.VM.ToValue(-1)
			}
			return s.VM.ToValue(unitsOf(text[:loc[0]]))
		})
	}
}
