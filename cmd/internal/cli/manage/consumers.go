package manage

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
)

// consumerKind is what tells users and applications apart.
type consumerKind struct {
	word, path, key string // as user, /users, users
	naming          string // the field with its name
	shape           shape
	example         string
}

func userKind() consumerKind {
	return consumerKind{
		word: "user", path: "/users", key: "users", naming: "username",
		shape: shape{
			kind: "User", id: idOf,
			columns: []column{
				field("USERNAME", "username"), field("ID", "id"), field("ACTIVE", "isActive"),
				{"NAME", func(o object) string { return strings.TrimSpace(textOf(o["firstname"]) + " " + textOf(o["lastname"])) }},
				field("EMAIL", "email"),
			},
		},
		example: "alice -p firstname=Alice -p lastname=Liddell",
	}
}

func appKind() consumerKind {
	return consumerKind{
		word: "app", path: "/apps", key: "apps", naming: "name",
		shape: shape{
			kind: "App", id: idOf,
			columns: []column{
				field("NAME", "name"), field("ID", "id"), field("USER", "userId"), field("ACTIVE", "isActive"),
				field("REDIRECT-URI", "redirectUri"),
			},
		},
		example: "shop --user alice",
	}
}

func idOf(o object) string { return textOf(o["id"]) }

// Users returns the command for users.
func Users(a *app.App) *cobra.Command { return consumers(a, userKind()) }

// Apps returns the command for applications.
func Apps(a *app.App) *cobra.Command { return consumers(a, appKind()) }

func consumers(a *app.App, k consumerKind) *cobra.Command {
	o := NewOptions(a)
	group := app.Group(&cobra.Command{
		Use: k.key, Aliases: []string{k.word}, GroupID: GroupID,
		Short: fmt.Sprintf("Manage the %s of a running gateway", k.key),
		Long: fmt.Sprintf("Manage the %s of a running gateway through its Admin API: that of the project's release, reached\n"+
			"through the cluster's API server, or that of --admin-url. Changes need a store that takes them, such as Redis;\n"+
			"with the file store the consumers file is changed instead (egk8s credentials new).", k.key),
	})
	group.AddCommand(createConsumer(o, k), listConsumers(o, k), o.infoConsumer(k), updateConsumer(o, k),
		o.onEach(k, "remove", "Remove", "removed", []string{"rm"}, removeConsumer),
		o.onEach(k, "activate", "Activate", "activated", nil, setActive(true)),
		o.onEach(k, "deactivate", "Deactivate", "deactivated", nil, setActive(false)),
	)
	for _, cmd := range group.Commands() {
		o.Bind(cmd)
	}
	return group
}

func createConsumer(o *Options, k consumerKind) *cobra.Command {
	var (
		pairs []string
		owner string
		stdin bool
	)
	cmd := &cobra.Command{
		Use:     "create [NAME]",
		Short:   fmt.Sprintf("Create %ss", k.word),
		Example: fmt.Sprintf("  egk8s %s create %s\n  egk8s %s create --stdin < %s.ndjson", k.key, k.example, k.key, k.key),
		Args:    app.MaxArgs(1),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		fields, err := properties(pairs)
		if err != nil {
			return err
		}
		if len(args) > 0 {
			fields[k.naming] = args[0]
		}
		if owner != "" {
			fields["userId"] = owner
		}
		if !stdin && fields[k.naming] == nil {
			return app.Usage(cmd, fmt.Sprintf("%s needs NAME, or --stdin", cmd.CommandPath()))
		}
		return o.create(cmd.Context(), k.shape, fields, stdin, func(ctx context.Context, c *client, fields object) (object, error) {
			var made object
			err := c.do(ctx, http.MethodPost, k.path, fields, &made)
			return made, err
		})
	}
	cmd.Flags().StringArrayVarP(&pairs, "property", "p", nil, "`KEY=VALUE` of the model's fields (repeatable)")
	cmd.Flags().BoolVar(&stdin, "stdin", false, "read JSON objects from standard input, one a line")
	if k.word == "app" {
		cmd.Flags().StringVarP(&owner, "user", "u", "", "`USER` whose application it is, by name or id")
	}
	formats(cmd)
	return cmd
}

// create makes one thing of fields, or one of each line of standard input, and shows what was made.
func (o *Options) create(
	ctx context.Context, s shape, fields object, stdin bool, post func(context.Context, *client, object) (object, error),
) error {
	return o.with(ctx, func(ctx context.Context, c *client) error {
		var made []object
		one := func(fields object) error {
			item, err := post(ctx, c, fields)
			if err == nil {
				made = append(made, item)
			}
			return err
		}
		var err error
		if stdin {
			err = o.each(fields, one)
		} else {
			err = one(fields)
		}
		if len(made) == 0 && err != nil {
			return err
		}
		if shown := o.done(s, "created", made); err == nil {
			err = shown
		}
		return err
	})
}

func listConsumers(o *Options, k consumerKind) *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: fmt.Sprintf("List all %s", k.key),
		Example: fmt.Sprintf("  egk8s %s list\n  egk8s %s list -o name", k.key, k.key),
		Args:    app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.with(cmd.Context(), func(ctx context.Context, c *client) error {
				all, err := c.all(ctx, k.path, k.key)
				if err != nil {
					return err
				}
				return o.list(k.shape, all)
			})
		},
	}
	formats(cmd)
	return cmd
}

func (o *Options) infoConsumer(k consumerKind) *cobra.Command {
	cmd := &cobra.Command{
		Use: "info NAME...", Short: fmt.Sprintf("Show %s, by name or id", k.key),
		Args:              atLeastOne("NAME"),
		ValidArgsFunction: o.complete(k.names),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.with(cmd.Context(), func(ctx context.Context, c *client) error {
				items, err := k.find(ctx, c, args)
				if err != nil {
					return err
				}
				return o.info(k.shape, items)
			})
		},
	}
	formats(cmd)
	return cmd
}

func (k consumerKind) find(ctx context.Context, c *client, names []string) ([]object, error) {
	items := make([]object, len(names))
	for i, name := range names {
		if err := c.do(ctx, http.MethodGet, k.path+part(name), nil, &items[i]); err != nil {
			return nil, err
		}
	}
	return items, nil
}

func (k consumerKind) names(ctx context.Context, c *client) ([]string, error) {
	all, err := c.all(ctx, k.path, k.key)
	names := make([]string, len(all))
	for i, one := range all {
		names[i] = textOf(one[k.naming])
	}
	return names, err
}

func updateConsumer(o *Options, k consumerKind) *cobra.Command {
	var (
		pairs []string
		stdin bool
	)
	cmd := &cobra.Command{
		Use: "update NAME", Short: fmt.Sprintf("Change fields of a %s", k.word),
		Example:           fmt.Sprintf("  egk8s %s update NAME -p redirectUri=https://shop.example/back", k.key),
		Args:              app.ExactArgs("NAME"),
		ValidArgsFunction: o.complete(k.names),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		fields, err := properties(pairs)
		if err != nil {
			return err
		}
		if stdin {
			all, err := o.lines()
			if err != nil {
				return err
			}
			for _, one := range all {
				maps.Copy(fields, one.fields)
			}
		}
		if len(fields) == 0 {
			return &exit.UsageError{Message: "nothing to change", Hint: []string{"-p KEY=VALUE, or --stdin"}}
		}
		return o.with(cmd.Context(), func(ctx context.Context, c *client) error {
			var changed object
			if err := c.do(ctx, http.MethodPut, k.path+part(args[0]), fields, &changed); err != nil {
				return err
			}
			return o.done(k.shape, "updated", []object{changed})
		})
	}
	cmd.Flags().StringArrayVarP(&pairs, "property", "p", nil, "`KEY=VALUE` to set (repeatable)")
	cmd.Flags().BoolVar(&stdin, "stdin", false, "read the fields as JSON objects from standard input, one a line")
	formats(cmd)
	return cmd
}

// onEach is a command that does one thing to each consumer named.
func (o *Options) onEach(
	k consumerKind, verb, title, done string, aliases []string, do func(context.Context, *client, consumerKind, object) error,
) *cobra.Command {
	short := fmt.Sprintf("%s %s, by name or id", title, k.key)
	switch {
	case verb == "remove" && k.word == "user":
		short += ", with their applications and credentials"
	case verb == "remove":
		short += ", with their credentials"
	case verb == "deactivate" && k.word == "user":
		short += ", and their applications"
	}
	cmd := &cobra.Command{
		Use: verb + " NAME...", Aliases: aliases, Short: short, Args: atLeastOne("NAME"),
		ValidArgsFunction: o.complete(k.names),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.with(cmd.Context(), func(ctx context.Context, c *client) error {
				items, err := k.find(ctx, c, args) // all, before the first one is touched
				if err != nil {
					return err
				}
				for _, item := range items {
					if err := do(ctx, c, k, item); err != nil {
						return err
					}
					if err := o.done(k.shape, done, []object{item}); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	app.Formats(cmd, nameFormat)
	return cmd
}

func removeConsumer(ctx context.Context, c *client, k consumerKind, item object) error {
	return c.do(ctx, http.MethodDelete, k.path+part(idOf(item)), nil, nil)
}

func setActive(active bool) func(context.Context, *client, consumerKind, object) error {
	return func(ctx context.Context, c *client, k consumerKind, item object) error {
		return c.do(ctx, http.MethodPut, k.path+part(idOf(item))+"/status", object{"status": active}, nil)
	}
}

func atLeastOne(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return app.Usage(cmd, fmt.Sprintf("%s needs %s", cmd.CommandPath(), name))
		}
		return nil
	}
}
