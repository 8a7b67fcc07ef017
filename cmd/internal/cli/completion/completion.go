// Package completion is the command that prints a shell's completion script.
package completion

import (
	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
)

// New returns the command.
func New(a *app.App) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print the completion script of a shell",
		Example: "  source <(egk8s completion bash)\n" +
			"  egk8s completion zsh > \"${fpath[1]}/_egk8s\"",
		ValidArgs: shells,
		Args: func(cmd *cobra.Command, args []string) error {
			if err := app.ExactArgs("SHELL")(cmd, args); err != nil {
				return err
			}
			return app.Choice(shells...)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch args[0] {
			case "zsh":
				return cmd.Root().GenZshCompletion(a.IO.Out)
			case "fish":
				return cmd.Root().GenFishCompletion(a.IO.Out, true)
			case "powershell":
				return cmd.Root().GenPowerShellCompletionWithDesc(a.IO.Out)
			default:
				return cmd.Root().GenBashCompletionV2(a.IO.Out, true)
			}
		},
	}
}
