package manage

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
)

const kindCredential = "Credential"

const (
	keyAuth   = "key-auth"
	basicAuth = "basic-auth"
	jwtType   = "jwt"
	oauth2    = "oauth2"
)

func credentialTypes() []string { return []string{keyAuth, basicAuth, jwtType, oauth2} }

func credentialShape() shape {
	return shape{
		kind: kindCredential,
		// A password's id is its consumer's.
		id: func(o object) string { return textOf(o["type"]) + "/" + idOf(o) },
		columns: []column{
			field("TYPE", "type"), field("ID", "id"),
			{"CONSUMER", func(o object) string {
				if owner := textOf(o["consumerId"]); owner != "" {
					return owner
				}
				return idOf(o)
			}},
			field("ACTIVE", "isActive"), field("SCOPES", "scopes"),
		},
	}
}

// Credentials returns the commands for credentials of a running gateway.
func Credentials(a *app.App) []*cobra.Command {
	o := NewOptions(a)
	commands := []*cobra.Command{
		createCredential(o), listCredentials(o), infoCredential(o),
		o.onEachCredential("activate", "Let credentials count again", true),
		o.onEachCredential("deactivate", "Let credentials count no more", false),
	}
	scopes := app.Group(&cobra.Command{Use: "scopes", Aliases: []string{"scope"}, Short: "Change the scopes of a credential of a running gateway"})
	for _, verb := range []string{"add", "remove", "set"} {
		scopes.AddCommand(o.credentialScopes(verb))
	}
	for _, cmd := range slices.Concat(commands, scopes.Commands()) {
		o.Bind(cmd)
	}
	return append(commands, scopes)
}

// reference is a credential as arguments name it: TYPE/ID, or ID with a type beside it.
type reference struct{ kind, id string }

func (r reference) path() string { return "/credentials" + part(r.kind) + part(r.id) }

func parseReference(text, kind string) (reference, error) {
	r := reference{kind: kind, id: text}
	if kind == "" {
		r.kind, r.id, _ = strings.Cut(text, "/")
	}
	if !slices.Contains(credentialTypes(), r.kind) || r.id == "" {
		return r, &exit.UsageError{
			Message: fmt.Sprintf("%q names no credential", text),
			Hint:    []string{"TYPE/ID as egk8s credentials list -o name prints it, such as key-auth/k1; or ID with --type"},
		}
	}
	return r, nil
}

// resolve gives a password the id of its consumer, who may be named.
func (r reference) resolve(ctx context.Context, c *client) (reference, error) {
	if r.kind != basicAuth && r.kind != oauth2 {
		return r, nil
	}
	id, err := ownerID(ctx, c, r.id)
	return reference{r.kind, id}, err
}

// ownerID finds a user by name or id, else an application.
func ownerID(ctx context.Context, c *client, name string) (string, error) {
	var found object
	err := c.do(ctx, http.MethodGet, "/users"+part(name), nil, &found)
	if isMissing(err) {
		err = c.do(ctx, http.MethodGet, "/apps"+part(name), nil, &found)
		if isMissing(err) {
			err = &exit.Error{Code: exit.NotFound, Err: fmt.Errorf("there is no user or application %q", name)}
		}
	}
	return idOf(found), err
}

// get reads a credential without its secret.
func (r reference) get(ctx context.Context, c *client) (object, error) {
	var found object
	if err := c.do(ctx, http.MethodGet, r.path(), nil, &found); err != nil {
		return nil, err
	}
	if found == nil {
		return nil, &exit.Error{Code: exit.NotFound, Err: fmt.Errorf("there is no %s credential %q", r.kind, r.id)}
	}
	return bare(found), nil
}

// bare is a credential as it may be shown again: a secret is shown once, when it is made.
func bare(o object) object {
	for _, name := range []string{"keySecret", "password", "secret"} {
		delete(o, name)
	}
	return o
}

func credentialNames(ctx context.Context, c *client) ([]string, error) {
	list, err := readCredentials(ctx, c, "")
	names := make([]string, len(list))
	for i, one := range list {
		names[i] = credentialShape().id(one)
	}
	return names, err
}

func readCredentials(ctx context.Context, c *client, consumer string) ([]object, error) {
	path := "/credentials"
	if consumer != "" {
		id, err := ownerID(ctx, c, consumer)
		if err != nil {
			return nil, err
		}
		path += part(id)
	}
	var answer struct {
		Credentials []object `json:"credentials"`
	}
	err := c.do(ctx, http.MethodGet, path, nil, &answer)
	for _, one := range answer.Credentials {
		bare(one)
	}
	return answer.Credentials, err
}

func listCredentials(o *Options) *cobra.Command {
	var consumer, kind string
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List credentials of a running gateway, without secrets",
		Example: "  egk8s credentials list\n  egk8s credentials list --consumer alice --type key-auth",
		Args:    app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if kind != "" {
				if err := app.OneOf("type", kind, credentialTypes()); err != nil {
					return err
				}
			}
			return o.with(cmd.Context(), func(ctx context.Context, c *client) error {
				list, err := readCredentials(ctx, c, consumer)
				if err != nil {
					return err
				}
				return o.list(credentialShape(), slices.DeleteFunc(list, func(one object) bool { return kind != "" && one["type"] != kind }))
			})
		},
	}
	cmd.Flags().StringVarP(&consumer, "consumer", "c", "", "only those of a `USER` or application, by name or id")
	typeFlag(cmd, &kind, "only those of one type")
	formats(cmd)
	return cmd
}

func typeFlag(cmd *cobra.Command, kind *string, usage string) {
	cmd.Flags().StringVarP(kind, "type", "t", "", "`TYPE`: "+usage+": "+strings.Join(credentialTypes(), ", "))
	_ = cmd.RegisterFlagCompletionFunc("type", cobra.FixedCompletions(credentialTypes(), cobra.ShellCompDirectiveNoFileComp)) // the flag is there
}

func infoCredential(o *Options) *cobra.Command {
	var kind string
	cmd := &cobra.Command{
		Use: "info TYPE/ID...", Short: "Show credentials of a running gateway, without secrets",
		Example:           "  egk8s credentials info key-auth/k1\n  egk8s credentials info basic-auth/alice",
		Args:              atLeastOne("TYPE/ID"),
		ValidArgsFunction: o.complete(credentialNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.with(cmd.Context(), func(ctx context.Context, c *client) error {
				_, items, err := findCredentials(ctx, c, args, kind)
				if err != nil {
					return err
				}
				return o.info(credentialShape(), items)
			})
		},
	}
	typeFlag(cmd, &kind, "that of the credentials, whose ids stand alone then")
	formats(cmd)
	return cmd
}

func findCredentials(ctx context.Context, c *client, args []string, kind string) ([]reference, []object, error) {
	refs, items := make([]reference, len(args)), make([]object, len(args))
	for i, text := range args {
		r, err := parseReference(text, kind)
		if err != nil {
			return nil, nil, err
		}
		if refs[i], err = r.resolve(ctx, c); err != nil {
			return nil, nil, err
		}
		if items[i], err = refs[i].get(ctx, c); err != nil {
			return nil, nil, err
		}
	}
	return refs, items, nil
}

func (o *Options) onEachCredential(verb, short string, active bool) *cobra.Command {
	var kind string
	cmd := &cobra.Command{
		Use: verb + " TYPE/ID...", Short: short,
		Example:           "  egk8s credentials " + verb + " key-auth/k1",
		Args:              atLeastOne("TYPE/ID"),
		ValidArgsFunction: o.complete(credentialNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.with(cmd.Context(), func(ctx context.Context, c *client) error {
				refs, items, err := findCredentials(ctx, c, args, kind)
				if err != nil {
					return err
				}
				for i, r := range refs {
					if err := c.do(ctx, http.MethodPut, r.path()+"/status", object{"status": active}, nil); err != nil {
						return err
					}
					if err := o.done(credentialShape(), verb+"d", items[i:i+1]); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	typeFlag(cmd, &kind, "that of the credentials, whose ids stand alone then")
	app.Formats(cmd, nameFormat)
	return cmd
}

func (o *Options) credentialScopes(verb string) *cobra.Command {
	var kind string
	short := map[string]string{"add": "Give a credential more scopes", "remove": "Take scopes from a credential", "set": "Give a credential exactly these scopes"}
	cmd := &cobra.Command{
		Use: verb + " TYPE/ID SCOPE...", Short: short[verb],
		Example: "  egk8s credentials scopes " + verb + " key-auth/k1 read write",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 || len(args) == 1 && verb != "set" {
				return app.Usage(cmd, cmd.CommandPath()+" needs TYPE/ID and SCOPE")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.with(cmd.Context(), func(ctx context.Context, c *client) error {
				refs, _, err := findCredentials(ctx, c, args[:1], kind)
				if err != nil {
					return err
				}
				if err := changeScopes(ctx, c, refs[0], verb, args[1:]); err != nil {
					return err
				}
				item, err := refs[0].get(ctx, c)
				if err != nil {
					return err
				}
				return o.done(credentialShape(), "has scopes "+textOf(item["scopes"]), []object{item})
			})
		},
	}
	typeFlag(cmd, &kind, "that of the credential, whose id stands alone then")
	formats(cmd)
	return cmd
}

func changeScopes(ctx context.Context, c *client, r reference, verb string, scopes []string) error {
	path := r.path() + "/scopes"
	method := http.MethodPut
	switch verb {
	case "set":
		return c.do(ctx, method, path, object{"scopes": scopes}, nil)
	case "remove":
		method = http.MethodDelete
	}
	for _, scope := range scopes {
		if err := c.do(ctx, method, path+part(scope), object{}, nil); err != nil {
			return err
		}
	}
	return nil
}
