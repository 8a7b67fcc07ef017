package fence

import (
	"strconv"

	"github.com/dop251/goja"
)

// maxJSON is how deep JSON may nest: writing and reading it recurse.
const maxJSON = 200

// jsonParse looks at the text before it is parsed: each bracket and comma makes a value.
func jsonParse(s *Sandbox, original goja.Callable) func(goja.FunctionCall) goja.Value {
	return func(c goja.FunctionCall) goja.Value {
		return s.native(func() goja.Value {
			text := c.Argument(0).String()
			s.takeText(2 * len(text))
			depth := 0
			for i := range len(text) {
				switch text[i] {
				case '[', '{':
					s.Take(costObject)
					if depth++; depth > maxJSON {
						panic(s.VM.NewTypeError("JSON that nests too deep"))
					}
				case ']', '}':
					depth--
				case ',', ':':
					s.Take(costMember)
				}
			}
			args := append([]goja.Value{s.VM.ToValue(text)}, c.Arguments[min(1, len(c.Arguments)):]...)
			return s.call(original, c.This, args...)
		})
	}
}

// writing is one JSON.stringify. As the replacer it meets every value once before it is written.
type writing struct {
	s       *Sandbox
	replace goja.Callable // the script's own
	only    []string      // the script's own list of names; nil: all
	indent  int
	depths  map[*goja.Object]int
}

func jsonStringify(s *Sandbox, original goja.Callable) func(goja.FunctionCall) goja.Value {
	return func(c goja.FunctionCall) goja.Value {
		return s.native(func() goja.Value {
			w := &writing{s: s, depths: map[*goja.Object]int{}}
			w.replacer(c.Argument(1))
			space := c.Argument(2)
			if !goja.IsUndefined(space) {
				w.indent = 10
			}
			v := s.call(original, c.This, c.Argument(0), s.VM.ToValue(w.visit), space)
			s.takeText(textLength(v))
			return v
		})
	}
}

// replacer takes what the script gave as second argument.
func (w *writing) replacer(v goja.Value) {
	o, ok := v.(*goja.Object)
	if !ok {
		return
	}
	if f, ok := goja.AssertFunction(o); ok {
		w.replace = f
		return
	}
	if o.ClassName() == "Array" {
		w.only = []string{}
		for _, name := range w.s.elements(o) {
			w.only = append(w.only, name.String())
		}
	}
}

// visit asks for what a value takes as JSON, and replaces it as the script wants.
func (w *writing) visit(c goja.FunctionCall) goja.Value {
	holder, _ := c.This.(*goja.Object)
	name, v := c.Argument(0), c.Argument(1)
	depth := w.depths[holder]
	w.s.Check()
	if w.replace != nil {
		v = w.s.call(w.replace, c.This, name, v)
	}
	const escaped = 6 // \u0000
	w.s.Take(64 + w.indent*depth + escaped*(textLength(name)+textLength(v)))
	if o, ok := v.(*goja.Object); ok {
		if depth >= maxJSON {
			panic(w.s.VM.NewTypeError("an object that nests too deep for JSON, " + strconv.Itoa(maxJSON) + " levels"))
		}
		w.s.takeMembers(o, 48)
		if w.only != nil && o.ClassName() == "Object" {
			o = w.listed(o)
		}
		w.depths[o] = depth + 1
		return o
	}
	return v
}

// listed returns a copy that has the members of the list only, in its order.
func (w *writing) listed(o *goja.Object) *goja.Object {
	w.s.Take(costObject + costMember*len(w.only))
	out := w.s.VM.NewObject()
	for _, name := range w.only {
		if v := o.Get(name); v != nil {
			_ = out.Set(name, v)
		}
	}
	return out
}
