package policy

import "strings"

// params are validated parameters: JSON values, defaults filled in. A missing one has its type's zero value.
type params map[string]any

func (p params) text(name string) string {
	s, _ := p[name].(string)
	return s
}

func (p params) flag(name string) bool {
	b, _ := p[name].(bool)
	return b
}

func (p params) number(name string) (int, bool) {
	switch n := p[name].(type) {
	case float64:
		return int(n), true
	case int:
		return n, true
	default:
		return 0, false
	}
}

// list returns a list of texts; a text with commas is one too. Nothing there is nil.
func (p params) list(name string) []string {
	switch v := p[name].(type) {
	case string:
		parts := strings.Split(v, ",")
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
		}
		return parts
	case []any:
		out := make([]string, 0, len(v))
		for _, one := range v {
			if s, ok := one.(string); ok {
				out = append(out, s)
			}
		}
		return out
	default:
		return nil
	}
}

func (p params) object(name string) params {
	m, _ := p[name].(map[string]any)
	return m
}
