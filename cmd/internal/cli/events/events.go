// Package events is the command that shows what Kubernetes says about a release's objects.
package events

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/cmd/internal/cli/output"
	"egk8s.dev/egk8s/cmd/internal/report"
	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer"
)

// Options are the inputs and collaborators of the command.
type Options struct {
	App    *app.App
	Output string

	Name     string
	Object   string
	Warnings bool
	Follow   bool

	Events func(context.Context, deployer.EventsOptions, func(deployer.Occurrence)) error
}

// List is the document of -o json.
type List struct {
	APIVersion string                `json:"apiVersion"` // egk8s.dev/v1alpha1
	Kind       string                `json:"kind"`       // EventList
	Name       string                `json:"name"`
	Events     []deployer.Occurrence `json:"events"` // oldest first
}

// New returns the command. run replaces what it does, in tests.
func New(a *app.App, run func(context.Context, *Options) error) *cobra.Command {
	if run == nil {
		run = Run
	}
	o := &Options{App: a, Events: deployer.Events}
	cmd := &cobra.Command{
		Use:   "events",
		Short: "Show what Kubernetes says about the release's objects",
		Long: "Show the Kubernetes events about the release's objects and their pods, oldest first, those of pods that\n" +
			"are gone too. Kubernetes forgets an event after an hour, unless its administrator chose otherwise.",
		Example: "  egk8s events\n  egk8s events --warnings --follow\n  egk8s events --object Pod/petstore-6d5b8-wz7pn -o json",
		GroupID: "cluster",
		Args:    app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Output = a.Flags.Output
			if err := o.check(); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&o.Name, "name", "", "`NAME` of the release (default: the project's)")
	fs.StringVar(&o.Object, "object", "", "only about this object, as `KIND/NAME`")
	fs.BoolVar(&o.Warnings, "warnings", false, "only warnings")
	fs.BoolVar(&o.Follow, "follow", false, "go on, with events that come later too")
	app.Formats(cmd, output.JSON, output.YAML)
	return cmd
}

func (o *Options) check() error {
	kind, name, _ := strings.Cut(o.Object, "/")
	switch {
	case o.Object != "" && (kind == "" || name == ""):
		return &exit.UsageError{Message: fmt.Sprintf("--object %q is not KIND/NAME", o.Object), Help: "egk8s events --object Pod/NAME"}
	case o.Follow && o.Output != "":
		return &exit.UsageError{Message: "--follow has no --output", Hint: []string{"a document has an end; egk8s events -o json"}}
	}
	return nil
}

// Run writes the events to standard output.
func Run(ctx context.Context, o *Options) error {
	name, target, err := o.App.Release(o.Name)
	if err != nil {
		return err
	}
	opts := deployer.EventsOptions{Target: target, Name: name, Object: o.Object, Warnings: o.Warnings, Follow: o.Follow}
	if o.Follow {
		return o.follow(ctx, opts)
	}
	list := List{APIVersion: "egk8s.dev/v1alpha1", Kind: "EventList", Name: name, Events: []deployer.Occurrence{}}
	if err := o.Events(ctx, opts, func(e deployer.Occurrence) { list.Events = append(list.Events, e) }); err != nil {
		return err
	}
	switch {
	case output.IsDocument(o.Output):
		return output.Write(o.App.IO.Out, o.Output, list)
	case len(list.Events) == 0:
		_, err = fmt.Fprintf(o.App.IO.Err, "no events about %s; Kubernetes keeps them for an hour\n", cmp.Or(o.Object, name))
		return err
	}
	_, err = fmt.Fprint(o.App.IO.Out, o.table(list.Events))
	return err
}

// follow writes each event as it comes, until the reader or the user leaves.
func (o *Options) follow(ctx context.Context, opts deployer.EventsOptions) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err := o.Events(ctx, opts, func(e deployer.Occurrence) {
		if _, err := fmt.Fprintln(o.App.IO.Out, o.line(e)); err != nil {
			cancel(err) // the reader went away
		}
	})
	cause := context.Cause(ctx)
	if signal, ok := errors.AsType[*exit.SignalError](cause); ok { // how a follower leaves
		return &exit.Error{Code: exit.Of(signal), Err: signal, Shown: true}
	}
	return cmp.Or(cause, err)
}

// table lines the events up, with the time since each.
func (o *Options) table(list []deployer.Occurrence) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "AGE\tTYPE\tOBJECT\tREASON\tMESSAGE")
	for _, e := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", report.Short(o.App.Now().Sub(e.Time)), e.Type, e.Object, e.Reason, message(e))
	}
	_ = w.Flush() // into a strings.Builder
	width := 0
	if o.App.IO.OutTTY {
		width, _ = o.App.IO.Size()
	}
	return report.Fold(b.String(), width)
}

// line is one event as it comes, with the time of day: a log reads on.
func (o *Options) line(e deployer.Occurrence) string {
	t := o.App.OutTheme()
	kind := e.Type
	if kind != "Normal" {
		kind = t.Paint(theme.Warn, kind)
	}
	return fmt.Sprintf("%s %s %s %s: %s", t.Paint(theme.Dim, e.Time.Local().Format("15:04:05")), kind, e.Object, e.Reason, message(e))
}

func message(e deployer.Occurrence) string {
	text := report.Clean(e.Message)
	if e.Count > 1 {
		text += fmt.Sprintf(" (x%d)", e.Count)
	}
	return text
}
