// Package output writes the result of a command as one document.
package output

import (
	"encoding/json"
	"fmt"
	"io"

	"sigs.k8s.io/yaml"
)

// The formats that are documents.
const (
	JSON = "json"
	YAML = "yaml"
)

// IsDocument tells whether a format of -o is one that Write knows.
func IsDocument(format string) bool { return format == JSON || format == YAML }

// Write writes v to w as one JSON or YAML document with the keys of its JSON tags.
func Write(w io.Writer, format string, v any) error {
	if format == YAML {
		data, err := yaml.Marshal(v)
		if err != nil {
			return fmt.Errorf("encode result: %w", err)
		}
		_, err = w.Write(data)
		return err
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
