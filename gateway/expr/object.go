package expr

import (
	"maps"
	"strings"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/message"
)

// request is req of Express, as far as it is known here.
type request struct{ x *message.Exchange }

func (r request) Property(name string) Value {
	req := &r.x.Request
	switch name {
	case "method":
		return req.Method
	case "url":
		return req.URL
	case "originalUrl":
		return req.OriginalURL
	case "path":
		return req.Path()
	case "baseUrl":
		return ""
	case "host", "hostname":
		return req.Hostname()
	case "ip":
		return req.ClientIP()
	case "protocol":
		return req.Scheme()
	case "secure":
		return req.TLS != nil
	case "httpVersion":
		return req.Proto
	case "headers":
		return headers(r)
	case "query":
		return query(req.Query())
	case "params":
		return params(r.x)
	case "user":
		return user(req.Consumer)
	case "egContext":
		return context(r)
	default:
		return Undefined{}
	}
}

func (r request) Data() any {
	return map[string]any{"method": r.x.Request.Method, "url": r.x.Request.URL, "headers": headers(r).Data()}
}

// context is egContext.
type context struct{ x *message.Exchange }

func (c context) Property(name string) Value {
	switch name {
	case "req":
		return request(c)
	case "consumer":
		return user(c.x.Request.Consumer)
	case "requestID":
		return c.x.ID()
	case "apiEndpoint":
		return endpoint(c.x.Endpoint)
	case "egContext":
		return c
	default:
		return Undefined{}
	}
}

func (c context) Data() any {
	return map[string]any{"requestID": c.x.ID(), "apiEndpoint": data(c.Property("apiEndpoint"))}
}

// headers are req.headers: names in lower case, values joined as node joins them.
type headers struct{ x *message.Exchange }

func (h headers) Property(name string) Value {
	if name == "host" {
		return h.x.Request.Host
	}
	if name != strings.ToLower(name) || !h.x.Request.Header.Has(name) {
		return Undefined{}
	}
	return h.x.Request.Header.Joined(name)
}

func (h headers) Data() any {
	out := map[string]any{"host": h.x.Request.Host}
	for name := range h.x.Request.Header.All() {
		out[strings.ToLower(name)] = h.x.Request.Header.Joined(name)
	}
	return out
}

// query is req.query.
type query message.Query

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

func (q query) Data() any {
	out := make(map[string]any, len(q))
	for name := range q {
		out[name] = data(q.Property(name))
	}
	return out
}

// record is an object of plain values.
type record map[string]any

func (r record) Property(name string) Value { return wrap(r[name]) }

func (r record) Data() any { return map[string]any(r) }

// wrap turns a decoded YAML or JSON value into a Value; what is not there is nil.
func wrap(v any) Value {
	switch v := v.(type) {
	case nil:
		return Undefined{}
	case map[string]any:
		return record(v)
	case []any:
		list := make(List, len(v))
		for i, one := range v {
			list[i] = wrap(one)
		}
		return list
	case []string:
		list := make(List, len(v))
		for i, one := range v {
			list[i] = one
		}
		return list
	case int:
		return float64(v)
	default:
		return v
	}
}

func endpoint(e *message.Endpoint) Value {
	if e == nil {
		return Undefined{}
	}
	out := record{"apiEndpointName": e.Name}
	maps.Copy(out, e.Raw)
	if len(e.Scopes) > 0 {
		out["scopes"] = e.Scopes
	}
	return out
}

func user(c *consumer.Consumer) Value {
	if c == nil {
		return Undefined{}
	}
	out := record{"id": c.ID, "isActive": c.IsActive, "type": string(c.Kind)}
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
