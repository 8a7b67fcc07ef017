// Package diff is the command that says what a deploy would change.
package diff

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/cmd/internal/cli/outcome"
	"egk8s.dev/egk8s/cmd/internal/cli/output"
	"egk8s.dev/egk8s/cmd/internal/report"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/gateway/version"
)

// Options are the inputs and collaborators of the command.
type Options struct {
	App    *app.App
	Output string

	Cloud      string
	Image      string
	Repository string
	Against    string
	Timeout    time.Duration
	ExitCode   bool
	FailOn     string

	Project func() (*project.Project, error)
	// Cluster, Revision and Projects compare the project with what is deployed, with a revision, and with another
	// state of its files.
	Cluster  func(context.Context, deployer.DeployOptions, event.Sink) (*deployer.DiffResult, error)
	Revision func(context.Context, deployer.DeployOptions, int, event.Sink) (*deployer.DiffResult, error)
	Projects func(deployer.RenderOptions, *project.Project, string) (*deployer.DiffResult, error)
}

// New returns the command. run replaces what it does, in tests.
func New(a *app.App, run func(context.Context, *Options) error) *cobra.Command {
	if run == nil {
		run = Run
	}
	o := &Options{
		App: a, Project: a.Project,
		Cluster: deployer.Diff, Revision: deployer.DiffRevision, Projects: deployer.DiffProjects,
	}
	cmd := &cobra.Command{
		Use:   "diff",
		Short: "Say what a deploy would change",
		Long: "Say what a deploy would change: objects by their fields, as the API server judges them in a dry run,\n" +
			"configuration files by their lines, and how requests will be answered differently: routes that come and go,\n" +
			"authentication that is lost. What is secret is only said to differ. Nothing is changed.\n" +
			"With --against a folder or a commit, no cluster is asked.",
		Example: "  egk8s diff\n" +
			"  egk8s diff --exit-code                # 10: something would change\n" +
			"  egk8s diff --against main             # what this branch changes, without a cluster\n" +
			"  egk8s diff --against main --fail-on breaking\n" +
			"  egk8s diff --against 3                # since revision 3",
		GroupID: "cluster",
		Args:    app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Output = a.Flags.Output
			if o.Timeout <= 0 {
				return &exit.UsageError{Message: fmt.Sprintf("--timeout %s is not a time limit", o.Timeout)}
			}
			if err := app.FailOn(o.FailOn); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&o.Cloud, "cloud", "", "`PROFILE` of the cloud (default: the project's, then what the cluster shows)")
	fs.StringVar(&o.Image, "image", "", "`REFERENCE` of an image that the cluster can pull, instead of the one egk8s carries")
	fs.StringVar(&o.Repository, "repository", "", "`REPOSITORY` that the image is pushed to, instead of the project's")
	fs.StringVar(&o.Against, "against", "", "compare with a revision's number, a project folder, or a commit, branch or tag, `STATE`")
	fs.DurationVar(&o.Timeout, "timeout", time.Minute, "time limit of the whole run")
	fs.BoolVar(&o.ExitCode, "exit-code", false, "end with 10 when something would change")
	fs.StringVar(&o.FailOn, "fail-on", "", "end with 6 when requests are answered differently in a `CLASS`: breaking, or review (and breaking)")
	app.Formats(cmd, output.JSON, output.YAML, "name")
	return cmd
}

// errDifferences is the outcome of a comparison that found changes.
var errDifferences = errors.New("something would change")

// Run compares and writes what differs.
func Run(ctx context.Context, o *Options) error {
	p, err := o.Project()
	if err != nil {
		return err
	}
	r, session, err := o.compare(ctx, p)
	err = outcome.Cause(ctx, err)
	compared := err == nil
	if compared {
		err = deployer.FailOn(o.FailOn).Refused(r.Requests)
	}
	if err == nil && o.ExitCode && r.Changes() {
		err = &exit.Error{Code: exit.Differences, Err: errDifferences, Shown: true}
	}
	r.ExitCode = int(exit.Of(err))
	o.report(session, r, compared)
	if werr := o.write(r, compared); werr != nil && err == nil {
		return werr
	}
	return err
}

// report ends what showed the comparison and writes the reports.
func (o *Options) report(session *report.Session, r *deployer.DiffResult, compared bool) {
	ending := report.Ending{
		Verb: "diff", Document: r,
		Result: deployer.Result{Name: r.Name, Cloud: r.Cloud, Outcome: r.Outcome, ExitCode: r.ExitCode, Warnings: r.Warnings, Error: r.Error},
	}
	if compared {
		ending.Body = Markdown(r)
	}
	if session == nil {
		report.Single(o.App, ending)
		return
	}
	session.Close(ending)
}

// compare chooses what the project is compared with.
func (o *Options) compare(ctx context.Context, p *project.Project) (*deployer.DiffResult, *report.Session, error) {
	revision, notNumber := strconv.Atoi(o.Against)
	switch {
	case o.Against == "":
		return o.watched(ctx, func(sink event.Sink) (*deployer.DiffResult, error) { return o.Cluster(ctx, o.deploy(p), sink) })
	case notNumber == nil:
		return o.watched(ctx, func(sink event.Sink) (*deployer.DiffResult, error) {
			return o.Revision(ctx, o.deploy(p), revision, sink)
		})
	}
	dir, name := o.Against, "the folder "+o.Against
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		path, remove, err := project.AtCommit(ctx, p.Dir, o.Against)
		if err != nil {
			return &deployer.DiffResult{Against: o.Against}, nil, &exit.UsageError{Message: err.Error()}
		}
		defer remove()
		dir, name = path, o.Against
	}
	other, problems := project.Load(filepath.Join(dir, filepath.Base(o.App.Flags.File)), project.Options{
		Environment: o.App.Flags.Env, Env: o.App.Lookup,
	})
	if err := problems.Err(); err != nil {
		return &deployer.DiffResult{Against: name}, nil, err
	}
	r, err := o.Projects(deployer.RenderOptions{
		Project: p, Cloud: o.Cloud, Namespace: o.App.Flags.Namespace, Repository: o.Repository, Image: o.Image, Version: version.Version,
	}, other, name)
	return r, nil, err
}

func (o *Options) deploy(p *project.Project) deployer.DeployOptions {
	return deployer.DeployOptions{
		Target: o.App.Target(o.Cloud), Project: p, Timeout: o.Timeout, Repository: o.Repository, Image: o.Image, Version: version.Version,
	}
}

// watched shows a comparison that asks a cluster while it runs.
func (o *Options) watched(ctx context.Context, compare func(event.Sink) (*deployer.DiffResult, error)) (*deployer.DiffResult, *report.Session, error) {
	session := report.Open(ctx, report.Options{App: o.App, Verb: "diff"})
	r, err := compare(session)
	return r, session, err
}

func (o *Options) write(r *deployer.DiffResult, compared bool) error {
	switch {
	case output.IsDocument(o.Output):
		return output.Write(o.App.IO.Out, o.Output, r)
	case !compared:
		return nil
	case o.Output == "name":
		_, err := fmt.Fprint(o.App.IO.Out, Names(r))
		return err
	}
	_, err := fmt.Fprint(o.App.IO.Out, Text(r, o.App.OutTheme()))
	return err
}
