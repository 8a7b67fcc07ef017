// Package credentials are the commands that make entries of a consumers file, beside those for credentials of
// a running gateway.
package credentials

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/cmd/internal/cli/manage"
	"egk8s.dev/egk8s/cmd/internal/cli/output"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/offline"
)

// Options are the inputs and collaborators of both commands.
type Options struct {
	App    *app.App
	Output string

	Consumer    string
	Type        string
	KeyID       string
	Scopes      []string
	CreateUser  bool
	SecretStdin bool
	Consumers   string // file; empty: the project's

	Add func(path string, ask offline.NewCredential) (offline.Credential, error)
}

// Document is what new -o json prints. It is the only time that the secret is shown.
type Document struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Type       string `json:"type"`
	Consumer   string `json:"consumer"`
	KeyID      string `json:"keyId,omitempty"`
	KeySecret  string `json:"keySecret,omitempty"`
	Password   string `json:"password,omitempty"`
	File       string `json:"file"`
	UserAdded  bool   `json:"userAdded,omitempty"`
}

// New returns the commands. run replaces what they do, in tests; it is called with the name of the
// subcommand.
func New(a *app.App, run func(context.Context, string, *Options) error) *cobra.Command {
	if run == nil {
		run = Run
	}
	group := app.Group(&cobra.Command{
		Use:     "credentials",
		Aliases: []string{"credential"},
		Short:   "Manage the keys and passwords of consumers",
		Long: "Manage the keys and passwords of consumers.\n" +
			"new and hash write the project's consumers file, which the next deploy takes along; the others ask a\n" +
			"running gateway, whose store must take changes, such as Redis.",
		GroupID: manage.GroupID,
	})
	o := &Options{App: a, Add: offline.AddCredential}
	create := &cobra.Command{
		Use:   "new",
		Short: "Add a credential to the project's consumers and print its secret once",
		Long: "Add a credential to the project's consumers file. The file keeps only a hash; the secret is printed\n" +
			"once, on standard output, and stored nowhere.",
		Example: "  egk8s credentials new --consumer alice --create-user\n" +
			"  egk8s credentials new --consumer shop --type basic-auth -o json\n" +
			"  printf %s \"$SECRET\" | egk8s credentials new --consumer alice --secret-stdin",
		Args: app.NoArgs,
	}
	fs := create.Flags()
	fs.StringVar(&o.Consumer, "consumer", "", "`NAME` of a user or an application")
	fs.StringVar(&o.KeyID, "key-id", "", "`ID` of a key-auth or jwt key (default: generated)")
	fs.StringSliceVar(&o.Scopes, "scope", nil, "`SCOPES` that the credential has")
	fs.BoolVar(&o.CreateUser, "create-user", false, "add the user too when there is nobody of that name")
	fs.StringVar(&o.Consumers, "consumers", "", "consumers `FILE` (default: the project's)")
	app.Formats(create, output.JSON, output.YAML)
	hash := &cobra.Command{
		Use:     "hash",
		Short:   "Print the hash of a secret, as consumers.yml keeps it",
		Example: "  printf %s \"$SECRET\" | egk8s credentials hash --type key-auth",
		Args:    app.NoArgs,
	}
	for _, cmd := range []*cobra.Command{create, hash} {
		cmd.Flags().StringVar(&o.Type, "type", "key-auth", "type: "+strings.Join(offline.CredentialTypes(), ", "))
		name := cmd.Name()
		cmd.RunE = func(cmd *cobra.Command, _ []string) error {
			o.Output = a.Flags.Output
			if err := app.OneOf("type", o.Type, offline.CredentialTypes()); err != nil {
				return err
			}
			return run(cmd.Context(), name, o)
		}
		group.AddCommand(cmd)
	}
	create.Flags().BoolVar(&o.SecretStdin, "secret-stdin", false, "read the secret from standard input instead of generating it")
	group.AddCommand(manage.Credentials(a)...)
	return group
}

// Run runs the subcommand of that name.
func Run(_ context.Context, name string, o *Options) error {
	if name == "hash" {
		return o.hash()
	}
	return o.create()
}

func (o *Options) create() error {
	if o.Consumer == "" {
		return &exit.UsageError{Message: "credentials new needs --consumer", Hint: []string{"the name of a user or an application of the consumers file"}}
	}
	file, err := o.file()
	if err != nil {
		return err
	}
	secret := ""
	if o.SecretStdin {
		if secret, err = o.readSecret(); err != nil {
			return err
		}
	}
	made, err := o.Add(file, offline.NewCredential{
		Type: o.Type, Consumer: o.Consumer, KeyID: o.KeyID, Secret: secret, Scopes: o.Scopes, CreateUser: o.CreateUser,
	})
	if err != nil {
		return o.explain(err)
	}
	return o.print(made, file)
}

// explain adds how to make a consumer that is missing.
func (o *Options) explain(err error) error {
	var problems diag.Problems
	if !errors.As(err, &problems) || o.CreateUser {
		return err
	}
	for i, p := range problems {
		if p.Code == "unknown-consumer" && p.Hint == "" {
			problems[i].Hint = "--create-user adds the user too"
		}
	}
	return problems
}

// file returns the consumers file: the one given, else the project's.
func (o *Options) file() (string, error) {
	if o.Consumers != "" {
		return o.Consumers, nil
	}
	p, err := o.App.Project()
	if err != nil {
		return "", err
	}
	if p.Spec.Consumers == "" {
		return "", &exit.UsageError{
			Message: p.File + " names no consumers file",
			Hint:    []string{"add consumers: config/consumers.yml to its spec, or pass --consumers FILE"},
		}
	}
	return filepath.Join(p.Dir, filepath.FromSlash(p.Spec.Consumers)), nil
}

func (o *Options) print(made offline.Credential, file string) error {
	d := Document{
		APIVersion: "egk8s.dev/v1alpha1", Kind: "Credential", Type: made.Type, Consumer: made.Consumer, KeyID: made.KeyID,
		File: file, UserAdded: made.UserAdded,
	}
	isKey := made.KeyID != ""
	if isKey {
		d.KeySecret = made.Secret
	} else {
		d.Password = made.Secret
	}
	if output.IsDocument(o.Output) {
		return output.Write(o.App.IO.Out, o.Output, d)
	}
	fmt.Fprintf(o.App.IO.Err, "Added to %s; the secret below is shown once and kept nowhere.\n", file)
	text := ""
	switch {
	case isKey && made.Secret != "":
		text = fmt.Sprintf("keyId      %s\nkeySecret  %s\nuse        Authorization: apiKey %s:%s\n", d.KeyID, d.KeySecret, d.KeyID, d.KeySecret)
	case isKey:
		text = fmt.Sprintf("keyId      %s\n", d.KeyID)
	default:
		text = fmt.Sprintf("username   %s\npassword   %s\n", made.Consumer, d.Password)
	}
	_, err := fmt.Fprint(o.App.IO.Out, text)
	return err
}

func (o *Options) hash() error {
	secret, err := o.readSecret()
	if err != nil {
		return err
	}
	field, hash, err := offline.HashSecret(o.Type, secret)
	if err != nil {
		return &exit.UsageError{Message: err.Error()}
	}
	_, err = fmt.Fprintf(o.App.IO.Out, "%s: %s\n", field, hash)
	return err
}

// readSecret reads the secret from standard input: never from an argument, which others can see.
func (o *Options) readSecret() (string, error) {
	if o.App.IO.InTTY {
		fmt.Fprint(o.App.IO.Err, "Secret, then ctrl+d: ")
	}
	data, err := io.ReadAll(io.LimitReader(o.App.IO.In, 1<<16))
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	secret := strings.TrimRight(string(data), "\r\n")
	if secret == "" {
		return "", &exit.UsageError{Message: "no secret on standard input", Hint: []string{"printf %s \"$SECRET\" | egk8s credentials hash"}}
	}
	return secret, nil
}
