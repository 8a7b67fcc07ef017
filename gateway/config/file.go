package config

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"egk8s.dev/egk8s/gateway/config/schema"
	"egk8s.dev/egk8s/gateway/config/yaml"
	"egk8s.dev/egk8s/gateway/diag"
)

// fileSchemas hold what Express Gateway asks of the two files.
//
//go:embed schemas/*.json
var fileSchemas embed.FS

func fileSchema(name string) (*schema.Schema, error) {
	text, err := fileSchemas.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read embedded schema: %w", err)
	}
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("read embedded schema %s: %w", name, err)
	}
	return schema.Compile(doc)
}

// dirReader reads from a folder.
type dirReader string

// ReadFile reads a file below the folder.
func (d dirReader) ReadFile(path string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(d), filepath.FromSlash(path)))
}

// tree is one file: its nodes with places, and its value after coercion and defaults.
type tree struct {
	src   *source
	root  *yaml.Node
	value any
}

// read reads base.yml, or base.json when there is no such file, as Express Gateway does. nil: a problem was reported.
func (l *loader) read(base string) *tree {
	s, err := fileSchema("schemas/" + base + ".json")
	if err != nil {
		l.problem(diag.Problem{Code: "internal", Severity: diag.Error, Message: err.Error()})
		return nil
	}
	file, text, ok := l.readEither(base+".yml", base+".json")
	if !ok {
		return nil
	}
	src, warnings := newSource(file, text, l.opts)
	l.remember(src)
	l.problem(warnings...)
	if !utf8.ValidString(text) {
		src.text = strings.ToValidUTF8(src.text, "\ufffd") // as JavaScript reads it
	}
	root, err := yaml.Parse(src.text)
	if err != nil {
		l.syntaxProblem(src, err)
		return nil
	}
	value, err := root.Any(src.scalar)
	if err != nil {
		l.syntaxProblem(src, err)
		return nil
	}
	t := &tree{src: src, root: root}
	if base == "gateway.config" {
		l.overrideUpstreams(t, value)
	}
	var violations []schema.Violation
	t.value, violations = s.Validate(value)
	for _, v := range violations {
		l.violation(t, t.fileProblem(v), v, t.root)
	}
	return t
}

func (l *loader) readEither(names ...string) (file, text string, ok bool) {
	for _, name := range names {
		content, err := l.files.ReadFile(name)
		if err == nil {
			return name, string(content), true
		}
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			l.problem(diag.Problem{Code: "unreadable-file", Severity: diag.Error, Position: diag.Position{File: name}, Message: "cannot be read: " + cause(err)})
			return "", "", false
		}
	}
	l.problem(diag.Problem{
		Code: "missing-file", Severity: diag.Error, Position: diag.Position{File: names[0]},
		Message: strings.Join(names, " or ") + " is missing",
		Hint:    missingHint(names[0]),
	})
	return "", "", false
}

// missingHint says how to come by a file that is not there.
func missingHint(name string) string {
	if strings.HasPrefix(name, "system.config") {
		return "Express Gateway does not start without it: copy it too; where there is nothing to say, the line db: {redis: {emulate: true}} is enough"
	}
	return "this has to be a folder of Express Gateway's files: gateway.config.yml, system.config.yml and models"
}

// cause leaves out the path, which the position says.
func cause(err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err.Error()
	}
	return err.Error()
}

// scalar gives a scalar with an unknown variable in it the value Unknown.
func (s *source) scalar(n *yaml.Node) (any, bool) {
	text, ok := n.Value.(string)
	if !ok || !strings.ContainsRune(text, unknownOpen) {
		return nil, false
	}
	return schema.Unknown{Text: strings.NewReplacer(string(unknownOpen), "${", string(unknownClose), "}").Replace(text)}, true
}

func (l *loader) syntaxProblem(src *source, err error) {
	p := diag.Problem{Code: "yaml-syntax", Severity: diag.Error, Position: diag.Position{File: src.file}, Message: err.Error()}
	if e, ok := errors.AsType[*yaml.Error](err); ok {
		p.Code, p.Hint = e.Code, e.Hint
		p.Position = src.position(e.Offset)
		p.Length = src.length(e.Offset, e.Offset+max(e.Length, 1))
		if src.piece(e.Offset).name != "" && p.Hint == "" {
			p.Hint = "look at the value of the variable: it is put in before the file is read as YAML"
		}
	}
	l.problem(p)
}
