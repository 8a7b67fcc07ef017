package manage

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
)

// completionTime bounds how long a shell waits for names.
const completionTime = 2 * time.Second

// GroupID is the group of the root command that these commands are listed in.
const GroupID = "consumers"

// complete offers names that the gateway knows; when it cannot be reached in time, none.
func (o *Options) complete(
	names func(context.Context, *client) ([]string, error),
) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if app.FromEnvironment(cmd, o.App.Getenv) != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		o.Timeout = completionTime
		var found []string
		_ = o.with(cmd.Context(), func(ctx context.Context, c *client) error {
			all, err := names(ctx, c)
			for _, name := range all {
				if strings.HasPrefix(name, begun) && !slices.Contains(args, name) {
					found = append(found, name)
				}
			}
			return err
		}) // a shell has no place for an error
		return found, cobra.ShellCompDirectiveNoFileComp
	}
}
