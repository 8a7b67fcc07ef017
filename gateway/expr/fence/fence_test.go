package fence_test

import (
	"errors"
	"testing"

	"github.com/dop251/goja"

	"egk8s.dev/egk8s/gateway/expr/fence"
)

// run returns the text of what a source evaluates to.
func run(tb testing.TB, source string) (string, error) {
	tb.Helper()
	p, err := fence.Compile(source)
	if err != nil {
		return "", err
	}
	var text string
	for range 10 { // other tests may have the processors
		err = p.Run(func(*fence.Sandbox) {}, func(_ *fence.Sandbox, v goja.Value) { text = v.String() })
		if !errors.Is(err, fence.ErrTime) && !errors.Is(err, fence.ErrBusy) {
			break
		}
	}
	return text, err
}

// TestLanguage: what is instrumented or replaced behaves as node 20 does; the wanted texts were made by it.
func TestLanguage(t *testing.T) {
	t.Parallel()
	for source, want := range language() {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			got, err := run(t, source)
			if err != nil {
				got = err.Error()
			}
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// TestGlobals: scripts see JavaScript's own globals and nothing of the process.
func TestGlobals(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"require", "process", "Buffer", "setTimeout", "setInterval", "setImmediate", "eval", "Proxy", "Reflect", "Promise",
		"ArrayBuffer", "Uint8Array", "GoError", "WeakMap", "Function", "module", "global", "fetch",
	} {
		if got, err := run(t, "typeof "+name); got != "undefined" || err != nil {
			t.Errorf("typeof %s is %s, %v", name, got, err)
		}
	}
	for _, name := range []string{"JSON", "Math", "console", "globalThis"} {
		if got, err := run(t, "typeof "+name); got != "object" || err != nil {
			t.Errorf("typeof %s is %s, %v", name, got, err)
		}
	}
	for _, name := range []string{"Date", "RegExp", "Object", "Array", "String", "Number", "Map", "Set", "Symbol", "Error", "parseInt", "encodeURIComponent"} {
		if got, err := run(t, "typeof "+name); got != "function" || err != nil {
			t.Errorf("typeof %s is %s, %v", name, got, err)
		}
	}
}

// TestNoCodeFromText: nothing reaches a compiler that would not account for what it compiles.
func TestNoCodeFromText(t *testing.T) {
	t.Parallel()
	for _, source := range []string{
		`(function(){}).constructor("return 1")()`, `(()=>1).constructor("return 1")()`, `(class{}).constructor("return 1")()`,
		`[].map.constructor("return 1")()`, `JSON.parse.constructor("return 1")()`, `Object.getPrototypeOf(function(){}).constructor("return 1")()`,
		`eval("1")`, `new Function("return 1")()`, `(function*(){})`, `(async function(){})`, `async () => 1`, `with ({}) { 1 }`,
		`console.log.constructor("return 1")()`,
	} {
		if got, err := run(t, source); err == nil {
			t.Errorf("%s gave %s", source, got)
		}
	}
}

// TestNothingStays: a run leaves nothing that another one sees.
func TestNothingStays(t *testing.T) {
	t.Parallel()
	if _, err := run(t, `Array.prototype.map = 1; String.prototype.leak = 1; globalThis.leak = 1; Object.prototype.leak = 1; JSON.leak = 1`); err != nil {
		t.Fatal(err)
	}
	got, err := run(t, `[typeof [].map, typeof ''.leak, typeof leak, typeof ({}).leak, typeof JSON.leak].join()`)
	if want := "function,undefined,undefined,undefined,undefined"; got != want || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestSyntaxErrors(t *testing.T) {
	t.Parallel()
	_, err := fence.Compile("a +\n  ) b")
	var syntax *fence.SyntaxError
	if !errors.As(err, &syntax) || syntax.Line != 2 || syntax.Column != 3 {
		t.Errorf("got %v, want line 2, column 3", err)
	}
}

func BenchmarkRun(b *testing.B) {
	p, err := fence.Compile(`1 + 1`)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Run(func(*fence.Sandbox) {}, func(*fence.Sandbox, goja.Value) {}); err != nil {
			b.Fatal(err)
		}
	}
}
