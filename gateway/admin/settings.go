package admin

import (
	"fmt"
	"net/http"
	"strconv"

	"egk8s.dev/egk8s/gateway/config"
)

func (a *api) configRoutes() []route {
	var routes []route
	for path, s := range map[string]Section{
		"/api-endpoints": APIEndpoints, "/service-endpoints": ServiceEndpoints, "/pipelines": Pipelines,
	} {
		routes = append(routes,
			on("GET", path, func(call) (reply, error) { return ok(section(a.Config(), s)) }),
			on("GET", path+"/:name", func(c call) (reply, error) { return a.readEntry(s, c.params["name"]) }),
			on("PUT", path+"/:name", func(c call) (reply, error) { return a.setEntry(c, s) }),
			on("DELETE", path+"/:name", func(c call) (reply, error) { return a.deleteEntry(c, s) }),
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

// section is a part of the configuration in force, as it was read: a map, a list of pipelines, or null.
func section(cfg *config.Config, s Section) any {
	value, given := cfg.Raw[string(s)]
	if !given {
		return map[string]any{}
	}
	if value == nil {
		return null{}
	}
	return value
}

// entry finds a named entry; the names in a list are its indexes.
func entry(cfg *config.Config, s Section, name string) (any, bool) {
	switch all := section(cfg, s).(type) {
	case map[string]any:
		value, known := all[name]
		return value, known
	case []any:
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(all) {
			return all[i], true
		}
	}
	return nil, false
}

func (a *api) readEntry(s Section, name string) (reply, error) {
	value, known := entry(a.Config(), s, name)
	if !known || value == nil {
		return empty(http.StatusNotFound)
	}
	return ok(value)
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
	a.changes.Lock()
	defer a.changes.Unlock()
	if err := a.unchanged(c, s); err != nil {
		return reply{}, err
	}
	created, err := a.Writer.Set(c, s, c.params["name"], c.body)
	if created {
		return reply{status: http.StatusCreated}, err
	}
	return reply{status: http.StatusNoContent}, err
}

func (a *api) deleteEntry(c call, s Section) (reply, error) {
	if _, known := entry(a.Config(), s, c.params["name"]); !known {
		return empty(http.StatusNotFound)
	}
	if err := a.writable(); err != nil {
		return reply{}, err
	}
	a.changes.Lock()
	defer a.changes.Unlock()
	if err := a.unchanged(c, s); err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusNoContent}, a.Writer.Delete(c, s, c.params["name"])
}

// unchanged refuses a change of an entry that is not what If-Match names.
func (a *api) unchanged(c call, s Section) error {
	if c.ifMatch == "" {
		return nil
	}
	now, known := entry(a.Config(), s, c.params["name"])
	if !known {
		return &statusError{http.StatusPreconditionFailed, "there is nothing that If-Match could match"}
	}
	return matches(c.ifMatch, now)
}
