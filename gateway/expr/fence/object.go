package fence

import (
	"maps"
	"slices"

	"github.com/dop251/goja"
)

func objectFunctions() map[string]wrapper {
	out := map[string]wrapper{
		"assign":           objectAssign,
		"defineProperty":   objectDefine,
		"defineProperties": objectDefine,
		"create":           objectDefine,
	}
	maps.Copy(out, all(firstArgument(64), "keys values getOwnPropertyNames getOwnPropertySymbols"))
	maps.Copy(out, all(firstArgument(128), "freeze seal fromEntries"))
	maps.Copy(out, all(firstArgument(1024), "entries getOwnPropertyDescriptor getOwnPropertyDescriptors"))
	return out
}

// firstArgument is for functions that go through their first argument.
func firstArgument(each int) wrapper {
	return func(s *Sandbox, original goja.Callable) func(goja.FunctionCall) goja.Value {
		return func(c goja.FunctionCall) goja.Value {
			return s.native(func() goja.Value {
				s.takeMembers(c.Argument(0), each)
				return s.call(original, c.This, c.Arguments...)
			})
		}
	}
}

func objectAssign(s *Sandbox, original goja.Callable) func(goja.FunctionCall) goja.Value {
	return func(c goja.FunctionCall) goja.Value {
		return s.native(func() goja.Value {
			s.takeSparse(c.Argument(0))
			for _, v := range c.Arguments {
				s.takeMembers(v, costMember)
			}
			return s.call(original, c.This, c.Arguments...)
		})
	}
}

func objectDefine(s *Sandbox, original goja.Callable) func(goja.FunctionCall) goja.Value {
	return func(c goja.FunctionCall) goja.Value {
		return s.native(func() goja.Value {
			s.Take(costObject)
			s.takeSparse(c.Argument(0))
			s.takeMembers(c.Argument(1), 256)
			return s.call(original, c.This, c.Arguments...)
		})
	}
}

// takeSparse asks for what an array may grow when members far behind its end are defined.
func (s *Sandbox) takeSparse(v goja.Value) {
	if o, ok := v.(*goja.Object); ok && o.ClassName() == "Array" {
		s.Take(costSparse)
	}
}

func functionMethods() map[string]wrapper {
	return map[string]wrapper{"call": plain, "apply": functionApply, "bind": functionBind, "toString": plain}
}

// functionApply reads the list of arguments once.
func functionApply(s *Sandbox, original goja.Callable) func(goja.FunctionCall) goja.Value {
	return func(c goja.FunctionCall) goja.Value {
		return s.native(func() goja.Value {
			list := c.Argument(1)
			if goja.IsUndefined(list) || goja.IsNull(list) {
				return s.call(original, c.This, c.Argument(0))
			}
			if _, ok := list.(*goja.Object); !ok {
				panic(s.VM.NewTypeError("CreateListFromArrayLike called on non-object"))
			}
			return s.call(original, c.This, c.Argument(0), s.newArray(s.elements(s.array(list, false))))
		})
	}
}

// functionBind makes a function of our own: goja's bound functions may call each other without being counted.
func functionBind(s *Sandbox, _ goja.Callable) func(goja.FunctionCall) goja.Value {
	return func(c goja.FunctionCall) goja.Value {
		f, ok := goja.AssertFunction(c.This)
		if !ok {
			panic(s.VM.NewTypeError("Bind must be called on a function"))
		}
		s.Take(costFunction + 16*len(c.Arguments))
		var bound []goja.Value
		if len(c.Arguments) > 1 {
			bound = c.Arguments[1:]
		}
		this := c.Argument(0)
		return s.VM.ToValue(func(c goja.FunctionCall) goja.Value {
			return s.native(func() goja.Value {
				s.Take(16 * (len(bound) + len(c.Arguments)))
				return s.call(f, this, append(slices.Clip(bound), c.Arguments...)...)
			})
		})
	}
}
