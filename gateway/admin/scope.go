package admin

import (
	"net/http"

	"egk8s.dev/egk8s/gateway/consumer"
)

func (a *api) scopeRoutes() []route {
	return []route{
		on("GET", "/scopes", func(c call) (reply, error) {
			scopes, err := a.Consumers.Scopes(c)
			if len(scopes) == 0 {
				return ok2(map[string]any{"scopes": null{}}, err)
			}
			return ok2(map[string]any{"scopes": scopes}, err)
		}),
		on("POST", "/scopes", func(c call) (reply, error) {
			scopes, err := scopesOf(c)
			if err != nil {
				return reply{}, err
			}
			return reply{status: http.StatusCreated}, a.Consumers.CreateScopes(c, scopes)
		}),
		on("GET", "/scopes/:scope", func(c call) (reply, error) {
			return ok2(map[string]string{"scope": c.params["scope"]}, a.Consumers.HasScope(c, c.params["scope"]))
		}),
		on("PUT", "/scopes/:scope", func(c call) (reply, error) {
			return reply{status: http.StatusCreated}, a.Consumers.CreateScopes(c, []string{c.params["scope"]})
		}),
		on("DELETE", "/scopes/:scope", func(c call) (reply, error) {
			return reply{status: http.StatusNoContent}, a.Consumers.DeleteScope(c, c.params["scope"])
		}),
	}
}

// scopesOf reads the list of scopes of a body; unlike in a credential one string is not a list.
func scopesOf(c call) ([]string, error) {
	list, ok := c.body["scopes"].([]any)
	if !ok {
		return nil, &badRequestError{"scopes must be a list of strings"}
	}
	return consumer.ScopeList(list)
}
