package expr

import (
	"maps"
	"reflect"
	"slices"

	"github.com/dop251/goja"

	"egk8s.dev/egk8s/gateway/expr/fence"
	"egk8s.dev/egk8s/gateway/message"
)

// host shows an exchange to a script and takes back what the script changed.
// EG: a script's globals are the members of egContext.
type host struct {
	box     *fence.Sandbox
	x       *message.Exchange
	builtin map[string]bool // names of the gateway's own; JavaScript's are not enumerable
	shown   map[string]*shownValue
	answer  *answer // what the script sent; nil: nothing
}

// answer goes to the client behind the run: who is slow to take it must not keep others from running.
type answer struct {
	status            int
	contentType, body string
}

// started tells whether the script, or somebody before it, has answered.
func (h *host) started() bool { return h.answer != nil || h.x.Response.Started() }

// status is res.statusCode.
func (h *host) status() int {
	if h.answer != nil {
		return h.answer.status
	}
	return responseStatus(h.x)
}

// shownValue is a value of the exchange that was given to the script, which may change it in place.
type shownValue struct {
	js     goja.Value
	before any
}

func newHost(box *fence.Sandbox, x *message.Exchange) *host {
	h := &host{box: box, x: x, builtin: map[string]bool{}, shown: map[string]*shownValue{}}
	g := box.VM.GlobalObject()
	h.member("req", box.VM.NewDynamicObject(&jsRequest{host: h}))
	h.member("res", box.VM.NewDynamicObject(&jsResponse{host: h}))
	h.member("egContext", g)
	h.getter("requestID", func() goja.Value { return box.VM.ToValue(x.ID()) })
	h.getter("apiEndpoint", func() goja.Value { return h.show("apiEndpoint", endpointData(x.Endpoint)) })
	h.getter("consumer", h.user)
	for _, name := range slices.Sorted(maps.Keys(x.Context)) {
		if name != reqMembers && name != resMembers {
			_ = g.Set(name, h.show("egContext."+name, x.Context[name]))
		}
	}
	return h
}

func (h *host) member(name string, v goja.Value) {
	_ = h.box.VM.GlobalObject().Set(name, v)
	h.builtin[name] = true
}

func (h *host) getter(name string, get func() goja.Value) {
	f := h.box.VM.ToValue(func(goja.FunctionCall) goja.Value { return get() })
	_ = h.box.VM.GlobalObject().DefineAccessorProperty(name, f, nil, goja.FLAG_TRUE, goja.FLAG_TRUE)
	h.builtin[name] = true
}

// show gives data to the script; twice the same name is the same object.
func (h *host) show(name string, data any) goja.Value {
	if v := h.shown[name]; v != nil {
		return v.js
	}
	v := &shownValue{js: h.toJS(data), before: data}
	h.shown[name] = v
	return v.js
}

// user is req.user: a consumer, or the claims of a token.
func (h *host) user() goja.Value {
	data, ok := userData(&h.x.Request)
	if !ok {
		return goja.Undefined()
	}
	return h.show("user", data)
}

// changed returns the data of a shown value when the script changed it in place.
func (h *host) changed(name string) (any, bool) {
	v := h.shown[name]
	if v == nil {
		return nil, false
	}
	if _, isObject := v.js.(*goja.Object); !isObject {
		return nil, false
	}
	after := h.data(v.js)
	return after, !reflect.DeepEqual(after, plain(v.before))
}

// keep writes back what later steps must see: egContext's members, and objects that were changed in place.
// EG: egContext, req and res are the same objects for all steps. Functions do not live on.
func (h *host) keep() {
	var members map[string]any
	for _, name := range []string{reqMembers, resMembers} {
		if own, ok := h.x.Context[name]; ok {
			members = with(members, name, own)
		}
	}
	g := h.box.VM.GlobalObject()
	for _, name := range g.Keys() {
		if h.builtin[name] {
			continue
		}
		if v := g.Get(name); v != nil && !isFunction(v) {
			members = with(members, name, h.data(v))
		}
	}
	h.x.Context = members
	if body, ok := h.changed("body"); ok {
		h.x.Request.Parsed = body
	}
	if user, ok := h.changed("user"); ok {
		setUser(&h.x.Request, user)
	}
	h.keepMembers(reqMembers)
	h.keepMembers(resMembers)
}

// keepMembers writes back the objects that a script put on req or res earlier and has changed now.
func (h *host) keepMembers(object string) {
	for name := range ownMembers(h.x, object) {
		if v, ok := h.changed(object + "." + name); ok {
			setMember(h.x, object, name, v)
		}
	}
}

func with(m map[string]any, name string, v any) map[string]any {
	if m == nil {
		m = map[string]any{}
	}
	m[name] = v
	return m
}

func isFunction(v goja.Value) bool {
	_, ok := goja.AssertFunction(v)
	return ok
}

// object returns one and the same object for a name.
func (h *host) object(name string, make func() goja.DynamicObject) goja.Value {
	key := "object " + name
	if h.shown[key] == nil {
		h.shown[key] = &shownValue{js: h.box.VM.NewDynamicObject(make())}
	}
	return h.shown[key].js
}

// function makes a function of one text.
func (h *host) function(f func(arg string) goja.Value) goja.Value {
	return h.box.VM.ToValue(func(c goja.FunctionCall) goja.Value { return f(c.Argument(0).String()) })
}

// circular is the toJSON of what JSON cannot hold.
func (h *host) circular() goja.Value {
	return h.box.VM.ToValue(func(goja.FunctionCall) goja.Value {
		panic(h.box.VM.NewTypeError("Converting circular structure to JSON"))
	})
}

// json is JSON.stringify(v).
func (h *host) json(v goja.Value) string {
	o, ok := h.box.VM.Get("JSON").(*goja.Object)
	if !ok {
		return ""
	}
	f, ok := goja.AssertFunction(o.Get("stringify"))
	if !ok {
		return ""
	}
	text, err := f(o, v)
	if err != nil {
		panic(err)
	}
	return text.String()
}
