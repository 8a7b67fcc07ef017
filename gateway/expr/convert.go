package expr

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/dop251/goja"
)

// maxExportDepth bounds how deep an object may nest that leaves the fence.
const maxExportDepth = 64

// Date is a point in time that a script left in egContext, as milliseconds since 1970. To the compiled form
// it is a value that only the interpreter knows how to use.
type Date float64

// text is the date as JavaScript writes it.
func (d Date) text() string {
	if math.IsNaN(float64(d)) {
		return "Invalid Date"
	}
	return time.UnixMilli(int64(d)).Format("Mon Jan 02 2006 15:04:05 GMT-0700 (MST)")
}

// json is what JSON.stringify makes of a date.
func (d Date) json() any {
	if math.IsNaN(float64(d)) {
		return nil
	}
	return time.UnixMilli(int64(d)).UTC().Format("2006-01-02T15:04:05.000Z")
}

// reference stands in egContext for req, res or egContext itself.
type reference string

// toJS makes a JavaScript value of decoded JSON.
func (h *host) toJS(data any) goja.Value {
	const perMember = 64
	vm := h.box.VM
	switch v := data.(type) {
	case nil, Null:
		return goja.Null()
	case Undefined:
		return goja.Undefined()
	case reference:
		return h.box.VM.GlobalObject().Get(string(v))
	case Date:
		o, err := vm.New(vm.Get("Date"), vm.ToValue(float64(v)))
		if err != nil {
			panic(err)
		}
		return o
	case map[string]any:
		h.box.Take(perMember * (1 + len(v)))
		o := vm.NewObject()
		for _, name := range slices.Sorted(maps.Keys(v)) {
			_ = o.Set(name, h.toJS(v[name]))
		}
		return o
	case map[string]string:
		o := vm.NewObject()
		for _, name := range slices.Sorted(maps.Keys(v)) {
			_ = o.Set(name, v[name])
		}
		return o
	case []any:
		h.box.Take(perMember * (1 + len(v)))
		items := make([]any, len(v))
		for i := range v {
			items[i] = h.toJS(v[i])
		}
		return vm.NewArray(items...)
	case []string:
		items := make([]any, len(v))
		for i := range v {
			items[i] = v[i]
		}
		return vm.NewArray(items...)
	case string, bool, float64, int, int64:
		return vm.ToValue(v)
	default:
		return goja.Undefined()
	}
}

// data makes plain data of a value that leaves the fence. What has no data form is Undefined.
func (h *host) data(v goja.Value) any { return h.exportAt(v, 0) }

func (h *host) exportAt(v goja.Value, depth int) any {
	h.box.Take(64)
	o, isObject := v.(*goja.Object)
	switch {
	case v == nil || goja.IsUndefined(v):
		return Undefined{}
	case goja.IsNull(v):
		return nil
	case !isObject:
		return primitive(v)
	case depth > maxExportDepth:
		panic(h.box.VM.NewTypeError("an object nests too deep, or contains itself"))
	case isFunction(o):
		return Undefined{}
	case o == h.box.VM.GlobalObject():
		return reference("egContext")
	}
	switch d := o.Export().(type) {
	case *jsRequest:
		return reference("req")
	case *jsResponse:
		return reference("res")
	case *jsHeaders:
		return headers{h.x}.Data()
	default:
		_ = d
	}
	switch o.ClassName() {
	case "Array":
		length := int(o.Get("length").ToInteger())
		h.box.Take(16 * length)
		list := make([]any, length)
		for i := range list {
			list[i] = h.exportAt(o.Get(itoa(i)), depth+1)
		}
		return list
	case "Date":
		return Date(o.ToFloat())
	case "String", "Number", "Boolean":
		if inner, ok := o.Export().(string); ok {
			return inner
		}
	}
	out := map[string]any{}
	for _, name := range o.Keys() {
		member := h.exportAt(o.Get(name), depth+1)
		if member != (Undefined{}) {
			out[name] = member
		}
	}
	return out
}

func primitive(v goja.Value) any {
	switch p := v.Export().(type) {
	case int64:
		return float64(p)
	case string, bool, float64:
		return p
	default:
		return Undefined{}
	}
}

// export makes a Value of a result.
func (h *host) export(v goja.Value) Value {
	if data := h.data(v); data != nil {
		return wrap(data)
	}
	return Null{}
}
