package admin

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// call is one request to a route.
type call struct {
	context.Context //nolint:containedctx // lives as long as the one call that it belongs to
	params          map[string]string
	query           url.Values
	body            map[string]any // never nil in a change
	ifMatch         string
}

// text returns a field of the body when it is a string, else "".
func (c call) text(field string) string {
	s, _ := c.body[field].(string)
	return s
}

type handler func(call) (reply, error)

// route is one method and path; a part with a leading colon is a parameter.
type route struct {
	method string
	parts  []string
	handle handler
}

func on(method, path string, handle handler) route {
	return route{method, strings.Split(strings.TrimPrefix(path, "/"), "/"), handle}
}

// find returns the first route that matches as Express does: literal parts without regard to case,
// one trailing slash tolerated, parameters decoded. HEAD takes the route of GET.
func (a *api) find(r *http.Request) (*route, map[string]string, error) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	path := strings.TrimSuffix(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	parts := strings.Split(path, "/")
	for i := range a.routes {
		route := &a.routes[i]
		if route.method != method || len(route.parts) != len(parts) {
			continue
		}
		params, ok, err := route.match(parts)
		if err != nil {
			return nil, nil, err
		}
		if ok {
			return route, params, nil
		}
	}
	return nil, nil, nil
}

func (r route) match(parts []string) (params map[string]string, ok bool, err error) {
	params = map[string]string{}
	for i, want := range r.parts {
		name, isParam := strings.CutPrefix(want, ":")
		switch {
		case isParam && parts[i] != "":
			value, err := url.PathUnescape(parts[i])
			if err != nil {
				return nil, false, &badRequestError{"Failed to decode param '" + parts[i] + "'"}
			}
			params[name] = value
		case isParam || !strings.EqualFold(want, parts[i]):
			return nil, false, nil
		}
	}
	return params, true, nil
}
