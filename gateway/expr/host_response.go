package expr

import (
	"strconv"
	"strings"

	"github.com/dop251/goja"
)

// jsResponse is res for a script.
type jsResponse struct{ host *host }

// Get returns a property: one of Express's, or what a script put there.
func (r *jsResponse) Get(key string) goja.Value {
	h := r.host
	if f := r.method(key); f != nil {
		if h.answer != nil && changesHead(key) {
			return h.box.VM.ToValue(func(c goja.FunctionCall) goja.Value { return c.This })
		}
		return h.box.VM.ToValue(f)
	}
	switch key {
	case "statusCode":
		return h.box.VM.ToValue(h.status())
	case "headersSent", "finished":
		return h.box.VM.ToValue(h.started())
	case "req":
		return h.box.VM.GlobalObject().Get("req")
	case "locals":
		if _, ok := ownMembers(h.x, resMembers)[key]; !ok {
			setMember(h.x, resMembers, key, map[string]any{})
		}
	case "toJSON":
		return h.circular()
	}
	if own, ok := ownMembers(h.x, resMembers)[key]; ok {
		return h.show(resMembers+"."+key, own)
	}
	return nil
}

// changesHead tells which methods come too late behind an answer.
func changesHead(key string) bool {
	switch key {
	case "setHeader", "set", "header", "append", "removeHeader", "type", "contentType", "status", "sendStatus", "redirect":
		return true
	default:
		return false
	}
}

// method returns one of the functions that set, read or send.
func (r *jsResponse) method(key string) func(goja.FunctionCall) goja.Value {
	h, res := r.host, &r.host.x.Response
	switch key {
	case "setHeader", "set", "header":
		return r.setField
	case "append":
		return func(c goja.FunctionCall) goja.Value {
			for _, line := range h.headerValues(c.Argument(1)) {
				res.Header.Add(h.fieldName(c.Argument(0)), oneLine(line))
			}
			return c.This
		}
	case "getHeader", "get":
		return func(c goja.FunctionCall) goja.Value { return r.field(c.Argument(0).String()) }
	case "hasHeader":
		return func(c goja.FunctionCall) goja.Value { return h.box.VM.ToValue(res.Header.Has(c.Argument(0).String())) }
	case "removeHeader":
		return func(c goja.FunctionCall) goja.Value {
			res.Header.Del(c.Argument(0).String())
			return goja.Undefined()
		}
	case "getHeaders":
		return func(goja.FunctionCall) goja.Value {
			all := map[string]any{}
			for name := range res.Header.All() {
				all[strings.ToLower(name)] = res.Header.Joined(name)
			}
			return h.toJS(all)
		}
	case "type", "contentType":
		return func(c goja.FunctionCall) goja.Value {
			res.Header.Set("Content-Type", oneLine(mediaType(c.Argument(0).String())))
			return c.This
		}
	case "status":
		return func(c goja.FunctionCall) goja.Value {
			setStatus(h.x, c.Argument(0).ToFloat())
			return c.This
		}
	default:
		return r.sender(key)
	}
}

// setField is res.setHeader(name, value), and res.set(name, value) or res.set({name: value}).
func (r *jsResponse) setField(c goja.FunctionCall) goja.Value {
	h := r.host
	if o, ok := c.Argument(0).(*goja.Object); ok {
		for _, name := range o.Keys() {
			setResponseHeader(h.x, h.fieldName(h.box.VM.ToValue(name)), h.headerValues(o.Get(name)))
		}
		return c.This
	}
	setResponseHeader(h.x, h.fieldName(c.Argument(0)), h.headerValues(c.Argument(1)))
	return c.This
}

func (r *jsResponse) field(name string) goja.Value {
	switch values := r.host.x.Response.Header.Values(name); len(values) {
	case 0:
		return goja.Undefined()
	case 1:
		return r.host.box.VM.ToValue(values[0])
	default:
		return r.host.toJS(values)
	}
}

// sender returns one of the functions that answer the request.
func (r *jsResponse) sender(key string) func(goja.FunctionCall) goja.Value {
	h := r.host
	switch key {
	case "send", "end":
		return func(c goja.FunctionCall) goja.Value {
			body := c.Argument(0)
			if o, ok := body.(*goja.Object); ok && key == "send" {
				r.answer(h.status(), "application/json; charset=utf-8", h.json(o))
				return c.This
			}
			text, contentType := "", "text/html; charset=utf-8"
			if !goja.IsUndefined(body) && !goja.IsNull(body) {
				text = body.String()
			}
			r.answer(h.status(), contentType, text)
			return c.This
		}
	case "json":
		return func(c goja.FunctionCall) goja.Value {
			r.answer(h.status(), "application/json; charset=utf-8", h.json(c.Argument(0)))
			return c.This
		}
	case "sendStatus":
		return func(c goja.FunctionCall) goja.Value {
			setStatus(h.x, c.Argument(0).ToFloat())
			status := h.status()
			r.answer(status, "text/plain; charset=utf-8", statusText(status))
			return c.This
		}
	case "redirect":
		return func(c goja.FunctionCall) goja.Value {
			target := c.Argument(0)
			setStatus(h.x, 302)
			if len(c.Arguments) > 1 {
				setStatus(h.x, target.ToFloat())
				target = c.Argument(1)
			}
			h.x.Response.Header.Set("Location", oneLine(target.String()))
			status := h.status()
			r.answer(status, "text/plain; charset=utf-8", statusText(status)+". Redirecting to "+target.String())
			return goja.Undefined()
		}
	default:
		return nil
	}
}

// answer keeps what is sent behind the run; a type that the script set stays. Only the first one counts.
func (r *jsResponse) answer(status int, contentType, body string) {
	if r.host.started() {
		return
	}
	if own := r.host.x.Response.Header.Get("Content-Type"); own != "" {
		contentType = own
	}
	r.host.answer = &answer{status, contentType, body}
}

// Set changes the status, or keeps a member of the script's own.
func (r *jsResponse) Set(key string, v goja.Value) bool {
	h := r.host
	switch {
	case key == "statusCode":
		setStatus(h.x, v.ToFloat())
	case key == "headersSent" || key == "req" || r.method(key) != nil:
	default:
		value := h.data(v)
		setMember(h.x, resMembers, key, value)
		h.shown[resMembers+"."+key] = &shownValue{js: v, before: value}
	}
	return true
}

// Has tells whether there is such a property.
func (r *jsResponse) Has(key string) bool { return r.Get(key) != nil }

// Delete removes what a script put there.
func (r *jsResponse) Delete(key string) bool {
	deleteMember(r.host.x, resMembers, key)
	delete(r.host.shown, resMembers+"."+key)
	return true
}

// Keys lists what a script can go through.
func (r *jsResponse) Keys() []string {
	keys := []string{"statusCode"}
	for name := range ownMembers(r.host.x, resMembers) {
		if name != statusMember {
			keys = append(keys, name)
		}
	}
	return keys
}

// fieldName returns the name of a header field, or throws as node does.
func (h *host) fieldName(v goja.Value) string {
	name := v.String()
	if !validFieldName(name) {
		panic(h.box.VM.NewTypeError("Header name must be a valid HTTP token [" + strconv.Quote(name) + "]"))
	}
	return name
}
