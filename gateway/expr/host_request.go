package expr

import (
	"strings"

	"github.com/dop251/goja"

	"egk8s.dev/egk8s/gateway/message"
)

// jsRequest is req for a script.
type jsRequest struct{ host *host }

// Get returns a property: one of Express's, or what a script put there.
func (r *jsRequest) Get(key string) goja.Value {
	h, req := r.host, &r.host.x.Request
	switch key {
	case "headers":
		return h.object(key, func() goja.DynamicObject { return &jsHeaders{host: h} })
	case "body":
		if req.Parsed == nil {
			return goja.Undefined()
		}
		return h.show("body", req.Parsed)
	case "user":
		return h.user()
	case "egContext":
		return h.box.VM.GlobalObject()
	case "res":
		return h.box.VM.GlobalObject().Get("res")
	case "get", "header":
		return h.function(func(name string) goja.Value { return r.field(name) })
	case "is":
		return h.function(func(name string) goja.Value { return h.box.VM.ToValue(hasType(req, name)) })
	case "toJSON":
		return h.circular()
	}
	if own, ok := ownMembers(h.x, reqMembers)[key]; ok {
		return h.show(reqMembers+"."+key, own)
	}
	if v, ok := requestProperty(h.x, key); ok {
		return h.show("req."+key, rawData(v))
	}
	return nil
}

// field is req.get(name). EG (Express): referer and referrer are the same.
func (r *jsRequest) field(name string) goja.Value {
	h := &r.host.x.Request.Header
	switch name = strings.ToLower(name); name {
	case "host":
		return r.host.box.VM.ToValue(r.host.x.Request.Host)
	case "referer", "referrer":
		if h.Has("referrer") {
			return r.host.box.VM.ToValue(h.Joined("referrer"))
		}
		name = "referer"
	}
	if !h.Has(name) {
		return goja.Undefined()
	}
	return r.host.box.VM.ToValue(h.Joined(name))
}

// hasType is req.is(type) for one type: a whole one, an extension-like one, or with a star.
func hasType(r *message.Request, want string) any {
	have, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	have = strings.ToLower(strings.TrimSpace(have))
	family, kind, _ := strings.Cut(have, "/")
	if have == "" || family == "" || kind == "" {
		return false
	}
	switch {
	case want == have || want == family+"/*" || want == "*/"+kind:
		return have
	case want == kind, want == "urlencoded" && kind == "x-www-form-urlencoded", want == "text" && have == "text/plain":
		return want
	default:
		return false
	}
}

// Set changes what Express lets one change; its own getters ignore it, as there.
func (r *jsRequest) Set(key string, v goja.Value) bool {
	h, req := r.host, &r.host.x.Request
	switch key {
	case "url":
		setURL(req, v.String())
	case "method":
		setMethod(req, v.String())
	case "body":
		delete(h.shown, "body")
		if req.Parsed = h.data(v); req.Parsed == (Undefined{}) {
			req.Parsed = nil
		}
		h.shown["body"] = &shownValue{js: v, before: req.Parsed}
	case "user":
		setUser(req, h.data(v))
		delete(h.shown, "user")
	case "headers":
		r.replaceHeaders(v)
	case "path", "host", "hostname", "ip", "ips", "protocol", "secure", "xhr", "subdomains", "egContext", "res", "httpVersion":
	default:
		value := h.data(v)
		setMember(h.x, reqMembers, key, value)
		h.shown[reqMembers+"."+key] = &shownValue{js: v, before: value}
	}
	return true
}

func (r *jsRequest) replaceHeaders(v goja.Value) {
	o, ok := v.(*goja.Object)
	if !ok {
		return
	}
	fields := &jsHeaders{host: r.host}
	if _, same := o.Export().(*jsHeaders); same {
		return
	}
	keep := map[string]bool{}
	for _, name := range o.Keys() {
		keep[strings.ToLower(name)] = true
		fields.Set(name, o.Get(name))
	}
	for _, name := range fields.Keys() {
		if !keep[name] {
			fields.Delete(name)
		}
	}
}

// Has tells whether there is such a property.
func (r *jsRequest) Has(key string) bool { return r.Get(key) != nil }

// Delete removes what a script put there, or the body or the user.
func (r *jsRequest) Delete(key string) bool {
	switch key {
	case "body", "user":
		r.Set(key, goja.Undefined())
	default:
		if _, ok := ownMembers(r.host.x, reqMembers)[key]; ok {
			deleteMember(r.host.x, reqMembers, key)
			delete(r.host.shown, reqMembers+"."+key)
		}
	}
	return true
}

// Keys lists what a script can go through.
func (r *jsRequest) Keys() []string {
	keys := []string{"headers", "url", "method", "originalUrl", "params", "query", "httpVersion"}
	for name := range ownMembers(r.host.x, reqMembers) {
		keys = append(keys, name)
	}
	return keys
}

// jsHeaders is req.headers for a script.
type jsHeaders struct{ host *host }

// Get returns a field; nil when there is none.
func (f *jsHeaders) Get(key string) goja.Value {
	switch v := (headers{f.host.x}).Property(key).(type) {
	case string:
		return f.host.box.VM.ToValue(v)
	default:
		return nil
	}
}

// Set sets a field of the request that goes to the backend.
func (f *jsHeaders) Set(key string, v goja.Value) bool {
	setHeader(f.host.x, key, f.host.headerValues(v))
	return true
}

// Has tells whether there is such a field.
func (f *jsHeaders) Has(key string) bool { return f.Get(key) != nil }

// Delete removes a field.
func (f *jsHeaders) Delete(key string) bool {
	setHeader(f.host.x, key, nil)
	return true
}

// Keys lists the names in lower case.
func (f *jsHeaders) Keys() []string { return headers{f.host.x}.names() }

// headerValues turns a value into the lines of a header field; nothing and null remove it.
func (h *host) headerValues(v goja.Value) []string {
	if v == nil || goja.IsUndefined(v) || goja.IsNull(v) {
		return nil
	}
	o, ok := v.(*goja.Object)
	if !ok || o.ClassName() != "Array" {
		return []string{v.String()}
	}
	var lines []string
	list, _ := h.data(o).([]any)
	for _, one := range list {
		lines = append(lines, Text(wrap(one)))
	}
	return lines
}
