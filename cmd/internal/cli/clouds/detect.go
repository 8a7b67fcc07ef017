package clouds

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/output"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/cloud"
	"egk8s.dev/egk8s/deployer/cluster"
)

// Document is what detect -o json prints.
type Document struct {
	APIVersion     string            `json:"apiVersion"`
	Kind           string            `json:"kind"`
	Cloud          string            `json:"cloud"` // as --cloud takes it
	Detected       bool              `json:"detected"`
	Infrastructure string            `json:"infrastructure,omitempty"`
	Distribution   string            `json:"distribution"`
	Variants       []string          `json:"variants,omitempty"`
	Reasons        []string          `json:"reasons"`
	Warning        string            `json:"warning,omitempty"`
	Candidates     []cloud.Candidate `json:"candidates"`
	Unknown        []string          `json:"unknown,omitempty"`
}

func newDetect(o *Options) *cobra.Command {
	cmd := &cobra.Command{
		Use: "detect", Short: "Say which cloud profile the cluster needs, and why", Args: app.NoArgs,
		Long: "Say which cloud profile the cluster needs, and why. The kubeconfig and the cluster are read, nothing is changed.\n" +
			"Without clear evidence it is generic, with a warning that names the candidates.",
		Example: "  egk8s clouds detect\n  egk8s clouds detect --explain\n  egk8s clouds detect --offline -o json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Output = o.App.Flags.Output
			return o.detect(cmd.Context())
		},
	}
	fs := cmd.Flags()
	fs.BoolVar(&o.Explain, "explain", false, "also show the evidence for every other profile, and what could not be read")
	fs.BoolVar(&o.Offline, "offline", false, "read the kubeconfig only")
	fs.DurationVar(&o.Timeout, "timeout", 30*time.Second, "time limit of the whole run")
	app.Formats(cmd, output.JSON, output.YAML, "name")
	return cmd
}

func (o *Options) detect(ctx context.Context) error {
	f := o.App.Flags
	d, err := o.Detect(ctx, deployer.DetectOptions{
		Dir: o.dir(), Offline: o.Offline, Timeout: o.Timeout,
		Cluster: cluster.Config{Kubeconfig: f.Kubeconfig, Context: f.Context, As: f.As, AsGroups: f.AsGroups, Log: o.App.Logger()},
	})
	if err != nil {
		return err
	}
	if d.Warning != "" && !output.IsDocument(o.Output) {
		fmt.Fprintln(o.App.IO.Err, "warning:", d.Warning)
	}
	switch {
	case output.IsDocument(o.Output):
		return output.Write(o.App.IO.Out, o.Output, Document{
			APIVersion: "egk8s.dev/v1alpha1", Kind: "CloudDetection", Cloud: d.Label(), Detected: d.Detected,
			Infrastructure: d.Infrastructure, Distribution: d.Distribution, Variants: d.Variants, Reasons: d.Reasons,
			Warning: d.Warning, Candidates: append([]cloud.Candidate{}, d.Candidates...), Unknown: d.Unknown,
		})
	case o.Output == "name":
		_, err = fmt.Fprintln(o.App.IO.Out, d.Label())
	default:
		_, err = fmt.Fprint(o.App.IO.Out, text(d, o.Explain))
	}
	return err
}

func text(d *deployer.Detection, explain bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", d.Label(), strings.Join(d.Reasons, ", "))
	if !explain {
		return b.String()
	}
	fmt.Fprintln(&b, "\nEvidence (60 is enough, with 20 more than any other of the same layer):")
	for _, c := range d.Candidates {
		fmt.Fprintf(&b, "  %-10s %4d  %s: %s\n", c.Name, c.Score, c.Layer, strings.Join(c.Reasons, ", "))
	}
	if len(d.Candidates) == 0 {
		fmt.Fprintln(&b, "  none")
	}
	for _, u := range d.Unknown {
		fmt.Fprintln(&b, "not known:", u)
	}
	return b.String()
}
