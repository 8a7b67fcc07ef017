package manage

import (
	"context"
	"net/http"

	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
)

func scopeShape() shape {
	return shape{
		kind: "Scope", columns: []column{field("SCOPE", "scope")},
		id: func(o object) string { return textOf(o["scope"]) },
	}
}

// Scopes returns the command for scopes.
func Scopes(a *app.App) *cobra.Command {
	o := NewOptions(a)
	group := app.Group(&cobra.Command{
		Use: "scopes", Aliases: []string{"scope"}, GroupID: GroupID,
		Short: "Manage the scopes of a running gateway",
		Long:  "Manage the scopes of a running gateway: those that its credentials can carry.",
	})
	group.AddCommand(createScopes(o), listScopes(o), o.onEachScope("info", "Show scopes", nil, nil), removeScopes(o))
	for _, cmd := range group.Commands() {
		o.Bind(cmd)
	}
	return group
}

func createScopes(o *Options) *cobra.Command {
	var stdin bool
	cmd := &cobra.Command{
		Use: "create SCOPE...", Short: "Create scopes, all or none",
		Example: "  egk8s scopes create read write\n  printf '{\"scope\":\"read\"}\\n' | egk8s scopes create --stdin",
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.with(cmd.Context(), func(ctx context.Context, c *client) error {
				if stdin {
					err := o.each(object{}, func(fields object) error {
						args = append(args, textOf(fields["scope"]))
						return nil
					})
					if err != nil {
						return err
					}
				}
				if err := c.do(ctx, http.MethodPost, "/scopes", object{"scopes": args}, nil); err != nil {
					return err
				}
				return o.done(scopeShape(), "created", scopeObjects(args))
			})
		},
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if stdin {
			return nil
		}
		return atLeastOne("SCOPE")(cmd, args)
	}
	cmd.Flags().BoolVar(&stdin, "stdin", false, "read JSON objects with the field scope from standard input, one a line")
	formats(cmd)
	return cmd
}

func scopeObjects(names []string) []object {
	out := make([]object, len(names))
	for i, name := range names {
		out[i] = object{"scope": name}
	}
	return out
}

func allScopes(ctx context.Context, c *client) ([]string, error) {
	var answer struct {
		Scopes []string `json:"scopes"`
	}
	err := c.do(ctx, http.MethodGet, "/scopes", nil, &answer)
	return answer.Scopes, err
}

func listScopes(o *Options) *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List all scopes", Args: app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.with(cmd.Context(), func(ctx context.Context, c *client) error {
				names, err := allScopes(ctx, c)
				if err != nil {
					return err
				}
				return o.list(scopeShape(), scopeObjects(names))
			})
		},
	}
	formats(cmd)
	return cmd
}

func removeScopes(o *Options) *cobra.Command {
	return o.onEachScope("remove", "Remove scopes, also from credentials", []string{"rm"},
		func(ctx context.Context, c *client, scope string) error {
			return c.do(ctx, http.MethodDelete, "/scopes"+part(scope), nil, nil)
		})
}

// onEachScope is a command that does one thing to each scope named, or shows them.
func (o *Options) onEachScope(
	verb, short string, aliases []string, do func(context.Context, *client, string) error,
) *cobra.Command {
	cmd := &cobra.Command{
		Use: verb + " SCOPE...", Aliases: aliases, Short: short, Args: atLeastOne("SCOPE"),
		ValidArgsFunction: o.complete(allScopes),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.with(cmd.Context(), func(ctx context.Context, c *client) error {
				for _, scope := range args { // all, before the first one is touched
					if err := c.do(ctx, http.MethodGet, "/scopes"+part(scope), nil, nil); err != nil {
						return err
					}
				}
				if do == nil {
					return o.info(scopeShape(), scopeObjects(args))
				}
				for _, scope := range args {
					if err := do(ctx, c, scope); err != nil {
						return err
					}
				}
				return o.done(scopeShape(), verb+"d", scopeObjects(args))
			})
		},
	}
	formats(cmd)
	return cmd
}
