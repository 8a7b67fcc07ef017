package admin

import (
	"fmt"
	"net/http"

	"egk8s.dev/egk8s/gateway/config"
)

func (a *api) configRoutes() []route {
	var routes []route
	for path, section := range map[string]Section{
		"/api-endpoints": APIEndpoints, "/service-endpoints": ServiceEndpoints, "/pipelines": Pipelines,
	} {
		routes = append(routes,
			on("GET", path, func(call) (reply, error) { return ok(entries(a.Config(), section)) }),
			on("GET", path+"/:name", func(c call) (reply, error) { return a.readEntry(section, c.params["name"]) }),
			on("PUT", path+"/:name", func(c call) (reply, error) { return a.setEntry(c, section) }),
			on("DELETE", path+"/:name", func(c call) (reply, error) { return a.deleteEntry(c, section) }),
		)
	}
	return append(routes,
		on("GET", "/policies", func(call) (reply, error) { return ok(append([]string{}, a.Config().Policies...)) }),
		on("PUT", "/policies/:name", func(c call) (reply, error) {
			if err := a.writable(); err != nil {
				return reply{}, err
			}
			_, err := a.Writer.Set(c, Policies, c.params["name"], nil)
			return ok2(map[string]string{"status": "ok"}, err)
		}),
		on("DELETE", "/policies/:name", func(c call) (reply, error) {
			if err := a.writable(); err != nil {
				return reply{}, err
			}
			return reply{status: http.StatusNoContent}, a.Writer.Delete(c, Policies, c.params["name"])
		}),
	)
}

// entries are the named entries of a section as they were written.
func entries(cfg *config.Config, s Section) map[string]any {
	out := map[string]any{}
	switch s {
	case APIEndpoints:
		for _, e := range cfg.APIEndpoints {
			out[e.Name] = joined(out[e.Name], e.Raw)
		}
	case ServiceEndpoints:
		for name, e := range cfg.ServiceEndpoints {
			out[name] = e.Raw
		}
	case Pipelines:
		for _, p := range cfg.Pipelines {
			out[p.Name] = p.Raw
		}
	case Policies: // a list, not entries
	}
	return out
}

// joined puts the parts of an endpoint that the file gives as a list together again.
func joined(before any, raw map[string]any) any {
	switch b := before.(type) {
	case nil:
		return raw
	case []any:
		return append(b, raw)
	default:
		return []any{b, raw}
	}
}

func (a *api) readEntry(s Section, name string) (reply, error) {
	entry, known := entries(a.Config(), s)[name]
	if !known {
		return empty(http.StatusNotFound)
	}
	return ok(entry)
}

// writable refuses a change of a configuration that comes from elsewhere.
func (a *api) writable() error {
	if a.Writer != nil {
		return nil
	}
	return &statusError{
		http.StatusConflict,
		fmt.Sprintf("the configuration cannot be changed here; %s", a.ReadOnlyHint),
	}
}

func (a *api) setEntry(c call, s Section) (reply, error) {
	if err := a.writable(); err != nil {
		return reply{}, err
	}
	created, err := a.Writer.Set(c, s, c.params["name"], c.body)
	if created {
		return reply{status: http.StatusCreated}, err
	}
	return reply{status: http.StatusNoContent}, err
}

func (a *api) deleteEntry(c call, s Section) (reply, error) {
	if _, known := entries(a.Config(), s)[c.params["name"]]; !known {
		return empty(http.StatusNotFound)
	}
	if err := a.writable(); err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusNoContent}, a.Writer.Delete(c, s, c.params["name"])
}
