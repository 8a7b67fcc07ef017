package initcmd

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/deployer/project"
)

// write writes all files or none: what it made is removed again when one cannot be written.
func write(dir string, files []project.NewFile, force bool) error {
	if !force {
		if there := existing(dir, files); len(there) > 0 {
			return &exit.UsageError{
				Message: "nothing was written: " + strings.Join(there, ", ") + " already there",
				Hint:    []string{"choose another folder, or overwrite with --force"},
			}
		}
	}
	made := []string{}
	undo := func(err error) error {
		for _, path := range slices.Backward(made) {
			err = errors.Join(err, os.Remove(path))
		}
		return &exit.UsageError{Message: fmt.Sprintf("nothing was written: %v", err)}
	}
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f.Path))
		folders, err := makeFolders(filepath.Dir(path))
		made = append(made, folders...)
		if err != nil {
			return undo(err)
		}
		_, err = os.Lstat(path)
		isNew := errors.Is(err, fs.ErrNotExist)
		if err := os.WriteFile(path, f.Data, cmp.Or(f.Mode, 0o644)|0o200); err != nil {
			return undo(err)
		}
		if isNew {
			made = append(made, path)
		}
	}
	return nil
}

func existing(dir string, files []project.NewFile) []string {
	there := []string{}
	for _, f := range files {
		if _, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(f.Path))); err == nil {
			there = append(there, f.Path)
		}
	}
	return there
}

// makeFolders makes a folder with its parents and returns those that did not exist.
func makeFolders(dir string) (made []string, err error) {
	if _, err := os.Stat(dir); err == nil {
		return nil, nil
	}
	if parent := filepath.Dir(dir); parent != dir {
		if made, err = makeFolders(parent); err != nil {
			return made, err
		}
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return made, err
	}
	return append(made, dir), nil
}

// report says what was written, how to get it without questions, and what to do next.
func (o *Options) report(files []project.NewFile) error {
	var b strings.Builder
	if o.adopted {
		fmt.Fprintf(&b, "Kept     %s\n", filepath.Join(o.Dir, "config"))
	}
	for _, f := range files {
		fmt.Fprintf(&b, "Created  %s\n", filepath.Join(o.Dir, filepath.FromSlash(f.Path)))
	}
	if err := o.deviations(&b); err != nil {
		return err
	}
	o.findings(&b)
	words := []string{"egk8s", "init"}
	if o.Dir != "." {
		words = append(words, o.Dir)
	}
	for _, flag := range []struct{ name, value string }{
		{"--from", o.From}, {"--name", o.Name}, {"--cloud", o.Cloud}, {"--repository", o.Repository}, {"--pipeline", o.Pipeline},
	} {
		if flag.value != "" && flag.value != none {
			words = append(words, flag.name, flag.value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.Upstreams)) {
		words = append(words, "--upstream", name+"="+o.Upstreams[name])
	}
	if o.MoveSecrets {
		words = append(words, "--move-secrets")
	}
	fmt.Fprintf(&b, "Without questions:  %s --no-input\n", strings.Join(words, " "))
	next := "egk8s validate && egk8s deploy"
	if o.Dir != "." {
		next = "cd " + o.Dir + " && " + next
	}
	fmt.Fprintf(&b, "Next:  %s\n", next)
	_, err := fmt.Fprint(o.App.IO.Out, b.String())
	return err
}

// deviations adds how the gateway treats files that Express Gateway had otherwise.
func (o *Options) deviations(b *strings.Builder) error {
	if !o.adopted && o.From == "" {
		return nil
	}
	folder := filepath.Join(o.Dir, "config")
	lines, err := project.Deviations(folder, folder)
	for _, line := range lines {
		fmt.Fprintf(b, "Differs  %s\n", line)
	}
	if len(lines) > 0 {
		b.WriteString("         egk8s help differences explains each\n")
	}
	return err
}
