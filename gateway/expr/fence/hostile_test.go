package fence_test

import (
	"errors"
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"egk8s.dev/egk8s/gateway/expr/fence"
)

// hostile are scripts that want to take all there is. Each comes back: with an error, or harmless.
func hostile() map[string]string {
	return map[string]string{
		"endless loop":              `for(;;);`,
		"endless while":             `while (true) {}`,
		"endless do":                `do {} while (1)`,
		"endless catch":             `for(;;) try { null.x } catch (e) {}`,
		"endless finally":           `(function f(){ try { f() } finally { f() } })()`,
		"endless getter":            `var o = { get x(){ for(;;); } }; o.x`,
		"endless toString":          `var o = { toString(){ for(;;); } }; o + ''`,
		"endless labelled":          `a: for(;;) { for(;;) continue a }`,
		"endless iterator":          `var o = { [Symbol.iterator]: () => ({ next: () => ({ done: false, value: 1 }) }) }; [...o]`,
		"endless iterator, from":    `Array.from({ [Symbol.iterator]: () => ({ next: () => ({ done: false, value: 1 }) }) })`,
		"endless iterator, return":  `for (const x of { [Symbol.iterator]: () => ({ next: () => ({ value: 1 }), return(){ for(;;); } }) }) for(;;);`,
		"endless set":               `new Set({ [Symbol.iterator]: () => ({ next: () => ({ done: false, value: {} }) }) })`,
		"endless sort":              `var a = []; for (var i = 0; i < 50000; i++) a.push(i); a.sort(() => Math.random() - 0.5); a.sort(() => { for(;;); })`,
		"sort of long texts":        `var x = 'a'.repeat(1e6) + 'b', y = 'a'.repeat(1e6) + 'c', a = []; for (var i = 0; i < 30000; i++) a.push(i % 2 ? x : y); a.sort()`,
		"repeat":                    `'x'.repeat(1 << 29)`,
		"repeat of repeat":          `'x'.repeat(1e6).repeat(1e6)`,
		"repeat of nothing":         `''.repeat(2 ** 40)`,
		"doubling":                  `var s = 'x'; for(;;) s += s`,
		"doubling by template":      "var s = 'x'; for(;;) s = `${s}${s}${s}${s}${s}${s}${s}${s}`",
		"doubling by concat":        `var s = 'x'; for(;;) s = s.concat(s, s, s)`,
		"doubling by join":          `var s = 'x'; for(;;) s = [s, s, s, s].join(s)`,
		"doubling by replace":       `var s = 'xx'; for(;;) s = s.replace(/x/g, '$&$&$&')`,
		"doubling by replaceAll":    `var s = 'xx'; for(;;) s = s.replaceAll('x', () => s)`,
		"doubling without a loop":   `var s = 'x'.repeat(1e6); s+s+s+s+s+s+s+s+s+s+s+s+s+s+s+s+s+s+s+s+s+s+s+s+s+s+s+s+s+s+s+s+s+s+s+s+s+s+s+s`,
		"before and behind a match": "var s = 'x'.repeat(1e4); for(;;) s = s.replace(/x/g, '$`')",
		"pad":                       `'x'.padStart(1 << 29) + 'x'.padEnd(2 ** 40)`,
		"pad in a loop":             `var a = []; for(;;) a.push('x'.padStart(1e6))`,
		"keep texts":                `var a = []; for(;;) a.push('x'.repeat(1e6))`,
		"keep slices":               `var s = 'ä'.repeat(5e5), a = []; for (var i = 0;; i++) a.push(s.slice(1))`,
		"keep upper case":           `var s = 'a'.repeat(5e5), a = []; for(;;) a.push(s.toUpperCase())`,
		"keep escapes":              `var s = 'ä'.repeat(5e5), a = []; for(;;) a.push(encodeURIComponent(s))`,
		"normalize":                 `'\ufdfa'.repeat(3e5).normalize('NFKD')`,
		"array length":              `new Array(4294967295).join('x')`,
		"array length, fill":        `new Array(4294967295).fill(1)`,
		"array length, indexOf":     `new Array(4294967295).indexOf(1)`,
		"array length, sort":        `new Array(4294967295).sort()`,
		"array length, reverse":     `new Array(4294967295).reverse()`,
		"array length, for in":      `var a = []; a[4294967290] = 1; for (var k in a) {} a.map(x => x)`,
		"array-like":                `Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)`,
		"array-like, forEach":       `Array.prototype.forEach.call({ length: 2 ** 53 - 1 }, () => 1)`,
		"array-like, join":          `Array.prototype.join.call({ length: 2 ** 32 })`,
		"array-like, from":          `Array.from({ length: 1e9 })`,
		"array-like, apply":         `Math.max.apply(null, { length: 1e9 })`,
		"array-like, two lengths":   `var n = 0; Array.prototype.map.call({ get length(){ return n++ ? 2 ** 53 : 1 } }, x => x)`,
		"array-like, hidden":        `var n = 0, o = { length: 1e9, get [Symbol.iterator](){ return n++ ? undefined : function*(){} } }; Array.from(o)`,
		"array-like, iterator once": `var n = 0, o = { length: 2 ** 53, get [Symbol.iterator](){ return n++ ? undefined : () => ({ next: () => ({ done: true }) }) } }; Array.from(o)`,
		"push":                      `var a = []; for(;;) a.push({})`,
		"push arrays":               `var a = []; for(;;) a.push([[], []])`,
		"push functions":            `var a = []; for(;;) a.push(() => a)`,
		"push classes":              `var a = []; for(;;) a.push(class { x = 1 })`,
		"push dates":                `var a = []; for(;;) a.push(new Date())`,
		"push errors":               `var a = []; (function f(n){ if (n < 90) return f(n + 1); for(;;) a.push(Error('x')) })(0)`,
		"push caught errors":        `var a = []; (function f(n){ if (n < 90) return f(n + 1); for(;;) try { null.x } catch (e) { a.push(e) } })(0)`,
		"push expressions":          `var a = []; for(;;) a.push(/x/g)`,
		"push built expressions":    `var a = []; for (var i = 0;; i++) a.push(new RegExp('a' + i))`,
		"push bound":                `var a = []; for(;;) a.push(a.push.bind(a, 1))`,
		"push symbols":              `var a = []; for(;;) a.push(Symbol('x'))`,
		"spread":                    `var a = [1]; for(;;) a = [...a, ...a]`,
		"spread a text":             `var s = 'x'.repeat(1e6); var a = []; for(;;) a.push([...s])`,
		"spread into an object":     `var s = 'x'.repeat(1e6); var a = []; for(;;) a.push({...s})`,
		"spread into a call":        `var a = []; a.length = 60000; for(;;) Math.max(...a, ...a, ...a)`,
		"rest":                      `var s = 'x'.repeat(1e6), k = []; for(;;) { let [...r] = s; k.push(r) }`,
		"recursion with a list":     `var a = []; a.length = 60000; (function f(...x){ f(...x) })(...a)`,
		"concat":                    `var a = [1]; for(;;) a = a.concat(a, a, a)`,
		"concat spreadable":         `[].concat({ length: 2 ** 32 - 1, [Symbol.isConcatSpreadable]: true })`,
		"flat":                      `var a = [1, 2]; for (var i = 0; i < 40; i++) a = [a, a]; a.flat(Infinity)`,
		"flat of itself":            `var a = []; a.push(a, a); a.flat(Infinity)`,
		"flatMap":                   `var a = []; a.length = 60000; a.fill(1); a.flatMap(() => a)`,
		"map of natives":            `var a = new Array(60000).fill('x'.repeat(1e5)); for(;;) a = a.map(Object).concat(a.map(Array))`,
		"dense far member":          `var k = []; for(;;) { let b = []; b[4096] = 1; k.push(b) }`,
		"dense by define":           `var k = []; for(;;) { let b = []; Object.defineProperty(b, 4096, { value: 1 }); k.push(b) }`,
		"dense by assign":           `var k = []; for(;;) k.push(Object.assign([], { 4096: 1 }))`,
		"dense by class":            `class A extends Array { 4096 = 1 } var k = []; for(;;) k.push(new A())`,
		"index that changes":        `var n = 0, k = []; for(;;) { let b = []; b[{ toString: () => n++ % 2 ? '0' : '4096' }] = 1; k.push(b) }`,
		"members":                   `var o = {}; for (var i = 0;; i++) o['k' + i] = i`,
		"keys again and again":      `var o = {}, k = []; for (var i = 0; i < 30000; i++) o[i] = i; for(;;) k.push(Object.keys(o), Object.entries(o))`,
		"assign again and again":    `var o = {}, k = []; for (var i = 0; i < 30000; i++) o[i] = i; for(;;) k.push(Object.assign({}, o))`,
		"map of a set":              `var s = new Set(); for (var i = 0; i < 20000; i++) s.add(i); var k = []; for(;;) k.push([...s])`,
		"hidden size":               `class M extends Set { get size(){ return 0 } } var s = new M(); for (var i = 0; i < 20000; i++) s.add(i); var k = []; for(;;) k.push([...s])`,
		"JSON bomb":                 `var o = {}; for (var i = 0; i < 60; i++) o = { a: o, b: o }; JSON.stringify(o)`,
		"JSON of lists":             `var a = new Array(60000).fill('x'.repeat(1e5)); JSON.stringify(a)`,
		"JSON, deep":                `var a = []; for (var i = 0; i < 1e5; i++) a = [a]; JSON.stringify(a)`,
		"JSON, indented":            `var a = 1; for (var i = 0; i < 190; i++) a = [a, a.length ? 1 : a]; for(;;) JSON.stringify(a, null, '          ')`,
		"JSON, toJSON":              `var n = 0; JSON.stringify({ toJSON(){ for(;;); } })`,
		"JSON, bound toJSON":        `var o = {}; o.toJSON = JSON.stringify.bind(null, o); JSON.stringify(o)`,
		"JSON to parse":             `JSON.parse('[' + '[],'.repeat(3e5) + '1]')`,
		"JSON to parse, deep":       `JSON.parse('['.repeat(5e5) + ']'.repeat(5e5))`,
		"JSON to parse, two texts":  `var n = 0; JSON.parse({ toString: () => n++ ? '['.repeat(9e5) : '1' })`,
		"array text":                `var a = ['x'.repeat(100)]; for (var i = 0; i < 60; i++) a = [a, a]; '' + a`,
		"array text, deep":          `var a = []; for (var i = 0; i < 1e5; i++) a = [a]; '' + a`,
		"deep recursion":            `(function f(){ return f() })()`,
		"deep recursion, arrows":    `const f = () => [1].map(f); f()`,
		"deep recursion, getters":   `var o = { get x(){ return this.x } }; o.x`,
		"deep recursion, toString":  `var o = { toString(){ return o + '' } }; o + ''`,
		"native recursion, trim":    `var o = { toString: String.prototype.trim }; o + ''`,
		"native recursion, error":   `var e = new Error(); e.message = e; e + ''`,
		"native recursion, join":    `var o = { length: 1 }; o.join = o.toString = Array.prototype.toString; o[0] = o; o + ''`,
		"native recursion, bound":   `var o = {}; o.toString = Date.prototype[Symbol.toPrimitive].bind(o, 'string'); o + ''`,
		"native recursion, date":    `var o = { valueOf: () => 1 }; o.toISOString = Date.prototype.toJSON; o.toISOString()`,
		"native recursion, dates":   `var o = {}; o.toISOString = Date.prototype.toJSON; o.toISOString()`,
		"native recursion, prim":    `var o = new Date(); o.valueOf = o.toString = Date.prototype[Symbol.toPrimitive]; Date.prototype[Symbol.toPrimitive].call(o, 'number')`,
		"native recursion, locale":  `var o = {}; o.toString = Object.prototype.toLocaleString; o + ''`,
		"native recursion, tag":     `var o = {}; Object.defineProperty(o, Symbol.toStringTag, { get: Object.prototype.toString }); Object.prototype.toString.call(o)`,
		"native recursion, regexp":  `var r = /x/; Object.defineProperty(r, 'source', { value: r }); r + ''`,
		"native recursion, flags":   `var r = /x/; Object.defineProperty(r, 'global', { get: Object.getOwnPropertyDescriptor(RegExp.prototype, 'flags').get }); r.flags`,
		"native recursion, call":    `var f = Function.prototype.call; for (var i = 0; i < 1e5; i++) f = f.bind(f); f()`,
		"long prototype chain":      `var o = {}; for (var i = 0; i < 1e6; i++) o = Object.create(o); o.x`,
		"long prototype chain, __":  `var o = {}; for (var i = 0; i < 1e6; i++) o = { __proto__: o }; o.x`,
		"long list of closures":     `var f = () => 1; for (var i = 0; i < 1e6; i++) { let g = f; f = () => g() } f()`,
		"catastrophic expression":   `/^(a+)+$/.test('a'.repeat(40) + 'b')`,
		"catastrophic, backtracked": `/^(a+)+\1$/.test('a'.repeat(40) + 'b')`,
		"catastrophic, look-ahead":  `/^(?=(a+)+$)(a|aa)+$/.test('a'.repeat(60) + 'b')`,
		"catastrophic, built":       `new RegExp('^(([a-z])+.)+[A-Z]([a-z])+(?=x)$').test('a'.repeat(100))`,
		"quadratic expression":      `'a'.repeat(1e6).replace(/a.*?b|a/g, '')`,
		"quadratic, split":          `'a'.repeat(1e6).split(/a.*b|a/)`,
		"quadratic, matchAll":       `[...'a'.repeat(1e6).matchAll(/a.*b|a/g)]`,
		"huge expression":           `new RegExp('\\w{1000}'.repeat(200)).test('a'.repeat(1e6))`,
		"huge expression, nested":   `new RegExp('((a{1,10}){1,10}){1,10}'.repeat(60)).test('a'.repeat(1e6))`,
		"wide expression":           `new RegExp('[\\s\\S]{0,900}'.repeat(10) + 'x').test('a'.repeat(1e6))`,
		"long expression":           `new RegExp('('.repeat(1e5) + ')'.repeat(1e5))`,
		"unicode search":            `('ä'.repeat(5e5)).indexOf('ä'.repeat(2e5) + 'b')`,
		"long compare":              `var s = 'ä'.repeat(5e5), t = 'ä'.repeat(5e5); for(;;) s.localeCompare(t)`,
		"indexOf of long texts":     `var x = 'a'.repeat(1e6) + 'b', y = 'a'.repeat(1e6) + 'c', a = new Array(60000).fill(x); for(;;) a.indexOf(y)`,
		"set of long texts":         `var x = 'a'.repeat(1e6), a = new Array(60000).fill(x); for(;;) new Set(a)`,
		"Symbol tricks":             `String.prototype[Symbol.iterator] = function(){ for(;;); }; [...'abc']`,
		"species":                   `var a = [1, 2, 3]; a.constructor = { [Symbol.species]: function(){ return a } }; for(;;) a.map(x => (a.push(x), x))`,
		"arguments":                 `(function(){ Object.defineProperty(arguments, 'length', { get: () => 2 ** 53 }); return Array.prototype.slice.call(arguments) })(1)`,
		"break out of accounts":     `Object.getOwnPropertyNames(globalThis).forEach(n => { try { globalThis[n] = () => 1; delete globalThis[n] } catch (e) {} }); for(;;);`,
		"freeze":                    `var o = {}; for (var i = 0; i < 3e4; i++) o[i] = i; for(;;) Object.freeze(Object.assign({}, o))`,
		"console":                   `for(;;) console.log('x'.repeat(1e5))`,
		"tagged template":           "var k = [], f = s => k.push(s); for(;;) f`a${1}b${2}c`",
		"parse deep source":         `JSON.stringify(JSON.parse('[' + '{"a":'.repeat(150) + '1' + '}'.repeat(150) + ']'))`,
	}
}

// TestHostile runs every hostile script: it comes back, and the process lives. Nothing runs beside it, since the
// heap is the whole process's.
func TestHostile(t *testing.T) {
	for name, source := range hostile() {
		t.Run(name, func(t *testing.T) {
			p, err := fence.Compile(source)
			if err != nil {
				return // refused before it ran
			}
			peak, stop := watchHeap()
			start := time.Now()
			err = p.Run(nothing, nil)
			took := time.Since(start)
			stop()
			t.Logf("%v, at most %d KiB more heap; %v", took.Round(time.Millisecond), peak()>>10, err)
			var thrown *fence.ThrownError
			if err != nil && !errors.Is(err, fence.ErrTime) && !errors.Is(err, fence.ErrMemory) && !errors.As(err, &thrown) {
				t.Errorf("ended with %v", err)
			}
			if peak() > maxHeap {
				t.Errorf("the heap grew by %d KiB", peak()>>10)
			}
		})
	}
}

func nothing(*fence.Sandbox) {}

// maxHeap is what a script may make the heap grow, garbage included.
const maxHeap = 32 << 20

// watchHeap samples the heap until stop is called; peak returns by how much it grew at most.
func watchHeap() (peak func() int64, stop func()) {
	runtime.GC()
	var most atomic.Int64
	done := make(chan struct{})
	var wg sync.WaitGroup
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	read := func() int64 {
		metrics.Read(sample)
		return int64(sample[0].Value.Uint64() + sample[1].Value.Uint64())
	}
	before := read()
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				most.Store(max(most.Load(), read()-before))
				runtime.Gosched()
			}
		}
	})
	return most.Load, func() { close(done); wg.Wait() }
}
