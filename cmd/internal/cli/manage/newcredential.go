package manage

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/cmd/internal/cli/output"
)

// newCredential are the inputs of credentials create.
type newCredential struct {
	*Options
	consumer, kind string
	keyID          string
	pairs, scopes  []string
	stdin          bool
	secretStdin    bool
}

func createCredential(o *Options) *cobra.Command {
	n := &newCredential{Options: o}
	cmd := &cobra.Command{
		Use: "create", Short: "Create credentials in a running gateway and print their secrets once",
		Long: "Create credentials in a running gateway and print their secrets once: on a terminal, or in the document of\n" +
			"-o json. A secret that would only end in a pipe or in a log is not made.",
		Example: "  egk8s credentials create --consumer alice --type key-auth --scope read\n" +
			"  printf %s \"$PASSWORD\" | egk8s credentials create -c alice -t basic-auth --secret-stdin\n" +
			"  egk8s credentials create --stdin -o json < keys.ndjson     # {\"consumer\":\"alice\",\"type\":\"key-auth\"}",
		Args: app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return n.run(cmd) },
	}
	fs := cmd.Flags()
	fs.StringVarP(&n.consumer, "consumer", "c", "", "`NAME` or id of a user or an application")
	typeFlag(cmd, &n.kind, "one of")
	fs.StringVar(&n.keyID, "key-id", "", "`ID` of a key-auth or jwt key (default: generated)")
	fs.StringSliceVar(&n.scopes, "scope", nil, "`SCOPES` that the credential has")
	fs.StringArrayVarP(&n.pairs, "property", "p", nil, "`KEY=VALUE` of the model's fields (repeatable)")
	fs.BoolVar(&n.secretStdin, "secret-stdin", false, "read the secret from standard input instead of generating it")
	fs.BoolVar(&n.stdin, "stdin", false, "read JSON objects from standard input, one a line")
	formats(cmd)
	return cmd
}

func (n *newCredential) run(cmd *cobra.Command) error {
	base, err := properties(n.pairs)
	if err != nil {
		return err
	}
	for name, value := range map[string]string{"consumer": n.consumer, "type": n.kind, "keyId": n.keyID} {
		if value != "" {
			base[name] = value
		}
	}
	if n.scopes != nil {
		base["scopes"] = n.scopes
	}
	switch {
	case n.stdin && n.secretStdin:
		return app.Usage(cmd, "--stdin and --secret-stdin both read standard input")
	case n.secretStdin:
		if err := n.readSecret(base); err != nil {
			return err
		}
	}
	if !n.stdin {
		if err := n.check(base); err != nil {
			return err
		}
	}
	return n.with(cmd.Context(), func(ctx context.Context, c *client) error {
		if n.stdin {
			return n.many(ctx, c, base)
		}
		made, err := n.post(ctx, c, base)
		if err != nil {
			return err
		}
		return n.print([]object{made})
	})
}

// many creates one credential for each line. What was made before an error is shown, too: its secrets are
// nowhere else.
func (n *newCredential) many(ctx context.Context, c *client, base object) error {
	var made []object
	err := n.each(base, func(fields object) error {
		if err := n.check(fields); err != nil {
			return err
		}
		item, err := n.post(ctx, c, fields)
		if err == nil {
			made = append(made, item)
		}
		return err
	})
	if len(made) == 0 {
		return err
	}
	if shown := n.print(made); err == nil {
		return shown
	}
	return err
}

// check refuses what lacks something, and a secret that nobody would see.
func (n *newCredential) check(fields object) error {
	kind := textOf(fields["type"])
	if textOf(fields["consumer"]) == "" || kind == "" {
		return &exit.UsageError{Message: "a credential needs a consumer and a type", Hint: []string{"--consumer NAME --type key-auth"}}
	}
	if err := app.OneOf("type", kind, credentialTypes()); err != nil {
		return err
	}
	given := slices.ContainsFunc(secretFields(), func(name string) bool { return textOf(fields[name]) != "" })
	if given || kind == jwtType || n.App.IO.OutTTY || output.IsDocument(n.App.Flags.Output) {
		return nil
	}
	return &exit.UsageError{
		Message: "the secret would be shown once, and not to a terminal",
		Hint:    []string{"-o json puts it into the document; --secret-stdin takes one that you have"},
	}
}

func secretFields() []string { return []string{"keySecret", "password", "secret"} }

func (n *newCredential) readSecret(base object) error {
	text, err := io.ReadAll(io.LimitReader(n.App.IO.In, 1<<16))
	if err != nil {
		return &exit.UsageError{Message: fmt.Sprintf("read secret: %v", err)}
	}
	secret := strings.TrimRight(string(text), "\r\n")
	if secret == "" {
		return &exit.UsageError{Message: "no secret on standard input"}
	}
	base[secretField(textOf(base["type"]))] = secret
	return nil
}

func secretField(kind string) string {
	switch kind {
	case basicAuth:
		return "password"
	case oauth2:
		return "secret"
	default:
		return "keySecret"
	}
}

// post creates a credential. The answer's secret is left only where it was generated.
func (n *newCredential) post(ctx context.Context, c *client, fields object) (object, error) {
	owner, kind := textOf(fields["consumer"]), textOf(fields["type"])
	id, err := ownerID(ctx, c, owner)
	if err != nil {
		return nil, err
	}
	credential := object{}
	for name, value := range fields {
		if name != "consumer" && name != "type" {
			credential[name] = value
		}
	}
	var made object
	err = c.do(ctx, http.MethodPost, "/credentials", object{"consumerId": id, "type": kind, "credential": credential}, &made)
	if err != nil {
		return nil, err
	}
	own, usual := textOf(made["passwordKey"]), secretField(kind)
	if own != "" && own != usual && made[own] != nil { // the model calls a password something else
		made[usual] = made[own]
		delete(made, own)
	}
	for _, name := range []string{"autoGeneratePassword", "passwordKey"} {
		delete(made, name)
	}
	for _, name := range secretFields() {
		if textOf(fields[name]) != "" {
			delete(made, name)
		}
	}
	made["type"], made["consumer"] = kind, owner
	return made, nil
}

// print shows what was made, with the secrets that were generated.
func (n *newCredential) print(made []object) error {
	if n.App.Flags.Output != "" {
		return n.info(credentialShape(), made)
	}
	for _, one := range made {
		if err := n.done(credentialShape(), "created for "+textOf(one["consumer"]), []object{one}); err != nil {
			return err
		}
		secret, field := "", ""
		for _, name := range secretFields() {
			if text := textOf(one[name]); text != "" {
				secret, field = text, name
			}
		}
		if secret == "" || !n.App.IO.OutTTY {
			continue // a jwt key's secret plays no part
		}
		fmt.Fprintf(n.App.IO.Out, "  %-10s %s\n", field, secret)
		if one["type"] == keyAuth {
			fmt.Fprintf(n.App.IO.Out, "  %-10s Authorization: apiKey %s:%s\n", "use", textOf(one["keyId"]), secret)
		}
		fmt.Fprintln(n.App.IO.Err, "The secret above is shown once.")
	}
	return nil
}
