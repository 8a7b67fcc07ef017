package project

import (
	"embed"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"

	"egk8s.dev/egk8s/deployer/strictyaml"
)

// sources hold the types of egk8s.yaml: their comments are the descriptions of the schema.
//
//go:embed project.go load.go pod.go store.go
var sources embed.FS

// SchemaID names the schema of egk8s.yaml.
const SchemaID = "https://egk8s.dev/schema/v1alpha1/egk8s.yaml.json"

// Schema returns the JSON Schema (2020-12) of egk8s.yaml: it takes what the strict decoder takes. What values mean
// together, as a port that is used twice, validate says.
func Schema() ([]byte, error) {
	s := &schemas{comments: map[string]string{}}
	if err := s.readComments(); err != nil {
		return nil, fmt.Errorf("make the schema: %w", err)
	}
	root := s.of(reflect.TypeFor[file]())
	root["$schema"], root["$id"] = "https://json-schema.org/draft/2020-12/schema", SchemaID
	root["title"] = "egk8s.yaml"
	root["description"] = "What Kubernetes needs to know about a gateway."
	root["type"] = "object"
	root["required"] = []string{"apiVersion", "kind", "metadata"}
	properties := root["properties"].(map[string]any)
	properties["apiVersion"] = map[string]any{"const": APIVersion}
	properties["kind"] = map[string]any{"const": Kind}
	metadata := properties["metadata"].(map[string]any)
	metadata["type"], metadata["required"] = "object", []string{"name"}
	metadata["properties"].(map[string]any)["name"] = map[string]any{
		"type": []string{"string", "boolean"}, "pattern": labelName.String(), "maxLength": MaxName,
		"description": "Name of the release and beginning of every object's name.",
	}
	out, err := json.MarshalIndent(root, "", "  ")
	return append(out, '\n'), err
}

// schemas turns Go types into schemas.
type schemas struct{ comments map[string]string }

// of follows what the decoder of strictyaml accepts: null removes a value anywhere, and a text may be written as any
// scalar.
func (s *schemas) of(t reflect.Type) map[string]any {
	switch t.Kind() {
	case reflect.Pointer:
		return s.of(t.Elem())
	case reflect.Struct:
		return s.structure(t)
	case reflect.Map:
		return map[string]any{"type": []string{"object", "null"}, "additionalProperties": s.of(t.Elem())}
	case reflect.Slice:
		return map[string]any{"type": []string{"array", "null"}, "items": s.of(t.Elem())}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": []string{"integer", "null"}}
	case reflect.Bool:
		return map[string]any{"type": []string{"boolean", "null"}}
	case reflect.String:
		return map[string]any{"type": []string{"string", "number", "boolean", "null"}}
	default:
		return map[string]any{}
	}
}

func (s *schemas) structure(t reflect.Type) map[string]any {
	properties := map[string]any{}
	for name, field := range strictyaml.Fields(t) {
		property := s.of(field.Type)
		owner := t
		if len(field.Index) > 1 { // of an embedded struct
			owner = t.FieldByIndex(field.Index[:len(field.Index)-1]).Type
		}
		if text := s.comments[owner.Name()+"."+field.Name]; text != "" {
			property["description"] = text
		}
		properties[name] = property
	}
	object := map[string]any{"type": []string{"object", "null"}, "additionalProperties": false, "properties": properties}
	if short, ok := strictyaml.Short(t); ok {
		return map[string]any{"anyOf": []any{s.of(t.FieldByIndex(short).Type), object}}
	}
	return object
}

// readComments collects the comments of struct fields, and those of a field's type where it has none.
func (s *schemas) readComments() error {
	entries, err := sources.ReadDir(".")
	if err != nil {
		return err
	}
	types := map[string]string{}
	var fields []func()
	for _, entry := range entries {
		text, err := sources.ReadFile(entry.Name())
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), entry.Name(), text, parser.ParseComments)
		if err != nil {
			return err
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			decl, ok := n.(*ast.GenDecl)
			if !ok || len(decl.Specs) != 1 {
				return true
			}
			spec, ok := decl.Specs[0].(*ast.TypeSpec)
			if !ok {
				return true
			}
			types[spec.Name.Name] = sentence(decl.Doc.Text())
			if st, ok := spec.Type.(*ast.StructType); ok {
				fields = append(fields, func() { s.fields(spec.Name.Name, st, types) })
			}
			return true
		})
	}
	for _, f := range fields {
		f()
	}
	return nil
}

func (s *schemas) fields(owner string, st *ast.StructType, types map[string]string) {
	for _, field := range st.Fields.List {
		text := sentence(field.Doc.Text())
		if text == "" {
			text = sentence(field.Comment.Text())
		}
		if name, ok := field.Type.(*ast.Ident); ok && text == "" {
			text = types[name.Name]
		}
		for _, name := range field.Names {
			s.comments[owner+"."+name.Name] = text
		}
	}
}

// sentence makes one line of a comment.
func sentence(comment string) string { return strings.Join(strings.Fields(comment), " ") }
