// Package history is the command that lists the revisions of a release.
package history

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/output"
	"egk8s.dev/egk8s/cmd/internal/report"
	"egk8s.dev/egk8s/deployer"
)

// Options are the inputs and collaborators of the command.
type Options struct {
	App    *app.App
	Output string

	Name    string
	Timeout time.Duration

	History func(context.Context, deployer.StatusOptions) (*deployer.HistoryResult, error)
}

// New returns the command. run replaces what it does, in tests.
func New(a *app.App, run func(context.Context, *Options) error) *cobra.Command {
	if run == nil {
		run = Run
	}
	o := &Options{App: a, History: deployer.History}
	cmd := &cobra.Command{
		Use:   "history",
		Short: "List the revisions of a release",
		Long: "List the revisions of a release, newest first: when each was deployed, by which program, with which\n" +
			"image and configuration, and whether it can come back.",
		Example: "  egk8s history\n  egk8s history -o json\n  egk8s rollback 3        # go back to one of them",
		GroupID: "cluster",
		Args:    app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Output = a.Flags.Output
			return run(cmd.Context(), o)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&o.Name, "name", "", "`NAME` of the release (default: the project's)")
	fs.DurationVar(&o.Timeout, "timeout", 30*time.Second, "time limit of the whole run")
	app.Formats(cmd, "wide", output.JSON, output.YAML, "name")
	return cmd
}

// Run reads the history and writes it.
func Run(ctx context.Context, o *Options) error {
	name, target, err := o.App.Release(o.Name)
	if err != nil {
		return err
	}
	h, err := o.History(ctx, deployer.StatusOptions{Target: target, Name: name, Timeout: o.Timeout})
	switch {
	case err != nil:
		return err
	case output.IsDocument(o.Output):
		return output.Write(o.App.IO.Out, o.Output, h)
	}
	width := 0
	if o.App.IO.OutTTY {
		width, _ = o.App.IO.Size()
	}
	_, err = fmt.Fprint(o.App.IO.Out, Text(h, Look{Now: o.App.Now(), Output: o.Output, Width: width}))
	return err
}

// Look says how a history is shown.
type Look struct {
	Now    time.Time
	Output string // "", wide or name
	Width  int    // of the terminal; 0: there is none
}

// Text is a history for people, or with -o name its numbers.
func Text(h *deployer.HistoryResult, look Look) string {
	var b strings.Builder
	if look.Output == "name" {
		for _, r := range h.Revisions {
			fmt.Fprintln(&b, r.Revision)
		}
		return b.String()
	}
	w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	fmt.Fprint(w, "REVISION\tSTATUS\tAGE\tCONFIG")
	if look.Output == "wide" {
		fmt.Fprint(w, "\tIMAGE\tBY")
	}
	fmt.Fprintln(w, "\tDESCRIPTION")
	for _, r := range h.Revisions {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s", number(r), r.Status, report.Short(look.Now.Sub(r.Updated)), orDash(r.ConfigDigest, 10))
		if look.Output == "wide" {
			fmt.Fprintf(w, "\t%s\t%s", orDash(r.Image, 0), r.By)
		}
		fmt.Fprintf(w, "\t%s\n", report.Clean(note(r)))
	}
	_ = w.Flush() // into a strings.Builder
	return report.Fold(b.String(), look.Width)
}

// number is the revision's number, with a star at the one that was deployed last.
func number(r deployer.Revision) string {
	if r.Current {
		return fmt.Sprintf("%d *", r.Revision)
	}
	return fmt.Sprint(r.Revision)
}

// note is the description, and why the revision cannot come back.
func note(r deployer.Revision) string {
	if len(r.Missing) == 0 {
		return r.Description
	}
	return fmt.Sprintf("%s; cannot come back: %s is gone", r.Description, strings.Join(r.Missing, ", "))
}

func orDash(s string, most int) string {
	switch {
	case s == "":
		return "-"
	case most > 0 && len(s) > most:
		return s[:most]
	}
	return s
}
