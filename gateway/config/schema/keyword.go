package schema

import (
	"fmt"
	"maps"
	"slices"
)

// checkKeywords refuses keywords whose value is of a wrong type.
// EG: ajv refuses such a schema; it would else be read as if the keyword were not there.
func checkKeywords(doc map[string]any, at string) error {
	for _, key := range slices.Sorted(maps.Keys(doc)) {
		var ok bool
		kind := ""
		switch key {
		case "required", "enum", "anyOf", "oneOf", "allOf":
			kind = "a list"
			_, ok = doc[key].([]any)
		case "properties", "definitions", "patternProperties", "dependencies":
			kind = "an object"
			_, ok = doc[key].(map[string]any)
		case "pattern", "format", "title", "description", "$ref":
			kind = "a text"
			_, ok = doc[key].(string)
		case "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "multipleOf", "minProperties", "maxProperties":
			kind = "a number"
			_, ok = number(doc[key])
		default:
			continue
		}
		if !ok {
			return fmt.Errorf("read schema at %s: %q must be %s", at, key, kind)
		}
	}
	return nil
}

// number is a value as a number; schemas come of JSON and of YAML.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case uint64:
		return float64(v), true
	default:
		return 0, false
	}
}
