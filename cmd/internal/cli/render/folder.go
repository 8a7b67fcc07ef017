package render

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/deployer/render"
)

// mark begins every file that we write, so that a later render can remove those it does not write
// any more: names of config objects change with their content.
const mark = "# Written by egk8s render; changes here are lost.\n"

// writeFolder writes a file per object, and what kustomize needs to build them.
func (o *Options) writeFolder(objects []*unstructured.Unstructured) error {
	files := map[string][]byte{}
	names := []string{}
	for _, u := range objects {
		name := strings.ToLower(u.GetKind()) + "-" + u.GetName() + ".yaml"
		data, err := render.YAML([]*unstructured.Unstructured{u})
		if err != nil {
			return err
		}
		files[name] = append([]byte(mark), bytes.TrimPrefix(data, []byte("---\n"))...)
		names = append(names, name)
	}
	if o.Renderer == "kustomize" {
		files["kustomization.yaml"] = kustomization(names)
	}
	if err := replace(o.Out, files); err != nil {
		return &exit.UsageError{Message: fmt.Sprintf("write %s: %v", o.Out, err)}
	}
	for _, name := range names {
		if _, err := fmt.Fprintln(o.App.IO.Out, filepath.Join(o.Out, name)); err != nil {
			return err
		}
	}
	return nil
}

func kustomization(names []string) []byte {
	var b bytes.Buffer
	b.WriteString(mark + "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n")
	for _, name := range names {
		fmt.Fprintf(&b, "- %s\n", name)
	}
	return b.Bytes()
}

// replace writes the files into the folder and removes files of an earlier render. A file that we did
// not write is never touched.
func replace(dir string, files map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		ours, err := isOurs(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		_, wanted := files[e.Name()]
		switch {
		case wanted && !ours:
			return fmt.Errorf("%s is there and was not written by egk8s render", e.Name())
		case ours && !wanted:
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func isOurs(path string) (bool, error) {
	if filepath.Ext(path) != ".yaml" {
		return false, nil
	}
	data, err := os.ReadFile(path)
	return bytes.HasPrefix(data, []byte(mark)), err
}
