package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"

	"egk8s.dev/egk8s/gateway/config/schema"
	"egk8s.dev/egk8s/gateway/diag"
)

// loadModels reads models/*.json, plain JSON without variables. All three are required.
func (l *loader) loadModels() {
	l.cfg.Models = Models{
		Users:        l.model("models/users.json"),
		Credentials:  l.model("models/credentials.json"),
		Applications: l.model("models/applications.json"),
	}
}

func (l *loader) model(file string) *schema.Schema {
	fail := func(code, message string, offset int64, text string) *schema.Schema {
		p := diag.Problem{Code: code, Severity: diag.Error, Position: diag.Position{File: file}, Message: message}
		if text != "" {
			p.Position = positionAt(file, text, int(max(offset-1, 0)))
		}
		l.problem(p)
		return nil
	}
	content, err := l.files.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fail("missing-file", file+" is missing: Express Gateway does not start without it", 0, "")
	case err != nil:
		return fail("unreadable-file", "cannot be read: "+cause(err), 0, "")
	}
	content = bytes.TrimPrefix(content, []byte("\ufeff")) // EG: as node reads JSON
	var doc map[string]any
	if err := json.Unmarshal(content, &doc); err != nil {
		var se *json.SyntaxError
		var te *json.UnmarshalTypeError
		switch {
		case errors.As(err, &se):
			return fail("json-syntax", "not JSON: "+se.Error(), se.Offset, string(content))
		case errors.As(err, &te):
			return fail("invalid-value", "a model must be a JSON object", te.Offset, string(content))
		}
		return fail("json-syntax", "not JSON: "+err.Error(), 1, string(content))
	}
	if id, _ := doc["$id"].(string); id == "" {
		return fail("missing-key", `a model needs "$id"`, 1, string(content))
	}
	s, err := schema.Compile(doc)
	if err != nil {
		return fail("invalid-schema", err.Error(), 1, string(content))
	}
	return s
}
