package policy

import (
	"bytes"
	"encoding/json"
)

// jsonText is JSON as JSON.stringify writes it: without escapes for HTML, and without a line end.
func jsonText(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
