package admin

import (
	"maps"
	"slices"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/consumer"
)

func (a *api) schemaRoutes() []route {
	show := func(c call) (reply, error) {
		param := c.params["param"]
		list := a.schemas()
		for _, s := range list {
			if object, _ := s.Schema.(map[string]any); param != "" && object["$id"] == param {
				return ok(map[string]any{"schema": s.Schema})
			}
		}
		return ok(slices.DeleteFunc(list, func(s schema) bool { return param != "" && s.Type != param }))
	}
	return []route{on("GET", "/schemas", show), on("GET", "/schemas/:param", show)}
}

type schema struct {
	Type   string `json:"type"`
	Schema any    `json:"schema"`
}

// schemas are those of policies, conditions and models, in a fixed order.
func (a *api) schemas() []schema {
	list := []schema{}
	add := func(kind string, entries map[string]config.Entry) {
		for _, name := range slices.Sorted(maps.Keys(entries)) {
			list = append(list, schema{kind, entries[name].Schema})
		}
	}
	add("policy", a.Catalogue.Policies)
	add("condition", a.Catalogue.Conditions)
	for _, file := range consumer.ModelFiles() {
		list = append(list, schema{"model", a.Consumers.Models().Raw(file)})
	}
	return list
}
