package expr

import (
	"maps"
	"slices"
	"strings"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/message"
)

// request is req of Express.
type request struct{ x *message.Exchange }

// Property returns a property: what an expression put there, or one of Express's.
func (r request) Property(name string) Value {
	switch name {
	case "headers":
		return headers(r)
	case "user":
		return user(&r.x.Request)
	case "egContext":
		return context(r)
	case "body":
		if r.x.Request.Parsed == nil {
			return Undefined{}
		}
		return wrap(r.x.Request.Parsed)
	}
	if own, ok := ownMembers(r.x, reqMembers)[name]; ok {
		return wrap(own)
	}
	v, _ := requestProperty(r.x, name)
	return v
}

// requestProperty returns what Express and node give req that does not depend on expressions.
func requestProperty(x *message.Exchange, name string) (Value, bool) {
	req := &x.Request
	switch name {
	case "method":
		return req.Method, true
	case "url":
		return req.URL, true
	case "originalUrl":
		return req.OriginalURL, true
	case "path":
		return req.Path(), true
	case "baseUrl":
		return "", true
	case "host", "hostname":
		return req.Hostname(), true
	case "ip":
		return req.ClientIP(), true
	case "ips", "subdomains": // EG: no "trust proxy", and subdomains of two labels are none
		return List{}, true
	case "protocol":
		return req.Scheme(), true
	case "secure":
		return req.TLS != nil, true
	case "xhr":
		return strings.EqualFold(req.Header.Get("X-Requested-With"), "xmlhttprequest"), true
	case "httpVersion":
		return req.Proto, true
	case "query":
		return query(req.Query()), true
	case "params":
		return params(x), true
	case "connection", "socket":
		return record{
			"remoteAddress": req.Peer.Addr().Unmap().String(), "remotePort": float64(req.Peer.Port()), "encrypted": req.TLS != nil,
		}, true
	default:
		return Undefined{}, false
	}
}

// Data is for JSON, and JavaScript cannot make JSON of req.
func (r request) Data() any { return circular{} }

// circular stands for an object that contains itself.
type circular struct{}

// MarshalJSON fails as JSON.stringify does.
func (circular) MarshalJSON() ([]byte, error) {
	return nil, throw("Converting circular structure to JSON")
}

// response is res of Express, as far as it can be read without calling anything.
type response struct{ x *message.Exchange }

// Property returns a property.
func (r response) Property(name string) Value {
	switch name {
	case "statusCode":
		return float64(responseStatus(r.x))
	case "headersSent":
		return r.x.Response.Started()
	case "app": // a real file logs it: Express's application, a function, as text
		return "function(req, res, next) {\n    app.handle(req, res, next);\n  }"
	case "req":
		return request(r)
	}
	if own, ok := ownMembers(r.x, resMembers)[name]; ok {
		return wrap(own)
	}
	return Undefined{}
}

// Data is for JSON, and JavaScript cannot make JSON of res.
func (r response) Data() any { return circular{} }

// context is egContext.
type context struct{ x *message.Exchange }

// Property returns a member of egContext: the gateway's own, or what an expression put there.
func (c context) Property(name string) Value {
	switch name {
	case "req":
		return request(c)
	case "res":
		return response(c)
	case "consumer":
		return user(&c.x.Request)
	case "requestID":
		return c.x.ID()
	case "apiEndpoint":
		return wrap(endpointData(c.x.Endpoint))
	case "egContext":
		return c
	}
	v, ok := c.x.Context[name]
	if !ok {
		return Undefined{}
	}
	if to, ok := v.(reference); ok {
		return c.Property(string(to))
	}
	return wrap(v)
}

// Data is for JSON, and JavaScript cannot make JSON of egContext.
func (c context) Data() any { return circular{} }

// headers are req.headers: names in lower case, values joined as node joins them.
type headers struct{ x *message.Exchange }

// Property returns a field.
func (h headers) Property(name string) Value {
	if name == "host" {
		return h.x.Request.Host
	}
	if name != strings.ToLower(name) || !h.x.Request.Header.Has(name) {
		return Undefined{}
	}
	return h.x.Request.Header.Joined(name)
}

// Data returns all fields.
func (h headers) Data() any {
	out := map[string]any{"host": h.x.Request.Host}
	for name := range h.x.Request.Header.All() {
		out[strings.ToLower(name)] = h.x.Request.Header.Joined(name)
	}
	return out
}

func (h headers) names() []string {
	names := []string{"host"}
	for name := range h.x.Request.Header.All() {
		names = append(names, strings.ToLower(name))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// query is req.query.
type query message.Query

// Property returns a parameter: a text, or a list when it was given more than once.
func (q query) Property(name string) Value {
	vs := q[name]
	switch len(vs) {
	case 0:
		return Undefined{}
	case 1:
		return vs[0]
	default:
		list := make(List, len(vs))
		for i, v := range vs {
			list[i] = v
		}
		return list
	}
}

// Data returns all parameters.
func (q query) Data() any {
	out := make(map[string]any, len(q))
	for name := range q {
		out[name] = data(q.Property(name))
	}
	return out
}

// record is an object of plain values.
type record map[string]any

// Property returns a member.
func (r record) Property(name string) Value {
	if v, ok := r[name]; ok {
		return wrap(v)
	}
	return Undefined{}
}

// Data returns the members.
func (r record) Data() any { return map[string]any(r) }

func endpointData(e *message.Endpoint) any {
	if e == nil {
		return Undefined{}
	}
	out := map[string]any{"apiEndpointName": e.Name}
	maps.Copy(out, e.Raw)
	if len(e.Scopes) > 0 {
		out["scopes"] = e.Scopes
	}
	return out
}

// user is req.user: a consumer, or the claims of a token.
func user(r *message.Request) Value {
	data, ok := userData(r)
	if !ok {
		return Undefined{}
	}
	return record(data)
}

func userData(r *message.Request) (map[string]any, bool) {
	if r.Consumer == nil {
		return r.Claims, r.Claims != nil
	}
	return consumerData(r.Consumer), true
}

func consumerData(c *consumer.Consumer) map[string]any {
	out := map[string]any{"id": c.ID, "isActive": c.IsActive, "type": string(c.Kind)}
	if c.Username != "" {
		out["username"] = c.Username
	}
	if c.Name != "" {
		out["name"] = c.Name
	}
	if c.UserID != "" {
		out["userId"] = c.UserID
	}
	maps.Copy(out, c.Properties)
	return out
}

func params(x *message.Exchange) Value {
	out := record{}
	if x.Endpoint != nil && x.Endpoint.Params != nil {
		for name, value := range x.Endpoint.Params(x.Request.Path()) {
			out[name] = value
		}
	}
	return out
}
