package fence

import (
	"strings"

	"github.com/dop251/goja"
)

// wrapper makes what scripts see of a native function; original is goja's.
type wrapper func(s *Sandbox, original goja.Callable) func(goja.FunctionCall) goja.Value

// place is an object of the runtime and what scripts see of it. Every member that is not named here is removed,
// so that a newer goja adds nothing.
type place struct {
	name    string
	proto   bool            // NAME.prototype, not NAME
	keep    map[string]bool // left as they are
	wrapped map[string]wrapper
	steps   []step // what to do to each member that is not kept
}

// step is a member with its wrapper; nil: it is removed.
type step struct {
	name string
	wrap wrapper
}

// plan lists what is to do, as a runtime has it.
func (p *place) plan(vm *goja.Runtime) {
	for _, name := range p.find(vm).GetOwnPropertyNames() {
		if !p.keep[name] {
			p.steps = append(p.steps, step{name: name, wrap: p.wrapped[name]})
		}
	}
}

// find returns the object.
func (p *place) find(vm *goja.Runtime) *goja.Object {
	o, _ := vm.GlobalObject().Get(p.name).(*goja.Object)
	if p.proto {
		o, _ = o.Get("prototype").(*goja.Object)
	}
	return o
}

// surface is what scripts see, made once for each program.
type surface struct {
	globals map[string]bool
	places  []place
	removed []string // the globals that there are otherwise
}

// newSurface plans once what every run does: a runtime that is asked for its names makes all their values.
func newSurface() *surface {
	f := surfaceTable()
	vm := goja.New()
	for i := range f.places {
		f.places[i].plan(vm)
	}
	for _, name := range vm.GlobalObject().GetOwnPropertyNames() {
		if !f.globals[name] {
			f.removed = append(f.removed, name)
		}
	}
	return f
}

func surfaceTable() *surface {
	return &surface{
		globals: words("Object Array String Number RegExp Date Boolean Math JSON Symbol Map Set globalThis NaN undefined Infinity " +
			"isNaN isFinite parseInt parseFloat decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape " +
			errorNames),
		places: []place{
			{name: "Object", keep: words(common + "is getPrototypeOf setPrototypeOf isSealed isFrozen isExtensible hasOwn preventExtensions"), wrapped: objectFunctions()},
			{name: "Object", proto: true, keep: words("constructor __proto__"), wrapped: all(plain, "toString toLocaleString valueOf hasOwnProperty isPrototypeOf propertyIsEnumerable")},
			{name: "Function", proto: true, keep: words("length name"), wrapped: functionMethods()},
			{name: "Array", keep: words(common + "isArray"), wrapped: map[string]wrapper{"from": arrayFrom, "of": arrayOf}},
			{name: "Array", proto: true, keep: words("constructor length"), wrapped: arrayMethods()},
			{name: "String", keep: words(common), wrapped: all(linear(16), "fromCharCode fromCodePoint")},
			{name: "String", proto: true, keep: words("constructor length toString valueOf"), wrapped: stringMethods()},
			{name: "RegExp", keep: words(common)},
			{name: "RegExp", proto: true, keep: words("constructor source global multiline dotAll ignoreCase unicode sticky"), wrapped: regExpMethods()},
			{name: "Date", keep: words(common + "parse UTC now")},
			{name: "Date", proto: true, keep: words(dateMethods), wrapped: all(plain, "toJSON")},
			{name: "Map", keep: words(common)},
			{name: "Map", proto: true, keep: words("constructor clear set delete has get size"), wrapped: setMethods()},
			{name: "Set", keep: words(common)},
			{name: "Set", proto: true, keep: words("constructor add clear delete has size"), wrapped: setMethods()},
			{name: "JSON", wrapped: map[string]wrapper{"parse": jsonParse, "stringify": jsonStringify}},
			{name: "Error", keep: words(common)},
			{name: "Error", proto: true, keep: words("constructor name message"), wrapped: all(plain, "toString")},
		},
	}
}

const (
	dateMethods = "constructor toString toDateString toTimeString toLocaleString toLocaleDateString toLocaleTimeString valueOf getTime " +
		"getFullYear getUTCFullYear getMonth getUTCMonth getDate getUTCDate getDay getUTCDay getHours getUTCHours getMinutes getUTCMinutes " +
		"getSeconds getUTCSeconds getMilliseconds getUTCMilliseconds getTimezoneOffset setTime setMilliseconds setUTCMilliseconds setSeconds " +
		"setUTCSeconds setMinutes setUTCMinutes setHours setUTCHours setDate setUTCDate setMonth setUTCMonth setFullYear setUTCFullYear " +
		"toUTCString toISOString"
	common     = "length name prototype "
	errorNames = "Error TypeError ReferenceError SyntaxError RangeError EvalError URIError"
)

func words(list string) map[string]bool {
	out := map[string]bool{}
	for word := range strings.FieldsSeq(list) {
		out[word] = true
	}
	return out
}

// setMethods are those of Map and Set that go through it.
func setMethods() map[string]wrapper {
	out := all(iterator, "keys values entries")
	out["forEach"] = perMember(256)
	return out
}

// all gives each of the names one wrapper.
func all(w wrapper, names string) map[string]wrapper {
	out := map[string]wrapper{}
	for name := range strings.FieldsSeq(names) {
		out[name] = w
	}
	return out
}

// enclose leaves of the runtime only what the surface names.
func (s *Sandbox) enclose(f *surface) {
	g := s.VM.GlobalObject()
	s.forEach = map[string]callable{"Map": s.method("Map", "forEach"), "Set": s.method("Set", "forEach")}
	for i := range f.places {
		s.restrict(f.places[i].find(s.VM), &f.places[i])
	}
	for _, name := range f.removed {
		_ = g.Delete(name)
	}
	for name := range strings.FieldsSeq("decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape") {
		s.wrap(g, name, linear(16))
	}
	for name := range strings.FieldsSeq(errorNames) {
		s.replaceConstructor(name, func([]goja.Value) { s.Take(costCatch) })
	}
	s.replaceConstructor("RegExp", s.checkRegExp)
	_ = g.DeleteSymbol(goja.SymToStringTag) // egContext is an object like others
	s.console()
	s.defineAccounts()
}

func (s *Sandbox) method(global, name string) callable {
	o, _ := s.VM.Get(global).(*goja.Object)
	f, _ := goja.AssertFunction(o.Get("prototype").(*goja.Object).Get(name)) //nolint:forcetypeassert // a fresh runtime has it
	return f
}

func (s *Sandbox) restrict(o *goja.Object, p *place) {
	for _, do := range p.steps {
		if do.wrap == nil {
			_ = o.Delete(do.name)
			continue
		}
		s.wrap(o, do.name, do.wrap)
	}
	if !p.proto {
		return
	}
	switch p.name {
	case "Array", "Map", "Set", "String":
		s.wrapSymbol(o, goja.SymIterator, iterator)
	case "Date":
		s.wrapSymbol(o, goja.SymToPrimitive, plain)
	case "RegExp":
		for _, symbol := range o.Symbols() {
			_ = o.DeleteSymbol(symbol)
		}
		s.defineFlags(o)
	}
}

func (s *Sandbox) wrap(o *goja.Object, name string, w wrapper) {
	original, _ := goja.AssertFunction(o.Get(name))
	_ = o.DefineDataProperty(name, s.VM.ToValue(w(s, original)), goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
}

func (s *Sandbox) wrapSymbol(o *goja.Object, symbol *goja.Symbol, w wrapper) {
	original, ok := goja.AssertFunction(o.GetSymbol(symbol))
	if !ok {
		return
	}
	_ = o.DefineDataPropertySymbol(symbol, s.VM.ToValue(w(s, original)), goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
}

// replaceConstructor puts a check before a constructor.
func (s *Sandbox) replaceConstructor(name string, check func(args []goja.Value)) {
	g := s.VM.GlobalObject()
	original, _ := g.Get(name).(*goja.Object)
	proto := original.Get("prototype")
	var outer *goja.Object
	outer, _ = s.VM.ToValue(func(c goja.ConstructorCall) *goja.Object {
		check(c.Arguments)
		o, err := s.VM.New(original, c.Arguments...)
		if err != nil {
			panic(err)
		}
		if c.NewTarget != nil && c.NewTarget != outer {
			if own, ok := c.NewTarget.Get("prototype").(*goja.Object); ok {
				_ = o.SetPrototype(own)
			}
		}
		return o
	}).(*goja.Object)
	_ = outer.DefineDataProperty("name", s.VM.ToValue(name), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE)
	_ = outer.Set("prototype", proto)
	_ = proto.(*goja.Object).DefineDataProperty("constructor", outer, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE) //nolint:forcetypeassert // a constructor has it
	_ = g.DefineDataProperty(name, outer, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
}

// console is there, as in V8, and writes nowhere.
func (s *Sandbox) console() {
	o := s.VM.NewObject()
	nothing := s.VM.ToValue(func(goja.FunctionCall) goja.Value { return goja.Undefined() })
	for name := range strings.FieldsSeq("log info warn error debug trace dir table assert count time timeEnd group groupEnd") {
		_ = o.Set(name, nothing)
	}
	_ = s.VM.GlobalObject().DefineDataProperty("console", o, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
}

// plain counts the call and nothing else.
func plain(s *Sandbox, original goja.Callable) func(goja.FunctionCall) goja.Value {
	return func(c goja.FunctionCall) goja.Value {
		return s.native(func() goja.Value { return s.call(original, c.This, c.Arguments...) })
	}
}

// iterator is for what returns an iterator over this. Native code that goes through it, as ... and new Set do,
// looks at the clock at each step: some of them take long for one member.
func iterator(s *Sandbox, original goja.Callable) func(goja.FunctionCall) goja.Value {
	return func(c goja.FunctionCall) goja.Value {
		return s.native(func() goja.Value {
			s.takeMembers(c.This, 64)
			it, ok := s.call(original, c.This).(*goja.Object)
			if !ok {
				return it
			}
			next, _ := goja.AssertFunction(it.Get("next"))
			s.Take(costFunction)
			_ = it.DefineDataProperty("next", s.VM.ToValue(func(goja.FunctionCall) goja.Value {
				s.Check()
				return s.call(next, it)
			}), goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
			return it
		})
	}
}

// linear is for functions whose work and result grow with the length of the texts they get, times a factor.
func linear(factor int) wrapper {
	return func(s *Sandbox, original goja.Callable) func(goja.FunctionCall) goja.Value {
		return func(c goja.FunctionCall) goja.Value {
			return s.native(func() goja.Value {
				s.Take(64 + factor*(textLength(c.This)+textLengths(c.Arguments)))
				return s.call(original, c.This, c.Arguments...)
			})
		}
	}
}

// perMember is for functions that go through this.
func perMember(each int) wrapper {
	return func(s *Sandbox, original goja.Callable) func(goja.FunctionCall) goja.Value {
		return func(c goja.FunctionCall) goja.Value {
			return s.native(func() goja.Value {
				s.takeMembers(c.This, each)
				return s.call(original, c.This, c.Arguments...)
			})
		}
	}
}

// call calls a function and throws what it throws.
func (s *Sandbox) call(f goja.Callable, this goja.Value, args ...goja.Value) goja.Value {
	v, err := f(this, args...)
	if err != nil {
		panic(err)
	}
	return v
}

func textLength(v goja.Value) int {
	if text, ok := v.(goja.String); ok {
		return text.Length()
	}
	return 8 // a number's
}

func textLengths(vs []goja.Value) int {
	n := 0
	for _, v := range vs {
		n += textLength(v)
	}
	return n
}

// count is how many members a Map or Set has. The script may have hidden its size, hence the native forEach.
func (s *Sandbox) count(o *goja.Object) int {
	n := 0
	add := s.VM.ToValue(func(goja.FunctionCall) goja.Value { n++; return goja.Undefined() })
	s.call(s.forEach[o.ClassName()], o, add)
	return n
}
