package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/check"
	"egk8s.dev/egk8s/cmd/internal/cli/clouds"
	"egk8s.dev/egk8s/cmd/internal/cli/completion"
	"egk8s.dev/egk8s/cmd/internal/cli/credentials"
	"egk8s.dev/egk8s/cmd/internal/cli/deploy"
	"egk8s.dev/egk8s/cmd/internal/cli/destroy"
	"egk8s.dev/egk8s/cmd/internal/cli/dev"
	"egk8s.dev/egk8s/cmd/internal/cli/diff"
	"egk8s.dev/egk8s/cmd/internal/cli/events"
	"egk8s.dev/egk8s/cmd/internal/cli/helptopic"
	"egk8s.dev/egk8s/cmd/internal/cli/history"
	"egk8s.dev/egk8s/cmd/internal/cli/image"
	"egk8s.dev/egk8s/cmd/internal/cli/initcmd"
	"egk8s.dev/egk8s/cmd/internal/cli/logs"
	"egk8s.dev/egk8s/cmd/internal/cli/manage"
	"egk8s.dev/egk8s/cmd/internal/cli/portforward"
	"egk8s.dev/egk8s/cmd/internal/cli/render"
	"egk8s.dev/egk8s/cmd/internal/cli/rollback"
	"egk8s.dev/egk8s/cmd/internal/cli/schema"
	"egk8s.dev/egk8s/cmd/internal/cli/status"
	"egk8s.dev/egk8s/cmd/internal/cli/validate"
	"egk8s.dev/egk8s/cmd/internal/cli/version"
)

// NewRoot returns the egk8s command with all its subcommands.
func NewRoot(a *app.App) *cobra.Command {
	root := app.Group(&cobra.Command{
		Use:   "egk8s",
		Short: "Put an API gateway on Kubernetes and prove that it serves",
		Long: "egk8s puts an API gateway on a Kubernetes cluster and proves that it serves.\n" +
			"The gateway reads Express Gateway's files (gateway.config.yml, system.config.yml) unchanged.",
		Example: "  egk8s init                      start a project in this folder\n" +
			"  egk8s deploy --cloud kind       deploy it and watch it become healthy\n" +
			"  egk8s status --watch            see how it is",
		SilenceErrors: true,
		SilenceUsage:  true,
	})
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetIn(a.IO.In)
	root.SetOut(a.IO.Out)
	root.SetErr(a.IO.Err)
	a.Flags.Bind(root.PersistentFlags())
	root.SetFlagErrorFunc(flagError)
	root.SetHelpFunc(helptopic.Print)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return prepare(a, cmd) }
	root.AddGroup(
		&cobra.Group{ID: "project", Title: "A project in a folder:"},
		&cobra.Group{ID: "cluster", Title: "A gateway in a cluster:"},
		&cobra.Group{ID: manage.GroupID, Title: "Who may call it:"},
		&cobra.Group{ID: "parts", Title: "Its parts:"},
	)
	addCommands(root, a)
	offerValues(root)
	root.SetHelpCommand(helptopic.New(a))
	return root
}

func addCommands(root *cobra.Command, a *app.App) {
	root.AddCommand(
		initcmd.New(a, nil),
		validate.New(a, nil),
		dev.New(a, nil),
		render.New(a, nil),
		image.New(a, nil),
		clouds.New(a),
		credentials.New(a, nil),
		check.New(a, nil),
		diff.New(a, nil),
		deploy.New(a, nil),
		status.New(a, nil),
		history.New(a, nil),
		rollback.New(a, nil),
		logs.New(a, nil),
		events.New(a, nil),
		portforward.New(a, nil),
		destroy.New(a, nil),
		manage.Users(a),
		manage.Apps(a),
		manage.Scopes(a),
		manage.Tokens(a),
		schema.New(a),
		version.New(a, nil),
		completion.New(a),
	)
}

// prepare applies the environment and the global flags before a command runs.
func prepare(a *app.App, cmd *cobra.Command) error {
	if err := app.FromEnvironment(cmd, a.Getenv); err != nil {
		return err
	}
	if err := a.Flags.Check(); err != nil {
		return err
	}
	if a.Getenv("RUNNER_DEBUG") == "1" && a.Flags.Verbose == 0 {
		a.Flags.Verbose = 1
	}
	a.IO.Color = a.Flags.Color
	a.IO.NoInput = a.Flags.NoInput
	return app.CheckFormat(cmd, a.Flags.Output)
}

// flagError turns what pflag says into a UsageError with a suggestion.
func flagError(cmd *cobra.Command, err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return app.Usage(cmd, err.Error())
	}
	name := unknown.GetSpecifiedName()
	if group := unknown.GetSpecifiedShortnames(); group != "" {
		return app.Usage(cmd, fmt.Sprintf("unknown flag -%s for %q", name, cmd.CommandPath()))
	}
	e := app.Usage(cmd, fmt.Sprintf("unknown flag --%s for %q", name, cmd.CommandPath()))
	names := []string{}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	if near := app.Nearest(name, names); near != "" {
		e.Help = fmt.Sprintf("did you mean --%s?", near)
	}
	return e
}
