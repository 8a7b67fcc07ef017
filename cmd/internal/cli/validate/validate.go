// Package validate is the command that checks a project offline.
package validate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/cmd/internal/cli/explain"
	"egk8s.dev/egk8s/cmd/internal/cli/output"
	"egk8s.dev/egk8s/cmd/internal/report"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/offline"
	"egk8s.dev/egk8s/gateway/version"
)

// Options are the inputs and collaborators of the command.
type Options struct {
	App    *app.App
	Output string

	Dir    string // a folder of Express Gateway's files, or of a project; empty: the project of --file
	Cloud  string
	Strict bool

	Load   func() (*project.Project, diag.Problems)
	Render func(deployer.RenderOptions) (*deployer.Rendering, error)
	Check  func(dir string, opts offline.Options) (*offline.Report, error)
}

// Document is what -o json prints.
type Document struct {
	APIVersion string        `json:"apiVersion"`
	Kind       string        `json:"kind"`
	Valid      bool          `json:"valid"`
	Project    string        `json:"project,omitempty"`
	Cloud      string        `json:"cloud,omitempty"`
	Files      int           `json:"files,omitempty"`
	Objects    int           `json:"objects,omitempty"`
	Problems   diag.Problems `json:"problems"`
}

// New returns the command. run replaces what it does, in tests.
func New(a *app.App, run func(context.Context, *Options) error) *cobra.Command {
	if run == nil {
		run = Run
	}
	o := &Options{App: a, Load: a.LoadProject, Render: deployer.Render, Check: offline.Check}
	cmd := &cobra.Command{
		Use:   "validate [DIR]",
		Short: "Check the project offline",
		Long: "Check egk8s.yaml, the gateway's files with the gateway's own loader, and the objects they render to.\n" +
			"All problems are reported at once, with file, line and column. DIR may be a project, or a folder with\n" +
			"nothing but Express Gateway's files.",
		Example: "  egk8s validate\n  egk8s validate --strict -o json\n  egk8s validate -o sarif > egk8s.sarif\n  egk8s validate ./config",
		GroupID: "project",
		Args:    app.MaxArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Output = a.Flags.Output
			if len(args) > 0 {
				o.Dir = args[0]
			}
			return run(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.Cloud, "cloud", "", "`PROFILE` of the cloud (default: the project's, then generic)")
	cmd.Flags().BoolVar(&o.Strict, "strict", false, "warnings are errors")
	app.Formats(cmd, output.JSON, output.YAML, formatSARIF)
	return cmd
}

// Run checks and tells.
func Run(_ context.Context, o *Options) error {
	doc := Document{APIVersion: "egk8s.dev/v1alpha1", Kind: "Validation", Problems: diag.Problems{}}
	what, err := o.check(&doc)
	if err != nil {
		return err
	}
	doc.Problems.Sort()
	doc.Valid = !doc.Problems.HasErrors() && (!o.Strict || len(doc.Problems) == 0)
	if !doc.Valid {
		err = doc.Problems
	}
	if len(doc.Problems) > 0 {
		explain.Problems(o.App.IO.Err, o.App.ErrTheme(), doc.Problems)
	}
	report.Single(o.App, report.Ending{
		Verb: "validate", Err: err, Problems: doc.Problems, Explanation: explain.Text(o.App, err), Document: doc,
		Result: result(doc),
	})
	if err := o.write(doc, what); err != nil {
		return err
	}
	if !doc.Valid {
		return &exit.Error{Code: exit.Project, Err: doc.Problems, Shown: true}
	}
	return nil
}

// write writes the result to standard output: a document, or one line when all is well.
func (o *Options) write(doc Document, what string) (err error) {
	switch {
	case o.Output == formatSARIF:
		return output.Write(o.App.IO.Out, output.JSON, sarif(doc.Problems, version.Version))
	case output.IsDocument(o.Output):
		return output.Write(o.App.IO.Out, o.Output, doc)
	case doc.Valid:
		_, err = fmt.Fprintln(o.App.IO.Out, what)
	}
	return err
}

func result(doc Document) deployer.Result {
	r := deployer.Result{Name: doc.Project, Outcome: deployer.Succeeded}
	if !doc.Valid {
		r.Outcome, r.ExitCode = deployer.FailedRun, int(exit.Project)
	}
	return r
}

// check fills the document and returns what was checked, in words.
func (o *Options) check(doc *Document) (string, error) {
	if o.Dir != "" {
		file := filepath.Join(o.Dir, "egk8s.yaml")
		if _, err := os.Stat(file); err != nil {
			return o.checkFolder(doc)
		}
		o.App.Flags.File = file
	}
	p, problems := o.Load()
	doc.Problems = append(doc.Problems, problems...)
	if p == nil {
		return "", nil
	}
	doc.Project = p.Name
	if problems.HasErrors() {
		// The gateway's files can be checked all the same.
		_, _, more := p.Read()
		doc.Problems = append(doc.Problems, more...)
		return "", nil
	}
	return o.checkObjects(doc, p)
}

func (o *Options) checkObjects(doc *Document, p *project.Project) (string, error) {
	r, err := o.Render(deployer.RenderOptions{
		Project: p, Cloud: o.Cloud, Namespace: o.App.Flags.Namespace, Version: version.Version,
		// The reference of the image changes nothing that is checked, and a registry need not be chosen yet.
		Image: "egk8s.local/gateway:validate",
	})
	if problems, ok := errors.AsType[diag.Problems](err); ok {
		doc.Problems = append(doc.Problems, problems...)
		return "", nil
	}
	if err != nil {
		return "", err
	}
	doc.Problems = append(doc.Problems, r.Warnings...)
	doc.Cloud, doc.Files, doc.Objects = r.Cloud, len(r.Files.Config), len(r.Objects)+len(r.Config)
	return fmt.Sprintf("%s is valid: %d config files, %d objects for cloud %s", p.File, doc.Files, doc.Objects, doc.Cloud), nil
}

// checkFolder checks Express Gateway's files alone, as the gateway does that runs them here.
func (o *Options) checkFolder(doc *Document) (string, error) {
	if info, err := os.Stat(o.Dir); err != nil || !info.IsDir() {
		return "", &exit.UsageError{Message: fmt.Sprintf("%s is no folder", o.Dir)}
	}
	r, err := o.Check(o.Dir, offline.Options{Env: app.Environ()})
	if err != nil {
		return "", err
	}
	for _, p := range r.Problems {
		if p.File != "" && !filepath.IsAbs(p.File) {
			p.File = filepath.Join(o.Dir, p.File)
		}
		doc.Problems = append(doc.Problems, p)
	}
	return fmt.Sprintf("%s is valid: %d routes", o.Dir, len(r.Routes)), nil
}
