// Package version is the command that prints which egk8s this is.
package version

import (
	"context"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/output"
	"egk8s.dev/egk8s/cmd/internal/stdio"
	"egk8s.dev/egk8s/gateway/version"
)

// Options are the inputs of the command.
type Options struct {
	IO     *stdio.Streams
	Output string
}

// Document is what -o json prints.
type Document struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Version    string `json:"version"`
	Commit     string `json:"commit,omitempty"`
	Date       string `json:"date,omitempty"` // of the commit
	Go         string `json:"go"`
	Platform   string `json:"platform"`
}

// New returns the command. run replaces what it does, in tests.
func New(a *app.App, run func(context.Context, *Options) error) *cobra.Command {
	if run == nil {
		run = Run
	}
	opts := &Options{IO: a.IO}
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  egk8s version\n  egk8s version -o json",
		Args:    app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts.Output = a.Flags.Output
			return run(cmd.Context(), opts)
		},
	}
	app.Formats(cmd, output.JSON, output.YAML)
	return cmd
}

// Run prints the version.
func Run(_ context.Context, opts *Options) error {
	doc := Document{
		APIVersion: "egk8s.dev/v1alpha1", Kind: "Version", Version: version.Version,
		Commit: version.Commit, Date: version.Date,
		Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
	if output.IsDocument(opts.Output) {
		return output.Write(opts.IO.Out, opts.Output, doc)
	}
	built := doc.Go + ", " + doc.Platform
	if doc.Commit != "" {
		built = fmt.Sprintf("commit %s of %s, %s", doc.Commit[:min(len(doc.Commit), 12)], doc.Date, built)
	}
	_, err := fmt.Fprintf(opts.IO.Out, "egk8s %s (%s)\n", doc.Version, built)
	return err
}
