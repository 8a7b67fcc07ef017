package conformance

import (
	"bytes"
	"encoding/json"
)

// decodeStrict refuses unknown keys, so that a new kind of step is noticed.
func decodeStrict(text []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}
