package cli

import (
	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/deployer/cloud"
)

// offerValues lets shells complete the values of flags that take one of a few.
func offerValues(root *cobra.Command) {
	clouds := []string{}
	if profiles, problems := cloud.Builtin(); !problems.HasErrors() {
		clouds = profiles.Names()
	}
	fixed := map[string][]string{
		"cloud":      clouds,
		"fail-on":    {"breaking", "review"},
		"progress":   {app.ProgressAuto, app.ProgressTUI, app.ProgressPlain, app.ProgressJSON, app.ProgressQuiet},
		"color":      {"auto", "always", "never"},
		"ci":         {"auto", "github", "gitlab", "none"},
		"log-format": {"text", "json"},
		"report":     {"junit=", "json=", "markdown=", "dotenv="},
	}
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		for name, values := range fixed {
			if cmd.LocalFlags().Lookup(name) != nil {
				_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
			}
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(root)
	_ = root.RegisterFlagCompletionFunc("output", func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return app.FormatsOf(cmd), cobra.ShellCompDirectiveNoFileComp
	}) // the flag is there
}
