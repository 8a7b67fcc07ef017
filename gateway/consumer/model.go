package consumer

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed models/*.json
var defaultModels embed.FS

// Models are the three editable JSON schemas of Express Gateway's models folder.
type Models struct {
	Users, Applications *Model
	// Credentials has one model per credential type; a type without one cannot be created.
	Credentials map[CredentialType]*Model
	raw         map[string]any
}

// Model is one schema with what the rules need of it.
type Model struct {
	schema     *jsonschema.Schema
	properties map[string]property
	required   []string
}

type property struct {
	types     []string
	fallback  any // the schema's default; nil: none
	immutable bool
}

// ModelFiles are the names that ParseModels looks for.
func ModelFiles() []string { return []string{"users.json", "applications.json", "credentials.json"} }

// ParseModels reads models/*.json by file name; a file that is not given is Express Gateway's own.
func ParseModels(files map[string][]byte) (*Models, error) {
	m := &Models{raw: map[string]any{}, Credentials: map[CredentialType]*Model{}}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft7)
	compiler.AssertFormat()
	ids := map[string]string{}
	for _, name := range ModelFiles() {
		doc, err := readModel(files, name)
		if err != nil {
			return nil, err
		}
		ids[name], _ = doc["$id"].(string)
		if ids[name] == "" {
			ids[name] = "http://express-gateway.io/models/" + name
		}
		if err := compiler.AddResource(ids[name], doc); err != nil {
			return nil, fmt.Errorf("read models/%s: %w", name, err)
		}
		m.raw[name] = doc
	}
	return m, m.compile(compiler, ids)
}

// DefaultModels are Express Gateway's own models.
func DefaultModels() (*Models, error) { return ParseModels(nil) }

// Raw returns the model file as read, for the Admin API; do not change it.
func (m *Models) Raw(file string) any { return m.raw[file] }

func readModel(files map[string][]byte, name string) (map[string]any, error) {
	text, given := files[name]
	if !given {
		var err error
		if text, err = defaultModels.ReadFile("models/" + name); err != nil {
			return nil, err
		}
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read models/%s: %w", name, err)
	}
	object, ok := doc.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("read models/%s: a JSON object is needed", name)
	}
	return object, nil
}

func (m *Models) compile(compiler *jsonschema.Compiler, ids map[string]string) error {
	one := func(file, fragment string, node any) (*Model, error) {
		schema, err := compiler.Compile(ids[file] + fragment)
		if err != nil {
			return nil, fmt.Errorf("read models/%s: %w", file, err)
		}
		model := &Model{schema: schema, properties: map[string]property{}}
		model.collect(m.raw[file], node, 0)
		return model, nil
	}
	var err error
	if m.Users, err = one("users.json", "", m.raw["users.json"]); err != nil {
		return err
	}
	if m.Applications, err = one("applications.json", "", m.raw["applications.json"]); err != nil {
		return err
	}
	doc, _ := m.raw["credentials.json"].(map[string]any)
	types, _ := doc["properties"].(map[string]any)
	for name, node := range types {
		model, err := one("credentials.json", "#/properties/"+name, node)
		if err != nil {
			return err
		}
		m.Credentials[CredentialType(name)] = model
	}
	return nil
}

// collect gathers the properties of a schema with those of its allOf and local $ref.
func (m *Model) collect(root, node any, depth int) {
	object, ok := node.(map[string]any)
	if !ok || depth > 8 {
		return
	}
	if ref, ok := object["$ref"].(string); ok {
		m.collect(root, follow(root, ref), depth+1)
	}
	all, _ := object["allOf"].([]any)
	for _, part := range all {
		m.collect(root, part, depth+1)
	}
	required, _ := object["required"].([]any)
	for _, name := range required {
		if text, ok := name.(string); ok {
			m.required = append(m.required, text)
		}
	}
	properties, _ := object["properties"].(map[string]any)
	for name, node := range properties {
		m.properties[name] = newProperty(node)
	}
}

func newProperty(node any) property {
	object, _ := node.(map[string]any)
	p := property{fallback: object["default"], immutable: object["isMutable"] == false}
	switch t := object["type"].(type) {
	case string:
		p.types = []string{t}
	case []any:
		for _, one := range t {
			if text, ok := one.(string); ok {
				p.types = append(p.types, text)
			}
		}
	}
	return p
}

// follow resolves a reference inside the same document.
func follow(root any, ref string) any {
	path, local := strings.CutPrefix(ref, "#/")
	if !local {
		return nil
	}
	node := root
	for part := range strings.SplitSeq(path, "/") {
		object, ok := node.(map[string]any)
		if !ok {
			return nil
		}
		node = object[part]
	}
	return node
}

// Has tells whether the model knows a property.
func (m *Model) Has(name string) bool {
	_, ok := m.properties[name]
	return ok
}

// Mutable tells whether an update may change a property: false only where the model says
// "isMutable": false.
func (m *Model) Mutable(name string) bool { return !m.properties[name].immutable }

// Requires tells whether the model's required list names a property.
func (m *Model) Requires(name string) bool { return slices.Contains(m.required, name) }

// Required are the properties that the model's required list names.
func (m *Model) Required() []string { return slices.Clone(m.required) }

// Default returns a property's default, nil where it has none.
func (m *Model) Default(name string) any { return m.properties[name].fallback }

// Check validates fields and returns them with defaults filled in and scalars coerced to the
// type that the model asks for, as Express Gateway's validator does.
func (m *Model) Check(fields map[string]any) (map[string]any, error) {
	out := maps.Clone(fields)
	if out == nil {
		out = map[string]any{}
	}
	for name, p := range m.properties {
		value, given := out[name]
		switch {
		case !given && p.fallback != nil:
			out[name] = plain(p.fallback)
		case given:
			out[name] = coerce(value, p.types)
		}
	}
	if err := m.schema.Validate(out); err != nil {
		return nil, &Error{Class: Invalid, Message: schemaMessage(err)}
	}
	return out, nil
}

// plain turns the schema reader's number into a float, as JSON bodies have them.
func plain(v any) any {
	if n, ok := v.(json.Number); ok {
		if f, err := n.Float64(); err == nil {
			return f
		}
	}
	return v
}
