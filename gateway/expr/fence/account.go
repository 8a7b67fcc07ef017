package fence

import (
	"strings"

	"github.com/dop251/goja"
)

// The sizes that one value may have.
const (
	maxText = 1 << 20 // UTF-16 units
	maxList = 1 << 16
	// maxNative is how many native functions may have called each other: goja does not count them, and the
	// stack of a Go program that overflows ends the process.
	maxNative = 64
)

// defineAccounts defines what instrumented code calls.
func (s *Sandbox) defineAccounts() {
	s.account(nameTick, func(c goja.FunctionCall) goja.Value {
		s.Take(int(c.Arguments[0].ToInteger()))
		return goja.Undefined()
	})
	s.account(nameText, func(c goja.FunctionCall) goja.Value {
		v := c.Arguments[0]
		if text, ok := v.(goja.String); ok {
			s.takeText(text.Length())
		}
		return v
	})
	s.account(nameFill, func(c goja.FunctionCall) goja.Value {
		var b strings.Builder
		for _, v := range c.Arguments {
			s.appendText(&b, v)
		}
		return s.VM.ToValue(b.String())
	})
	s.account(nameSpread, func(c goja.FunctionCall) goja.Value {
		s.takeMembers(c.Arguments[0], costMember)
		return c.Arguments[0]
	})
	s.account(nameObject, func(c goja.FunctionCall) goja.Value {
		s.targets = append(s.targets, c.Arguments[0])
		return c.Arguments[0]
	})
	s.account(nameIndex, func(c goja.FunctionCall) goja.Value {
		last := len(s.targets) - 1
		target := s.targets[last]
		s.targets = s.targets[:last]
		s.takeGrowth(target, c.Arguments[0])
		return c.Arguments[0]
	})
}

func (s *Sandbox) account(name string, f func(goja.FunctionCall) goja.Value) {
	_ = s.VM.GlobalObject().DefineDataProperty(name, s.VM.ToValue(f), goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE)
}

// takeText asks for a text of n units.
func (s *Sandbox) takeText(n int) {
	if n > maxText {
		s.end(ErrMemory)
	}
	s.Take(32 + 2*n)
}

// appendText appends a value as text.
func (s *Sandbox) appendText(b *strings.Builder, v goja.Value) {
	if _, isSymbol := v.(*goja.Symbol); isSymbol {
		panic(s.VM.NewTypeError("Cannot convert a Symbol value to a string"))
	}
	text := v.String()
	s.takeText(len(text))
	if b.Len()+len(text) > maxText {
		s.end(ErrMemory)
	}
	b.WriteString(text)
}

// takeGrowth asks for what an array grows when k is set.
func (s *Sandbox) takeGrowth(target, k goja.Value) {
	o, ok := target.(*goja.Object)
	if !ok || o.ClassName() != "Array" {
		return
	}
	if _, isObject := k.(*goja.Object); isObject {
		panic(s.VM.NewTypeError("an object is no index")) // its text could be another one each time
	}
	if at, length := k.ToInteger(), o.Get("length").ToInteger(); at >= length {
		s.Take(int(min(16*(at-length+1), costSparse)))
	}
}

// size is how many members going through a value meets, as far as that is known without running the script.
func (s *Sandbox) size(v goja.Value) int {
	switch v := v.(type) {
	case goja.String:
		return v.Length()
	case *goja.Object:
		switch v.ClassName() {
		case "Array", "Arguments":
			return s.length(v)
		case "Map", "Set":
			return s.count(v)
		}
		return len(v.Keys())
	default:
		return 0
	}
}

// length is an array's, within the cap.
func (s *Sandbox) length(o *goja.Object) int {
	n := o.Get("length").ToInteger()
	if n > maxList {
		s.end(ErrMemory)
	}
	return int(n)
}

// takeMembers asks for a number of bytes for each member of v.
func (s *Sandbox) takeMembers(v goja.Value, each int) {
	n := s.size(v)
	if n > maxList*4 {
		s.end(ErrMemory)
	}
	s.Take(64 + each*n)
}

// native runs f as one more native function that is open.
func (s *Sandbox) native(f func() goja.Value) goja.Value {
	if s.open++; s.open > maxNative {
		s.open = 0
		s.end(errDepth)
	}
	defer func() { s.open-- }()
	s.Check()
	return f()
}
