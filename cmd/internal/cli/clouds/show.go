package clouds

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/output"
	"egk8s.dev/egk8s/deployer/cloud"
)

func newShow(o *Options) *cobra.Command {
	cmd := &cobra.Command{
		Use: "show NAME[/VARIANT]", Short: "Show a cloud profile", Args: app.ExactArgs("NAME"),
		Long: "Show a cloud profile as its file says it, or with --merged all that holds: with what it extends, its variants\n" +
			"(gke/autopilot), and for an infrastructure a distribution on it (triton/k3s). --origins names the file of each value.",
		Example: "  egk8s clouds show gke > .egk8s/clouds/mine.yaml\n  egk8s clouds show triton/k3s --merged\n  egk8s clouds show eks/internal --origins",
		RunE: func(_ *cobra.Command, args []string) error {
			o.Output, o.Name = o.App.Flags.Output, args[0]
			return o.show()
		},
	}
	cmd.Flags().BoolVar(&o.Merged, "merged", false, "show all that holds, not only what the file says")
	cmd.Flags().BoolVar(&o.Origins, "origins", false, "show each value that holds and the file that says it")
	app.Formats(cmd, output.YAML, output.JSON)
	return cmd
}

func (o *Options) show() error {
	profiles, problems := o.Clouds(o.dir())
	if err := problems.Err(); err != nil {
		return err
	}
	res, err := profiles.Resolve(o.Name, cloud.Facts{})
	if err != nil {
		return err
	}
	if o.Origins {
		return o.origins(profiles, res)
	}
	if !o.Merged && o.Output != output.JSON && !strings.Contains(o.Name, "/") {
		source, err := profiles.Source(o.Name)
		if err == nil {
			_, err = o.App.IO.Out.Write(source)
		}
		return err
	}
	format := o.Output
	if format == "" {
		format = output.YAML
	}
	return output.Write(o.App.IO.Out, format, map[string]any{
		"apiVersion": "egk8s.dev/v1alpha1", "kind": "CloudProfile", "metadata": map[string]any{"name": res.Label()}, "spec": res.Profile,
	})
}

func (o *Options) origins(profiles *cloud.Profiles, res cloud.Resolution) error {
	values, err := profiles.Values(res)
	if err != nil {
		return err
	}
	if output.IsDocument(o.Output) {
		return output.Write(o.App.IO.Out, o.Output, map[string]any{"cloud": res.Label(), "values": values})
	}
	w := tabwriter.NewWriter(o.App.IO.Out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "FROM\tPATH\tVALUE")
	for _, v := range values {
		fmt.Fprintf(w, "%s\t%s\t%s\n", v.From, v.Path, v.Value)
	}
	return w.Flush()
}
