package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
)

// bodyLimit is Express Gateway's: 100 kB.
const bodyLimit = 100 << 10

// badRequestError is a request that cannot be understood.
type badRequestError struct{ message string }

func (e *badRequestError) Error() string { return e.message }

// readBody reads a JSON or form body into fields. A body of another type counts as none, as in
// Express Gateway; a JSON array or scalar has no fields.
func readBody(w http.ResponseWriter, r *http.Request) (map[string]any, error) {
	fields := map[string]any{}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "application/json" && kind != "application/x-www-form-urlencoded" {
		return fields, nil
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
	if err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return nil, err
		}
		return nil, &badRequestError{"request aborted"}
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return fields, nil
	}
	if kind == "application/json" {
		return fields, readJSON(text, &fields)
	}
	values, err := url.ParseQuery(string(text))
	if err != nil {
		return nil, &badRequestError{"cannot read the form: " + err.Error()}
	}
	for name, list := range values {
		if fields[name] = list[0]; len(list) > 1 {
			fields[name] = list
		}
	}
	return fields, nil
}

func readJSON(text []byte, fields *map[string]any) error {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return &badRequestError{fmt.Sprintf("the body is not JSON: %v", err)}
	}
	switch x := value.(type) {
	case map[string]any:
		*fields = x
	case []any: // no fields
	default:
		return &badRequestError{"the body is not a JSON object"}
	}
	return nil
}
