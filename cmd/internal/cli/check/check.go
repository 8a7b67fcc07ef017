// Package check is the command that looks for what would make a deploy fail.
package check

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/cmd/internal/cli/outcome"
	"egk8s.dev/egk8s/cmd/internal/cli/output"
	"egk8s.dev/egk8s/cmd/internal/report"
	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/check"
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
	Timeout    time.Duration

	Project func() (*project.Project, error)
	Check   func(context.Context, deployer.DeployOptions, event.Sink) (*deployer.CheckResult, error)
}

// New returns the command. run replaces what it does, in tests.
func New(a *app.App, run func(context.Context, *Options) error) *cobra.Command {
	if run == nil {
		run = Run
	}
	o := &Options{App: a, Project: a.Project, Check: deployer.Check}
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Look for what would make a deploy fail",
		Long: "Look for what would make a deploy fail, and change nothing: the files, the version of the cluster, the rights\n" +
			"of this user, the Secrets that the project names, whether a pod would be admitted, the services behind the\n" +
			"gateway. Ends with 6 when something stands in the way.",
		Example: "  egk8s check\n  egk8s check --env production -o json",
		GroupID: "cluster",
		Args:    app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Output = a.Flags.Output
			if o.Timeout <= 0 {
				return &exit.UsageError{Message: fmt.Sprintf("--timeout %s is not a time limit", o.Timeout)}
			}
			return run(cmd.Context(), o)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&o.Cloud, "cloud", "", "`PROFILE` of the cloud (default: the project's, then what the cluster shows)")
	fs.StringVar(&o.Image, "image", "", "`REFERENCE` of an image that the cluster can pull, instead of the one egk8s carries")
	fs.StringVar(&o.Repository, "repository", "", "`REPOSITORY` that the image is pushed to, instead of the project's")
	fs.DurationVar(&o.Timeout, "timeout", time.Minute, "time limit of the whole run")
	app.Formats(cmd, output.JSON, output.YAML)
	return cmd
}

// Run checks and writes what was found.
func Run(ctx context.Context, o *Options) error {
	p, err := o.Project()
	if err != nil {
		return err
	}
	session := report.Open(ctx, report.Options{App: o.App, Verb: "check"})
	r, err := o.Check(ctx, deployer.DeployOptions{
		Target: o.App.Target(o.Cloud), Project: p, Timeout: o.Timeout, Repository: o.Repository, Image: o.Image, Version: version.Version,
	}, session)
	session.Close(report.Ending{Verb: "check", Result: deployer.Result{Name: p.Name}})
	err = outcome.Cause(ctx, err)
	r.ExitCode = int(exit.Of(err))
	if output.IsDocument(o.Output) {
		if werr := output.Write(o.App.IO.Out, o.Output, r); werr != nil && err == nil {
			return werr
		}
		return err
	}
	if len(r.Checks) > 0 {
		if _, werr := fmt.Fprint(o.App.IO.Out, Text(r, o.App.OutTheme())); werr != nil && err == nil {
			return werr
		}
	}
	if _, found := errors.AsType[*deployer.CheckError](err); found { // the text has said it, with its fix
		return &exit.Error{Code: exit.Of(err), Err: err, Shown: true}
	}
	return err
}

// Text is the result for people: every check by category, below it what it found and what to do.
func Text(r *deployer.CheckResult, t theme.Theme) string {
	var b strings.Builder
	category, failed, warned := "", 0, 0
	for _, c := range r.Checks {
		if c.Category != category {
			category = c.Category
			fmt.Fprintf(&b, "%s\n", t.Paint(theme.Bold, category))
		}
		kind := theme.OK
		for _, f := range c.Findings {
			if f.Severity == check.Error {
				kind = theme.Fail
				failed++
				continue
			}
			warned++
			if kind == theme.OK {
				kind = theme.Warn
			}
		}
		fmt.Fprintf(&b, "  %s %s\n", t.Paint(kind, t.Sign(kind)), c.What)
		for _, f := range c.Findings {
			fmt.Fprintf(&b, "      %s   (%s)\n", report.Clean(f.Message), f.Code)
			if f.Hint != "" {
				fmt.Fprintf(&b, "      fix: %s\n", report.Clean(f.Hint))
			}
		}
	}
	fmt.Fprintf(&b, "\n%s\n", verdict(failed, warned))
	return b.String()
}

func verdict(failed, warned int) string {
	switch {
	case failed+warned == 0:
		return "nothing stands in the way of a deploy"
	case failed == 0:
		return fmt.Sprintf("nothing stands in the way of a deploy; warnings: %d", warned)
	default:
		return fmt.Sprintf("a deploy would fail; errors: %d, warnings: %d", failed, warned)
	}
}
