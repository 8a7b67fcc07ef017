// Package clouds is the commands about cloud profiles: which there are, what they say, which one a cluster needs.
package clouds

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/output"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/cloud"
	"egk8s.dev/egk8s/gateway/diag"
)

// Options are the inputs and collaborators of the commands.
type Options struct {
	App    *app.App
	Output string

	Name    string // what show is asked for
	Merged  bool
	Origins bool

	Offline bool
	Explain bool
	Timeout time.Duration

	File string // what validate is asked for; empty: all profiles

	Clouds func(dir string) (*cloud.Profiles, diag.Problems)
	Detect func(context.Context, deployer.DetectOptions) (*deployer.Detection, error)
}

// New returns the command with its subcommands.
func New(a *app.App) *cobra.Command {
	o := &Options{App: a, Clouds: deployer.Clouds, Detect: deployer.Detect}
	cmd := app.Group(&cobra.Command{
		Use:   "clouds",
		Short: "Show cloud profiles, and which one a cluster needs",
		Long: "Show cloud profiles, and which one a cluster needs. A profile is one YAML file; those in .egk8s/clouds of the\n" +
			"project and in egk8s/clouds of your settings folder stand over those that egk8s carries.",
		Example: "  egk8s clouds list\n  egk8s clouds detect --explain\n  egk8s clouds show gke/autopilot --origins",
		GroupID: "parts",
	})
	cmd.AddCommand(newList(o), newShow(o), newDetect(o), newValidate(o))
	return cmd
}

// dir is the project's folder, whether or not there is a project in it.
func (o *Options) dir() string {
	if o.App.Flags.File == "-" {
		return "."
	}
	return filepath.Dir(o.App.Flags.File)
}

// Row is one profile as list shows it.
type Row struct {
	Name     string         `json:"name"`
	Layer    cloud.Layer    `json:"layer"`
	Title    string         `json:"title"`
	Delivery cloud.Delivery `json:"delivery"`
	Service  string         `json:"service"`
	Variants []string       `json:"variants"`
}

func newList(o *Options) *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "List the cloud profiles", Args: app.NoArgs,
		Long:    "List the cloud profiles and their variants.",
		Example: "  egk8s clouds list",
		RunE: func(*cobra.Command, []string) error {
			o.Output = o.App.Flags.Output
			return o.list()
		},
	}
	app.Formats(cmd, output.JSON, output.YAML, "name")
	return cmd
}

func (o *Options) list() error {
	profiles, problems := o.Clouds(o.dir())
	if err := problems.Err(); err != nil {
		return err
	}
	var rows []Row
	for _, name := range profiles.Names() {
		p, err := profiles.Get(name)
		if err != nil {
			return err
		}
		rows = append(rows, Row{
			Name: name, Layer: p.Layer, Title: p.Title, Delivery: p.Image.Delivery, Service: p.Service.Type,
			Variants: append([]string{}, slices.Sorted(maps.Keys(p.Variants))...),
		})
	}
	if output.IsDocument(o.Output) {
		return output.Write(o.App.IO.Out, o.Output, map[string]any{"apiVersion": "egk8s.dev/v1alpha1", "kind": "CloudProfileList", "items": rows})
	}
	if o.Output == "name" {
		for _, r := range rows {
			if _, err := fmt.Fprintln(o.App.IO.Out, r.Name); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(o.App.IO.Out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "NAME\tLAYER\tIMAGE\tSERVICE\tVARIANTS\tTITLE")
	for _, r := range rows {
		variants := strings.Join(r.Variants, ",")
		if variants == "" {
			variants = "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Name, r.Layer, r.Delivery, r.Service, variants, r.Title)
	}
	return w.Flush()
}
