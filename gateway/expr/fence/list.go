package fence

import (
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/dop251/goja"
)

func arrayMethods() map[string]wrapper {
	out := map[string]wrapper{
		"join": arrayJoin, "toString": arrayToString, "toLocaleString": arrayToString, "concat": arrayConcat,
		"flat": arrayFlat, "flatMap": arrayFlatMap, "sort": arraySort(true), "toSorted": arraySort(false),
	}
	maps.Copy(out, all(list(0, false), "at lastIndexOf indexOf includes"))
	maps.Copy(out, all(list(32, false), "slice with toReversed toSpliced"))
	maps.Copy(out, all(iterator, "keys values entries"))
	maps.Copy(out, all(list(256, false), "map filter forEach find findIndex findLast findLastIndex some every reduce reduceRight"))
	maps.Copy(out, all(list(0, true), "pop shift push"))
	maps.Copy(out, all(list(32, true), "splice unshift reverse fill copyWithin"))
	return out
}

// list is for methods of arrays that ask for a number of bytes for each member. What is no array is copied into
// one, so that its length is read once; methods that change it want a real array.
func list(each int, changes bool) wrapper {
	return func(s *Sandbox, original goja.Callable) func(goja.FunctionCall) goja.Value {
		return func(c goja.FunctionCall) goja.Value {
			return s.native(func() goja.Value {
				a := s.array(c.This, changes)
				n := s.length(a)
				s.Take(64 + each*n + 64*len(c.Arguments))
				if longest := textLengths(c.Arguments); each == 0 && n*longest > 1<<26 {
					s.end(ErrTime) // comparing so many texts of this length
				}
				return s.call(original, a, c.Arguments...)
			})
		}
	}
}

// array returns v as an array.
func (s *Sandbox) array(v goja.Value, changes bool) *goja.Object {
	if o, ok := v.(*goja.Object); ok && o.ClassName() == "Array" {
		return o
	}
	if changes || v == nil || goja.IsUndefined(v) || goja.IsNull(v) {
		panic(s.VM.NewTypeError("this method is for arrays"))
	}
	o := v.ToObject(s.VM)
	n := o.Get("length")
	if n == nil {
		return s.VM.NewArray()
	}
	length := n.ToInteger()
	if length > maxList {
		s.end(ErrMemory)
	}
	s.Take(64 * int(max(length, 0)))
	items := make([]any, max(length, 0))
	for i := range items {
		items[i] = element(o, i)
	}
	return s.VM.NewArray(items...)
}

func element(o *goja.Object, i int) goja.Value {
	if v := o.Get(strconv.Itoa(i)); v != nil {
		return v
	}
	return goja.Undefined()
}

// elements returns the members of an array; each step of a long one looks at the clock.
func (s *Sandbox) elements(a *goja.Object) []goja.Value {
	n := s.length(a)
	s.Take(64 * n)
	out := make([]goja.Value, n)
	for i := range out {
		out[i] = element(a, i)
		if i%1024 == 0 {
			s.Check()
		}
	}
	return out
}

func (s *Sandbox) newArray(items []goja.Value) *goja.Object {
	s.Take(costArray + 32*len(items))
	list := make([]any, len(items))
	for i := range items {
		list[i] = items[i]
	}
	return s.VM.NewArray(list...)
}

func arrayJoin(s *Sandbox, _ goja.Callable) func(goja.FunctionCall) goja.Value {
	return func(c goja.FunctionCall) goja.Value {
		return s.native(func() goja.Value {
			separator := ","
			if v := c.Argument(0); !goja.IsUndefined(v) {
				separator = v.String()
			}
			return s.VM.ToValue(s.join(s.array(c.This, false), separator))
		})
	}
}

func arrayToString(s *Sandbox, _ goja.Callable) func(goja.FunctionCall) goja.Value {
	return func(c goja.FunctionCall) goja.Value {
		return s.native(func() goja.Value {
			if o, ok := c.This.(*goja.Object); !ok || o.ClassName() != "Array" {
				return s.VM.ToValue("[object Object]")
			}
			return s.VM.ToValue(s.join(s.array(c.This, false), ","))
		})
	}
}

// join joins members as text; an array inside of itself is empty.
func (s *Sandbox) join(a *goja.Object, separator string) string {
	if slices.Contains(s.joining, a) {
		return ""
	}
	s.joining = append(s.joining, a)
	defer func() { s.joining = s.joining[:len(s.joining)-1] }()
	var b strings.Builder
	for i, v := range s.elements(a) {
		if i > 0 {
			s.takeText(len(separator))
			b.WriteString(separator)
		}
		if !goja.IsUndefined(v) && !goja.IsNull(v) {
			s.appendText(&b, v)
		}
		if i%256 == 0 {
			s.Check()
		}
	}
	return b.String()
}

func arrayConcat(s *Sandbox, _ goja.Callable) func(goja.FunctionCall) goja.Value {
	return func(c goja.FunctionCall) goja.Value {
		return s.native(func() goja.Value {
			var out []goja.Value
			for _, v := range append([]goja.Value{c.This}, c.Arguments...) {
				out = s.flatten(out, v, 1)
			}
			return s.newArray(out)
		})
	}
}

// flatten appends v, or what v holds when it is an array and depth allows.
func (s *Sandbox) flatten(out []goja.Value, v goja.Value, depth int) []goja.Value {
	if o, ok := v.(*goja.Object); ok && o.ClassName() == "Array" && depth > 0 {
		for _, inner := range s.elements(o) {
			out = s.flatten(out, inner, depth-1)
		}
		return out
	}
	s.Take(48)
	return append(out, v)
}

func arrayFlat(s *Sandbox, _ goja.Callable) func(goja.FunctionCall) goja.Value {
	return func(c goja.FunctionCall) goja.Value {
		return s.native(func() goja.Value {
			depth := int64(1)
			if v := c.Argument(0); !goja.IsUndefined(v) {
				depth = v.ToInteger()
			}
			const deepest = 100 // an array inside of itself has no end
			return s.newArray(s.flatten(nil, s.array(c.This, false), int(min(max(depth, 0), deepest))+1))
		})
	}
}

func arrayFlatMap(s *Sandbox, _ goja.Callable) func(goja.FunctionCall) goja.Value {
	return func(c goja.FunctionCall) goja.Value {
		return s.native(func() goja.Value {
			f, ok := goja.AssertFunction(c.Argument(0))
			if !ok {
				panic(s.VM.NewTypeError("flatMap needs a function"))
			}
			var out []goja.Value
			a := s.array(c.This, false)
			for i, v := range s.elements(a) {
				s.Take(256)
				out = s.flatten(out, s.call(f, c.Argument(1), v, s.VM.ToValue(i), a), 1)
			}
			return s.newArray(out)
		})
	}
}

// arraySort sorts in place, or a copy. It looks at the clock at each comparison.
func arraySort(inPlace bool) wrapper {
	return func(s *Sandbox, _ goja.Callable) func(goja.FunctionCall) goja.Value {
		return func(c goja.FunctionCall) goja.Value {
			return s.native(func() goja.Value {
				f, given := goja.AssertFunction(c.Argument(0))
				if !given && !goja.IsUndefined(c.Argument(0)) {
					panic(s.VM.NewTypeError("The comparison function must be either a function or undefined"))
				}
				a := s.array(c.This, inPlace)
				items := s.sorted(s.elements(a), f)
				if !inPlace {
					return s.newArray(items)
				}
				for i, v := range items {
					if err := a.Set(strconv.Itoa(i), v); err != nil {
						panic(err)
					}
				}
				return a
			})
		}
	}
}

func (s *Sandbox) sorted(items []goja.Value, f goja.Callable) []goja.Value {
	texts := map[*goja.Object]goja.String{}
	text := func(v goja.Value) goja.String {
		if t, ok := v.(goja.String); ok {
			return t
		}
		o, isObject := v.(*goja.Object)
		if isObject && texts[o] != nil {
			return texts[o]
		}
		plain := v.String()
		s.takeText(len(plain))
		t, _ := s.VM.ToValue(plain).(goja.String)
		if isObject {
			texts[o] = t
		}
		return t
	}
	sort.SliceStable(items, func(i, j int) bool {
		s.Check()
		a, b := items[i], items[j]
		switch {
		case goja.IsUndefined(a) || goja.IsUndefined(b):
			return !goja.IsUndefined(a)
		case f != nil:
			return s.call(f, goja.Undefined(), a, b).ToFloat() < 0
		default:
			s.Take(64)
			return text(a).CompareTo(text(b)) < 0
		}
	})
	return items
}

func arrayOf(s *Sandbox, _ goja.Callable) func(goja.FunctionCall) goja.Value {
	return func(c goja.FunctionCall) goja.Value { return s.newArray(c.Arguments) }
}

// arrayFrom collects first what there is to collect, so that nothing is read twice.
func arrayFrom(s *Sandbox, original goja.Callable) func(goja.FunctionCall) goja.Value {
	return func(c goja.FunctionCall) goja.Value {
		return s.native(func() goja.Value {
			source := c.Argument(0)
			if goja.IsUndefined(source) || goja.IsNull(source) {
				panic(s.VM.NewTypeError("cannot convert undefined or null to an array"))
			}
			var items []goja.Value
			o := source.ToObject(s.VM)
			if iterate := o.GetSymbol(goja.SymIterator); iterate != nil && !goja.IsUndefined(iterate) {
				s.VM.ForOf(source, func(v goja.Value) bool {
					s.Take(64)
					items = append(items, v)
					return true
				})
			} else {
				items = s.elements(s.array(o, false))
			}
			s.Take(256 * len(items))
			args := append([]goja.Value{s.newArray(items)}, c.Arguments[1:]...)
			return s.call(original, c.This, args...)
		})
	}
}
