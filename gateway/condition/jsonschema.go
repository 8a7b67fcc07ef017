package condition

import (
	"errors"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/config/schema"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/message"
)

// newJSONSchema is true when the body, JSON or a form, matches a schema. A body of another type, and no
// body, is an empty object. Later steps see the values as the schema coerced them, with its defaults; what
// is sent on is the body as it came.
//
// A reference leads to the schema itself only: nothing is fetched from the network when a gateway starts.
func (e *Environment) newJSONSchema(c *config.Condition) (Condition, diag.Problems) {
	doc, _ := c.Params["schema"].(map[string]any)
	if doc == nil {
		return nil, problem(c, errors.New("schema must be a map"))
	}
	compiled, err := schema.Compile(doc)
	if err != nil {
		return nil, problem(c, err)
	}
	id, _ := doc["$id"].(string)
	logErrors, _ := c.Params["logErrors"].(bool)
	return Func(func(x *message.Exchange) (bool, error) {
		if err := x.Request.ParseBody(); err != nil {
			return false, err
		}
		value, wrong := compiled.Check(x.Request.Parsed)
		if wrong == nil {
			x.Request.Parsed = value
			return true, nil
		}
		if logErrors && e.Log != nil { // its words never quote a value
			e.Log.Warn("body does not match its schema", "condition", "json-schema", "request_id", x.ID(), "schema", id,
				"at", wrong.Path.String(), "reason", wrong.Message)
		}
		return false, nil
	}), nil
}
