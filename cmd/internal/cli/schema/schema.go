// Package schema is the command that prints the JSON Schema of the files that egk8s reads.
package schema

import (
	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/deployer/project"
)

// New returns the command.
func New(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of egk8s.yaml",
		Long: "Print the JSON Schema of egk8s.yaml, for editors and for checks in a pipeline. It takes what the program takes;\n" +
			"what values mean together is checked by egk8s validate.",
		Example: "  egk8s schema > egk8s.schema.json",
		GroupID: "parts",
		Args:    app.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			text, err := project.Schema()
			if err != nil {
				return err
			}
			_, err = a.IO.Out.Write(text)
			return err
		},
	}
}
