package consumer

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"egk8s.dev/egk8s/gateway/config/schema"
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
	schema     *schema.Schema
	properties map[string]property
	required   []string
}

type property struct {
	fallback  any // the schema's default; nil: none
	immutable bool
}

// ModelFiles are the names that ParseModels looks for.
func ModelFiles() []string { return []string{"users.json", "applications.json", "credentials.json"} }

// ParseModels reads models/*.json by file name; a file that is not given is Express Gateway's own.
func ParseModels(files map[string][]byte) (*Models, error) {
	m := &Models{raw: map[string]any{}, Credentials: map[CredentialType]*Model{}}
	compiled := map[string]*schema.Schema{}
	for _, name := range ModelFiles() {
		doc, err := readModel(files, name)
		if err != nil {
			return nil, err
		}
		if compiled[name], err = schema.Compile(doc); err != nil {
			return nil, fmt.Errorf("read models/%s: %w", name, err)
		}
		m.raw[name] = doc
	}
	m.Users = m.model("users.json", compiled["users.json"], m.raw["users.json"])
	m.Applications = m.model("applications.json", compiled["applications.json"], m.raw["applications.json"])
	doc, _ := m.raw["credentials.json"].(map[string]any)
	types, _ := doc["properties"].(map[string]any)
	for name, node := range types {
		m.Credentials[CredentialType(name)] = m.model("credentials.json", compiled["credentials.json"].Property(name), node)
	}
	return m, nil
}

func (m *Models) model(file string, s *schema.Schema, node any) *Model {
	model := &Model{schema: s, properties: map[string]property{}}
	model.collect(m.raw[file], node, 0)
	return model
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
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("read models/%s: %w", name, err)
	}
	return doc, nil
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
	return property{fallback: object["default"], immutable: object["isMutable"] == false}
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
	if fields == nil {
		fields = map[string]any{}
	}
	value, violations := m.schema.Validate(fields)
	if len(violations) > 0 {
		return nil, &Error{Class: Invalid, Message: violationText(violations)}
	}
	out, _ := value.(map[string]any)
	return out, nil
}

// violationText says every broken rule in the manner of Express Gateway, sorted so that one input
// gives one text.
func violationText(violations []schema.Violation) string {
	lines := make([]string, len(violations))
	for i, v := range violations {
		where := strings.Join(append([]string{"data"}, v.Path...), ".")
		lines[i] = where + " " + v.Message
		if name, missing := strings.CutPrefix(v.Message, "needs "); missing && v.Code == "required" {
			lines[i] = where + " should have required property '" + strings.Trim(name, `"`) + "'"
		}
	}
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), ", ")
}
