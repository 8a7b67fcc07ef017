package admin

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/version"
)

// describeRoutes is the route of the API's own description.
func (a *api) describeRoutes() route {
	return on("GET", "/openapi.json", func(call) (reply, error) { return ok(a.describe()) })
}

// describe returns the API as an OpenAPI 3.1 document, made of the routes that there are.
func (a *api) describe() map[string]any {
	paths := map[string]any{}
	for _, r := range a.routes {
		path := "/" + strings.Join(r.parts, "/")
		var params []any
		for _, part := range r.parts {
			if name, isParam := strings.CutPrefix(part, ":"); isParam {
				path = strings.Replace(path, part, "{"+name+"}", 1)
				params = append(params, parameter(name, "path", map[string]any{"type": "string"}))
			}
		}
		operations, _ := paths[path].(map[string]any)
		if operations == nil {
			operations = map[string]any{}
			paths[path] = operations
		}
		operations[strings.ToLower(r.method)] = operation(r, params)
	}
	doc := map[string]any{
		"openapi": "3.1.0",
		"info": map[string]any{
			"title": "Admin API", "version": version.Version,
			"description": "Users, applications, credentials, scopes, tokens and configuration of a gateway.",
		},
		"paths":      paths,
		"components": map[string]any{"schemas": a.bodies()},
	}
	if len(a.tokens) > 0 {
		doc["components"].(map[string]any)["securitySchemes"] = map[string]any{"token": map[string]any{"type": "http", "scheme": "bearer"}}
		doc["security"] = []any{map[string]any{"token": []any{}}}
	}
	return doc
}

func operation(r route, params []any) map[string]any {
	template := r.method + " /" + strings.Join(r.parts, "/")
	note := notes()[template]
	op := map[string]any{"summary": note.summary, "tags": []any{r.parts[0]}, "operationId": operationID(r)}
	if note.paged {
		number := map[string]any{"type": "integer", "minimum": 0}
		params = append(params, parameter("start", "query", number), parameter("count", "query", number))
	}
	if changes(r.method) && slices.Contains(r.parts, ":id") {
		params = append(params, parameter("If-Match", "header", map[string]any{"type": "string"}))
	}
	if len(params) > 0 {
		op["parameters"] = params
	}
	if note.body != "" {
		op["requestBody"] = map[string]any{"required": true, "content": map[string]any{
			"application/json": map[string]any{"schema": map[string]any{"$ref": "#/components/schemas/" + note.body}},
		}}
	}
	answers := map[string]any{"4XX": map[string]any{"description": "what is wrong with the request, as text"}}
	for _, status := range note.status {
		answers[fmt.Sprint(status)] = map[string]any{"description": "done"}
	}
	op["responses"] = answers
	return op
}

func operationID(r route) string {
	words := []string{strings.ToLower(r.method)}
	for _, part := range r.parts {
		words = append(words, strings.NewReplacer(":", "by-", ".", "-").Replace(part))
	}
	return strings.Join(words, "-")
}

func parameter(name, in string, schema map[string]any) map[string]any {
	return map[string]any{"name": name, "in": in, "required": in == "path", "schema": schema}
}

// bodies are the schemas of request bodies: the models in force, and the fixed ones.
func (a *api) bodies() map[string]any {
	text, list := map[string]any{"type": "string"}, map[string]any{"type": "array", "items": map[string]any{"type": "string"}}
	object := func(required []any, properties map[string]any) map[string]any {
		return map[string]any{"type": "object", "required": required, "properties": properties}
	}
	application, _ := a.Consumers.Models().Raw("applications.json").(map[string]any)
	return map[string]any{
		"User": a.Consumers.Models().Raw("users.json"),
		"App": map[string]any{"allOf": []any{
			withoutID(application), object([]any{"userId"}, map[string]any{"userId": text}),
		}},
		"Fields": map[string]any{"type": "object"},
		"Status": object([]any{"status"}, map[string]any{"status": map[string]any{"type": "boolean"}}),
		"Scopes": object([]any{"scopes"}, map[string]any{"scopes": list}),
		"Credential": object([]any{"consumerId", "type"}, map[string]any{
			"consumerId": text, "credential": map[string]any{"type": "object"},
			"type": map[string]any{"enum": []any{consumer.TypeBasicAuth, consumer.TypeKeyAuth, consumer.TypeJWT, consumer.TypeOAuth2}},
		}),
		"Entry": map[string]any{"type": []any{"object", "array"}},
	}
}

// withoutID leaves out the model's address, which would move where references below it lead.
func withoutID(model map[string]any) map[string]any {
	out := maps.Clone(model)
	delete(out, "$id")
	return out
}
