package fence

import (
	"maps"
	"strings"
	"unicode/utf8"

	"github.com/dop251/goja"
)

func stringMethods() map[string]wrapper {
	out := map[string]wrapper{
		"concat": stringConcat, "repeat": stringRepeat, "padStart": stringPad(true), "padEnd": stringPad(false),
		"split": stringSplit, "replace": stringReplace(false), "replaceAll": stringReplace(true),
		"match": stringMatch, "matchAll": stringMatchAll, "search": stringSearch,
	}
	maps.Copy(out, all(plain, "at charAt charCodeAt codePointAt startsWith endsWith"))
	maps.Copy(out, all(searching, "includes indexOf lastIndexOf"))
	maps.Copy(out, all(linear(4), "slice substring substr trim trimEnd trimStart trimLeft trimRight"))
	maps.Copy(out, all(linear(8), "toLowerCase toUpperCase toLocaleLowerCase toLocaleUpperCase"))
	maps.Copy(out, all(short, "normalize localeCompare"))
	return out
}

// short is for methods that take long for each character.
func short(s *Sandbox, original goja.Callable) func(goja.FunctionCall) goja.Value {
	return func(c goja.FunctionCall) goja.Value {
		return s.native(func() goja.Value {
			const longest = 16 << 10
			this, what := s.text(c.This), c.Arguments
			if len(what) > 0 && !goja.IsUndefined(what[0]) {
				what = []goja.Value{s.text(what[0])}
			}
			n := textLength(this) + textLengths(what)
			if n > longest {
				s.end(ErrTime)
			}
			s.Take(64 + 40*n)
			return s.call(original, this, what...)
		})
	}
}

// searching is for methods whose work may grow with the product of two lengths.
func searching(s *Sandbox, original goja.Callable) func(goja.FunctionCall) goja.Value {
	return func(c goja.FunctionCall) goja.Value {
		return s.native(func() goja.Value {
			this := s.text(c.This)
			what := s.VM.ToValue(c.Argument(0).String())
			if !isASCII(this) && textLength(this)*textLength(what) > 1<<24 {
				s.end(ErrTime)
			}
			args := append([]goja.Value{what}, c.Arguments[min(1, len(c.Arguments)):]...)
			return s.call(original, this, args...)
		})
	}
}

// text returns this as a text.
func (s *Sandbox) text(v goja.Value) goja.Value {
	switch v := v.(type) {
	case goja.String:
		return v
	case nil:
	default:
		if !goja.IsUndefined(v) && !goja.IsNull(v) {
			text := v.String()
			s.takeText(len(text))
			return s.VM.ToValue(text)
		}
	}
	panic(s.VM.NewTypeError("a method of texts was called on null or undefined"))
}

func isASCII(v goja.Value) bool {
	text := v.String()
	return utf8.RuneCountInString(text) == len(text)
}

func stringConcat(s *Sandbox, _ goja.Callable) func(goja.FunctionCall) goja.Value {
	return func(c goja.FunctionCall) goja.Value {
		return s.native(func() goja.Value {
			var b strings.Builder
			for _, v := range append([]goja.Value{s.text(c.This)}, c.Arguments...) {
				s.appendText(&b, v)
			}
			return s.VM.ToValue(b.String())
		})
	}
}

func stringRepeat(s *Sandbox, original goja.Callable) func(goja.FunctionCall) goja.Value {
	return func(c goja.FunctionCall) goja.Value {
		return s.native(func() goja.Value {
			this, n := s.text(c.This), c.Argument(0).ToInteger()
			if length := textLength(this); n > 0 && length > 0 {
				if n > maxText {
					s.end(ErrMemory)
				}
				s.takeText(length * int(n))
			}
			return s.call(original, this, s.VM.ToValue(n))
		})
	}
}

func stringPad(_ bool) wrapper {
	return func(s *Sandbox, original goja.Callable) func(goja.FunctionCall) goja.Value {
		return func(c goja.FunctionCall) goja.Value {
			return s.native(func() goja.Value {
				this, n := s.text(c.This), c.Argument(0).ToInteger()
				s.takeText(int(min(max(n, 0), maxText+1)))
				args := []goja.Value{s.VM.ToValue(n)}
				if filler := c.Argument(1); !goja.IsUndefined(filler) {
					args = append(args, s.text(filler))
				}
				return s.call(original, this, args...)
			})
		}
	}
}

// stringSplit splits by a text or by a regular expression.
func stringSplit(s *Sandbox, _ goja.Callable) func(goja.FunctionCall) goja.Value {
	return func(c goja.FunctionCall) goja.Value {
		return s.native(func() goja.Value {
			text := s.text(c.This).String()
			most := maxList
			if v := c.Argument(1); !goja.IsUndefined(v) {
				most = int(min(max(v.ToInteger(), 0), maxList))
			}
			separator := c.Argument(0)
			if goja.IsUndefined(separator) {
				return s.texts([]string{text}, most)
			}
			if m := s.regexp(separator); m != nil {
				return s.splitBy(m, text, most)
			}
			by := separator.String()
			s.Take(len(text))
			if n := strings.Count(text, by); n > maxList {
				s.end(ErrMemory)
			} else {
				s.Take(64 * n)
			}
			return s.texts(strings.Split(text, by), most)
		})
	}
}

// texts makes an array of texts.
func (s *Sandbox) texts(parts []string, most int) goja.Value {
	items := make([]goja.Value, 0, min(len(parts), most))
	for _, part := range parts[:min(len(parts), most)] {
		s.takeText(len(part))
		items = append(items, s.VM.ToValue(part))
	}
	return s.newArray(items)
}

func (s *Sandbox) splitBy(m *match, text string, most int) goja.Value {
	var items []goja.Value
	add := func(from, to int) {
		s.takeText(to - from)
		s.Take(64)
		items = append(items, s.VM.ToValue(text[from:to]))
	}
	if text == "" {
		if m.find(s, text, 0) == nil {
			add(0, 0)
		}
		return s.newArray(items)
	}
	last := 0
	for at := 0; at < len(text) && len(items) < most; {
		loc := m.find(s, text, at)
		if loc == nil || loc[0] >= len(text) {
			break
		}
		if loc[1] == last { // nothing, where the last piece ended
			at = next(text, at)
			continue
		}
		add(last, loc[0])
		for g := 2; g+1 < len(loc) && len(items) < most; g += 2 {
			items = append(items, s.group(text, loc, g))
		}
		last = loc[1]
		at = last
	}
	if len(items) < most {
		add(last, len(text))
	}
	return s.newArray(items)
}

// next returns where the character behind at begins.
func next(text string, at int) int {
	if at >= len(text) {
		return at + 1
	}
	_, size := utf8.DecodeRuneInString(text[at:])
	return at + size
}
