package condition

import (
	"slices"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/pattern"
)

// newMethod compares the method with one name or a list.
func newMethod(c *config.Condition) (Condition, diag.Problems) {
	var methods []string
	switch v := c.Params["methods"].(type) {
	case string:
		methods = []string{v}
	case []any:
		for _, one := range v {
			if s, ok := one.(string); ok {
				methods = append(methods, s)
			}
		}
	}
	return Func(func(x *message.Exchange) (bool, error) {
		return slices.Contains(methods, x.Request.Method), nil
	}), nil
}

// newHostMatch matches a glob on the Host header with its port.
func newHostMatch(c *config.Condition) (Condition, diag.Problems) {
	glob, err := pattern.NewGlob(text(c, "pattern"))
	if err != nil {
		return nil, problem(c, err)
	}
	return Func(func(x *message.Exchange) (bool, error) {
		return x.Request.Host != "" && glob.Match(x.Request.Host), nil
	}), nil
}
