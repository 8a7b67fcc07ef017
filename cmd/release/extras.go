package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra/doc"

	"egk8s.dev/egk8s/cmd/internal/cli"
	"egk8s.dev/egk8s/cmd/internal/cli/app"
)

// licenceAndReadme is how many of the extras are for any program.
const licenceAndReadme = 2

// extras are the files beside the program: LICENSE and README.md first, then completions and manual pages.
func (r *release) extras() ([]entry, error) {
	var entries []entry
	for _, name := range []string{"LICENSE", "README.md"} {
		data, err := os.ReadFile(filepath.Join(r.root, name))
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{Name: name, Mode: 0o644, Data: data})
	}
	root := cli.NewRoot(app.New(func(string) string { return "" }))
	for _, shell := range []struct {
		file  string
		write func(io.Writer) error
	}{
		{"egk8s.bash", func(w io.Writer) error { return root.GenBashCompletionV2(w, true) }},
		{"egk8s.zsh", root.GenZshCompletion},
		{"egk8s.fish", func(w io.Writer) error { return root.GenFishCompletion(w, true) }},
		{"egk8s.ps1", root.GenPowerShellCompletionWithDesc},
	} {
		var text bytes.Buffer
		if err := shell.write(&text); err != nil {
			return nil, err
		}
		entries = append(entries, entry{Name: "completions/" + shell.file, Mode: 0o644, Data: text.Bytes()})
	}
	manual := filepath.Join(r.work, "man")
	if err := os.MkdirAll(manual, 0o755); err != nil {
		return nil, err
	}
	root.DisableAutoGenTag = true
	header := &doc.GenManHeader{Section: "1", Source: "egk8s " + r.Version, Manual: "egk8s", Date: &r.date}
	if err := doc.GenManTree(root, header, manual); err != nil {
		return nil, err
	}
	pages, err := os.ReadDir(manual)
	if err != nil {
		return nil, err
	}
	for _, page := range pages {
		data, err := os.ReadFile(filepath.Join(manual, page.Name()))
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{Name: "man/man1/" + page.Name(), Mode: 0o644, Data: data})
	}
	return entries, nil
}
