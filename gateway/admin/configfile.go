package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/config/edit"
	"egk8s.dev/egk8s/gateway/diag"
)

// ConfigFile is the ConfigWriter of a gateway that runs on its own: it changes gateway.config.yml (or
// .json) in a folder, one change at a time, and only to a configuration that loads. The running
// gateway sees the change through its watcher, or is told by Written.
type ConfigFile struct {
	// Dir is the configuration folder.
	Dir string
	// Check loads the configuration that files hold and says what is wrong with it.
	Check func(files config.FileReader) diag.Problems
	// Written is told of each change after it is in the file; nil: nobody is.
	Written func(context.Context)

	mu sync.Mutex
}

// ReadOnlyConfigError is a file that may not be written.
type ReadOnlyConfigError struct{ Err error }

// Error says why the file cannot be written.
func (e *ReadOnlyConfigError) Error() string {
	return "the configuration cannot be changed here: " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *ReadOnlyConfigError) Unwrap() error { return e.Err }

// Set puts value under name in a section; the section Policies is a list of names, and value is not used.
func (f *ConfigFile) Set(ctx context.Context, s Section, name string, value any) (created bool, err error) {
	err = f.change(ctx, func(text string, isJSON bool) (string, error) {
		if s == Policies {
			return addPolicy(text, name, isJSON)
		}
		if isJSON {
			return editJSON(text, func(doc map[string]any) {
				entries, _ := doc[string(s)].(map[string]any)
				if entries == nil {
					entries = map[string]any{}
				}
				_, known := entries[name]
				created = !known
				entries[name], doc[string(s)] = value, entries
			})
		}
		var out string
		var err error
		out, created, err = edit.Set(text, string(s), name, value)
		return out, err
	})
	return created, err
}

func addPolicy(text, name string, isJSON bool) (string, error) {
	if !isJSON {
		return edit.AddItem(text, string(Policies), name)
	}
	return editJSON(text, func(doc map[string]any) {
		list, _ := doc[string(Policies)].([]any)
		if !slices.Contains(list, any(name)) {
			doc[string(Policies)] = append(list, name)
		}
	})
}

// Delete removes name from a section.
func (f *ConfigFile) Delete(ctx context.Context, s Section, name string) error {
	return f.change(ctx, func(text string, isJSON bool) (string, error) {
		switch {
		case isJSON:
			return editJSON(text, func(doc map[string]any) {
				if entries, ok := doc[string(s)].(map[string]any); ok {
					delete(entries, name)
				}
				if list, ok := doc[string(s)].([]any); ok {
					doc[string(s)] = slices.DeleteFunc(list, func(have any) bool { return have == name })
				}
			})
		case s == Policies:
			return edit.RemoveItem(text, string(s), name)
		default:
			return edit.Delete(text, string(s), name)
		}
	})
}

func editJSON(text string, change func(map[string]any)) (string, error) {
	doc := map[string]any{}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return "", fmt.Errorf("read gateway config: %w", err)
	}
	change(doc)
	out, err := json.MarshalIndent(doc, "", "  ")
	return string(out) + "\n", err
}

// change rewrites the file when the result loads.
func (f *ConfigFile) change(ctx context.Context, rewrite func(text string, isJSON bool) (string, error)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	name := "gateway.config.yml"
	text, err := os.ReadFile(filepath.Join(f.Dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		name = "gateway.config.json"
		text, err = os.ReadFile(filepath.Join(f.Dir, name))
	}
	if err != nil {
		return fmt.Errorf("read gateway config: %w", err)
	}
	next, err := rewrite(string(text), strings.HasSuffix(name, ".json"))
	if errors.Is(err, edit.ErrForm) {
		return &ReadOnlyConfigError{err}
	}
	if err != nil {
		return err
	}
	if next == string(text) {
		return nil
	}
	if problems := f.Check(&overlay{dir: f.Dir, name: name, text: []byte(next)}); problems.HasErrors() {
		return &InvalidConfigError{problems.Error()}
	}
	if err := f.write(filepath.Join(f.Dir, name), []byte(next)); err != nil {
		return err
	}
	if f.Written != nil {
		f.Written(ctx)
	}
	return nil
}

// write replaces the file in one step where the folder allows it, else in place: a file that is
// mounted by itself cannot be replaced.
func (f *ConfigFile) write(path string, text []byte) error {
	info, err := os.Stat(path)
	if err != nil {
		return &ReadOnlyConfigError{err}
	}
	temp, err := os.CreateTemp(f.Dir, ".gateway.config-*")
	if err == nil {
		_, err = temp.Write(text)
		err = errors.Join(err, temp.Chmod(info.Mode().Perm()), temp.Close())
		if err == nil {
			err = os.Rename(temp.Name(), path)
		}
		if err == nil {
			return nil
		}
		_ = os.Remove(temp.Name())
	}
	if err := os.WriteFile(path, text, info.Mode().Perm()); err != nil {
		return &ReadOnlyConfigError{err}
	}
	return nil
}

// overlay is the folder with one file replaced.
type overlay struct {
	dir, name string
	text      []byte
}

// ReadFile reads a file of the folder, or the replaced one.
func (o *overlay) ReadFile(path string) ([]byte, error) {
	if path == o.name {
		return o.text, nil
	}
	return os.ReadFile(filepath.Join(o.dir, filepath.FromSlash(path)))
}
