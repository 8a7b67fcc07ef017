package expr

import (
	"strconv"
	"time"
)

// wrap turns decoded YAML or JSON into a Value: nil is null.
func wrap(v any) Value {
	switch v := v.(type) {
	case nil:
		return Null{}
	case map[string]any:
		return record(v)
	case map[string]string:
		out := record{}
		for name, value := range v {
			out[name] = value
		}
		return out
	case []any:
		list := make(List, len(v))
		for i, one := range v {
			list[i] = wrap(one)
		}
		return list
	case []string:
		list := make(List, len(v))
		for i, one := range v {
			list[i] = one
		}
		return list
	case time.Time:
		return v.UTC().Format("2006-01-02T15:04:05.000Z")
	case int:
		return float64(v)
	case int64:
		return float64(v)
	default:
		return v
	}
}

// plain returns data in the form in which it comes back from a script, so that the two can be compared.
func plain(v any) any {
	switch v := wrap(v).(type) {
	case record:
		out := make(map[string]any, len(v))
		for name, value := range v {
			if p := plain(value); p != (Undefined{}) {
				out[name] = p
			}
		}
		return out
	case List:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plain(v[i])
		}
		return out
	case Null:
		return nil
	default:
		return v
	}
}

// rawData is the data behind a value, for scripts.
func rawData(v Value) any {
	switch v := v.(type) {
	case Object:
		return v.Data()
	case List:
		out := make([]any, len(v))
		for i := range v {
			out[i] = rawData(v[i])
		}
		return out
	default:
		return v
	}
}

// Data returns a value as encoding/json decodes it: nil, bool, float64, string, []any or map[string]any.
// What is undefined is nil.
func Data(v Value) any { return data(v) }

func itoa(i int) string { return strconv.Itoa(i) }
