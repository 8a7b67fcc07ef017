package render

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/render"
)

// mark begins every file that we write, so that a later render can remove those it does not write
// any more: names of config objects change with their content.
const mark = "# Written by egk8s render; changes here are lost.\n"

// writeFolder writes the objects as files.
func (o *Options) writeFolder(r *deployer.Rendering) error {
	files, err := r.Folder(o.Renderer == "kustomize")
	if err != nil {
		return err
	}
	if err := replace(o.Out, files); err != nil {
		return &exit.UsageError{Message: fmt.Sprintf("write %s: %v", o.Out, err)}
	}
	for _, f := range files {
		if _, err := fmt.Fprintln(o.App.IO.Out, filepath.Join(o.Out, filepath.FromSlash(f.Path))); err != nil {
			return err
		}
	}
	return nil
}

// replace writes the files into the folder and removes files of an earlier render. A file that we did
// not write is never touched.
func replace(dir string, files []render.OutFile) error {
	wanted := map[string]bool{}
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f.Path))
		wanted[path] = true
		switch ours, err := isOurs(path); {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case !ours:
			return fmt.Errorf("%s is there and was not written by egk8s render", f.Path)
		}
	}
	if err := removeStale(wanted); err != nil {
		return err
	}
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		// Objects may hold secrets, so the files are for their owner only.
		if err := os.WriteFile(path, append([]byte(mark), f.Data...), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// removeStale removes what an earlier render wrote into the same folders and this one does not: the
// overlays of other clouds stay.
func removeStale(wanted map[string]bool) error {
	folders := map[string]bool{}
	for path := range wanted {
		folders[filepath.Dir(path)] = true
	}
	for folder := range folders {
		paths, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
		if err != nil {
			return err
		}
		for _, path := range paths {
			if wanted[path] {
				continue
			}
			ours, err := isOurs(path)
			if err == nil && ours {
				err = os.Remove(path)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func isOurs(path string) (bool, error) {
	data, err := os.ReadFile(path)
	return bytes.HasPrefix(data, []byte(mark)), err
}
