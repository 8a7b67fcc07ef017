package project

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"text/template"

	"egk8s.dev/egk8s/templates"
)

// ScaffoldOptions say what a new project is.
type ScaffoldOptions struct {
	Name       string // RFC 1035, at most MaxName characters
	Cloud      string // written as the default; empty: detected at every deploy
	Repository string // where the image is pushed; empty: none
	// NeedsRepository is true for a cloud whose nodes pull from a registry; without Repository the
	// file then shows where to write one, with ExampleRepository.
	NeedsRepository   bool
	ExampleRepository string
	// Adopt is true when config/ is there already, with Express Gateway's own files: only egk8s.yaml, the
	// models and the pipeline are made, and nothing is assumed of what the gateway serves.
	Adopt    bool
	Found    Found  // with Adopt: what is known of its deployment
	Pipeline string // a folder of templates/ci: github, gitlab, …; empty or none: no pipeline
}

// NewFile is one file that a scaffold consists of.
type NewFile struct {
	Path string // relative to the project's folder, with slashes
	Data []byte
	Mode fs.FileMode // 0: as files usually are
}

// CheckName tells why a release cannot have that name.
func CheckName(name string) error {
	if !labelName.MatchString(name) || len(name) > MaxName {
		return fmt.Errorf("%q is no name for a release: it takes lower-case letters, digits and -, begins with a letter and has at most %d characters",
			name, MaxName)
	}
	return nil
}

// Scaffold makes the files of a new project, sorted by path; it writes nothing.
func Scaffold(opts ScaffoldOptions) ([]NewFile, error) {
	if err := CheckName(opts.Name); err != nil {
		return nil, err
	}
	if opts.ExampleRepository == "" {
		opts.ExampleRepository = "registry.example.com/" + opts.Name + "/gateway"
	}
	files, err := filled("project", opts)
	if err != nil {
		return nil, err
	}
	if opts.Adopt {
		files = slices.DeleteFunc(files, func(f NewFile) bool {
			return strings.HasPrefix(f.Path, "config/") && !strings.HasPrefix(f.Path, "config/models/")
		})
	}
	if opts.Pipeline != "" && opts.Pipeline != "none" {
		pipeline, err := filled("ci/"+opts.Pipeline, opts)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("no pipeline for %q; known: %s", opts.Pipeline, strings.Join(Pipelines(), ", "))
		}
		if err != nil {
			return nil, err
		}
		files = append(files, pipeline...)
	}
	slices.SortFunc(files, func(a, b NewFile) int { return strings.Compare(a.Path, b.Path) })
	return files, nil
}

// Pipelines are the CI systems that a scaffold can write a pipeline for.
func Pipelines() []string {
	entries, err := templates.FS.ReadDir("ci")
	if err != nil {
		return nil
	}
	var names []string
	for _, entry := range entries {
		if entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names
}

// filled are the files below a folder of the templates. egk8s.yaml and gateway.config.yml are Go
// templates over the options; in all others {{ and }} mean what they mean to their own readers.
func filled(root string, opts ScaffoldOptions) ([]NewFile, error) {
	var files []NewFile
	err := fs.WalkDir(templates.FS, root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := templates.FS.ReadFile(name)
		if err != nil {
			return err
		}
		if base := path.Base(name); base == "egk8s.yaml" || base == "gateway.config.yml" {
			if data, err = fill(name, data, opts); err != nil {
				return err
			}
		}
		files = append(files, NewFile{Path: strings.TrimPrefix(name, root+"/"), Data: data})
		return nil
	})
	return files, err
}

func fill(name string, text []byte, opts ScaffoldOptions) ([]byte, error) {
	t, err := template.New(name).Funcs(template.FuncMap{"quoted": quoted}).Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("parse template: %w", err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, opts); err != nil {
		return nil, fmt.Errorf("fill template: %w", err)
	}
	return out.Bytes(), nil
}
