package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Files are the files of one configuration, read once and held in memory.
type Files struct {
	content map[string][]byte
	digest  string
}

// Open reads exactly the files that dir's manifest lists, never the folder. A mounted ConfigMap or Secret is
// swapped by its "..data" link; it is resolved once, so that all files are of one version.
// Open reports every file that is missing or is not the one listed; Digest is computed from what was read.
func Open(dir string) (*Files, error) {
	root := dir
	data, err := filepath.EvalSymlinks(filepath.Join(dir, "..data"))
	switch {
	case err == nil:
		root = data
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("open config %s: %w", dir, err)
	}
	text, err := os.ReadFile(filepath.Join(root, Name))
	if err != nil {
		return nil, fmt.Errorf("open config: %w", err)
	}
	entries, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("open config %s: %w", dir, err)
	}
	files := &Files{content: make(map[string][]byte, len(entries))}
	var problems []error
	for i, e := range entries {
		content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(e.Path)))
		if err != nil {
			problems = append(problems, err)
			continue
		}
		got := File(e.Path, content)
		if e.Secret != "" {
			got = SecretFile(e.Path, content, e.Secret)
		}
		if got != e {
			problems = append(problems, fmt.Errorf("%s is not the file that the manifest lists", e.Path))
		}
		entries[i], files.content[e.Path] = got, content
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("open config %s: %w", dir, err)
	}
	loaded, err := Build(entries)
	if err != nil {
		return nil, err
	}
	files.digest = Digest(loaded)
	return files, nil
}

// Exists tells whether dir has a manifest: it was made by egk8s, and only listed files count.
func Exists(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, Name))
	return err == nil
}

// Digest names the files that were read.
func (f *Files) Digest() string { return f.digest }

// ReadFile returns the content of a listed file, else an error that is fs.ErrNotExist. The caller must not change it.
func (f *Files) ReadFile(name string) ([]byte, error) {
	content, ok := f.content[name]
	if !ok {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist}
	}
	return bytes.Clone(content), nil
}

// Paths returns the listed paths, sorted.
func (f *Files) Paths() []string { return slices.Sorted(maps.Keys(f.content)) }
