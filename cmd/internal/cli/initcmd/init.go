// Package initcmd is the command that starts a project: from flags, from answers, or from both, always
// the same files.
package initcmd

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/cmd/internal/cli/prompt"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/cloud"
	"egk8s.dev/egk8s/deployer/migrate"
	"egk8s.dev/egk8s/deployer/project"
)

// Options are the inputs and collaborators of the command.
type Options struct {
	App *app.App

	Dir        string
	From       string // a folder of Express Gateway to copy
	Name       string
	Cloud      string
	Repository string
	Pipeline   string
	Force      bool
	// Upstreams are addresses in the cluster of service endpoints, for --from.
	Upstreams   map[string]string
	MoveSecrets bool
	adopted     bool            // config/ was there
	migration   *migrate.Result // of a folder of Express Gateway; nil: a new project
	prompter    *prompt.Prompter
	Yes         bool

	Profiles  func() (*cloud.Profiles, error)
	Pipelines func() []string
	Scaffold  func(project.ScaffoldOptions) ([]project.NewFile, error)
}

// none is the answer for a project without a pipeline.
const none = "none"

// New returns the command. run replaces what it does, in tests.
func New(a *app.App, run func(context.Context, *Options) error) *cobra.Command {
	if run == nil {
		run = Run
	}
	o := &Options{App: a, Profiles: profiles, Pipelines: project.Pipelines, Scaffold: project.Scaffold}
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Start a project in a folder",
		Long: "Start a project: egk8s.yaml, the gateway's files in config/, and a pipeline if you ask for one.\n" +
			"A config/ folder of Express Gateway that is there already is taken as it is; models/ is added if missing.\n" +
			"--from copies one of elsewhere, unchanged, with the files that it names. In both cases egk8s.yaml is filled in\n" +
			"from what stands beside it (package.json, Dockerfile, docker-compose file, Kubernetes manifests, .env), and\n" +
			"MIGRATION.md says for each thing found: works, better than before, mapped to what, or needs you and why.\n" +
			"What no flag says is asked; --no-input makes a missing answer an error. Nothing is overwritten\n" +
			"without --force, and nothing is written before the last answer.",
		Example: "  egk8s init\n" +
			"  egk8s init shop --name shop --cloud kind --no-input\n" +
			"  egk8s init shop --from ../express-gateway --upstream customers=http://customers.shop.svc:8080\n" +
			"  egk8s init --cloud gke --repository europe-docker.pkg.dev/my/repo/gateway --pipeline github",
		GroupID: "project",
		Args:    app.MaxArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Dir = "."
			if len(args) > 0 {
				o.Dir = args[0]
			}
			return run(cmd.Context(), o)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&o.From, "from", "", "copy the config of the Express Gateway folder `DIR`")
	fs.StringToStringVar(&o.Upstreams, "upstream", nil, "`NAME=URL`: address in the cluster of a service endpoint; for --from, may be repeated")
	fs.BoolVar(&o.MoveSecrets, "move-secrets", false, "with --from: put secrets that stand in the files into .env, and ${NAME} in their place")
	fs.StringVar(&o.Name, "name", "", "`NAME` of the release")
	fs.StringVar(&o.Cloud, "cloud", "", "`PROFILE` of the cloud that the project is for; a deploy may name another")
	fs.StringVar(&o.Repository, "repository", "", "`REPOSITORY` that the gateway image is pushed to")
	fs.StringVar(&o.Pipeline, "pipeline", "", "also write a pipeline: "+strings.Join(append(o.Pipelines(), none), ", "))
	fs.BoolVar(&o.Force, "force", false, "overwrite egk8s.yaml and the pipeline; config/ is never overwritten")
	fs.BoolVarP(&o.Yes, "yes", "y", false, "do not ask: take the defaults for what no flag says")
	return cmd
}

func profiles() (*cloud.Profiles, error) {
	p, problems := deployer.Clouds(".")
	return p, problems.Err()
}

// Run completes the answers, then writes the files.
func Run(ctx context.Context, o *Options) error {
	clouds, err := o.Profiles()
	if err != nil {
		return err
	}
	if err := o.check(clouds); err != nil {
		return err
	}
	switch {
	case o.Yes:
		o.defaults()
	case o.App.IO.NoInput || o.App.IO.CI():
		if err := o.complete(); err != nil {
			return err
		}
	default:
		if err := o.ask(ctx, clouds); err != nil {
			return err
		}
	}
	o.adopted = o.adopts()
	if err := o.migrate(ctx); err != nil {
		return err
	}
	files, err := o.files(clouds)
	if err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return err // interrupted at the last question: nothing is written
	}
	if err := write(o.Dir, files, o.Force); err != nil {
		return err
	}
	return o.report(files)
}

func (o *Options) check(clouds *cloud.Profiles) error {
	if o.Name != "" {
		if err := project.CheckName(o.Name); err != nil {
			return &exit.UsageError{Message: err.Error()}
		}
	}
	if o.Cloud != "" {
		if err := app.OneOf("cloud", o.Cloud, clouds.Names()); err != nil {
			return err
		}
	}
	if o.Pipeline != "" {
		return app.OneOf("pipeline", o.Pipeline, append(o.Pipelines(), none))
	}
	return nil
}

// defaults are the answers of somebody who does not care.
func (o *Options) defaults() {
	if o.Name == "" {
		o.Name = o.folderName()
	}
	if o.Pipeline == "" {
		o.Pipeline = none
	}
}

// complete refuses to guess where nobody can be asked.
func (o *Options) complete() error {
	missing := []string{}
	if o.Name == "" {
		missing = append(missing, "--name")
	}
	if o.Cloud == "" {
		missing = append(missing, "--cloud")
	}
	if len(missing) > 0 {
		return prompt.Missing(strings.Join(missing, ", "))
	}
	o.defaults()
	return nil
}

// prompt is the one prompter of the command: it reads ahead.
func (o *Options) prompt() *prompt.Prompter {
	if o.prompter == nil {
		o.prompter = prompt.New(o.App.IO)
	}
	return o.prompter
}

func (o *Options) ask(ctx context.Context, clouds *cloud.Profiles) error {
	p := o.prompt()
	var err error
	if o.Name == "" {
		if o.Name, err = p.Checked(ctx, "Name of the release", o.folderName(), "--name", project.CheckName); err != nil {
			return err
		}
	}
	if o.Cloud == "" {
		if o.Cloud, err = p.Choice(ctx, "Where will it run?", ordered(clouds.Names()), "--cloud"); err != nil {
			return err
		}
	}
	profile, err := clouds.Get(o.Cloud)
	if err != nil {
		return err
	}
	if o.Repository == "" && profile.Image.Delivery == cloud.Push && profile.Name != "local" {
		o.Repository, err = p.Text(ctx, "Registry repository for the gateway image, e.g. "+profile.Image.Example+" (empty: later)", "", "--repository")
		if err != nil {
			return err
		}
	}
	if o.Pipeline == "" && len(o.Pipelines()) > 0 {
		o.Pipeline, err = p.Choice(ctx, "Write a pipeline for", append([]string{none}, o.Pipelines()...), "--pipeline")
	}
	return err
}

// ordered puts kind first: it is the cloud that everybody has.
func ordered(names []string) []string {
	names = slices.Clone(names)
	if i := slices.Index(names, "kind"); i > 0 {
		names = slices.Insert(slices.Delete(names, i, i+1), 0, "kind")
	}
	return names
}

// files are those to write: the copied ones stand in place of the scaffold's.
func (o *Options) files(clouds *cloud.Profiles) ([]project.NewFile, error) {
	opts := project.ScaffoldOptions{
		Name: o.Name, Cloud: o.Cloud, Repository: o.Repository, Pipeline: o.Pipeline, Adopt: o.adopted || o.From != "",
	}
	copied := o.copied()
	if o.migration != nil {
		opts.Found = o.migration.Found
	}
	if o.Cloud != "" {
		profile, err := clouds.Get(o.Cloud)
		if err != nil {
			return nil, err
		}
		opts.NeedsRepository = profile.Image.Delivery == cloud.Push
		opts.ExampleRepository = profile.Image.Example
	}
	files, err := o.Scaffold(opts)
	if err != nil {
		return nil, &exit.UsageError{Message: err.Error()}
	}
	if o.adopted {
		files = slices.DeleteFunc(files, func(f project.NewFile) bool {
			_, err := os.Lstat(filepath.Join(o.Dir, filepath.FromSlash(f.Path)))
			return strings.HasPrefix(f.Path, "config/") && err == nil
		})
	}
	files = slices.DeleteFunc(files, func(f project.NewFile) bool {
		return slices.ContainsFunc(copied, func(c project.NewFile) bool { return c.Path == f.Path })
	})
	files = append(copied, files...)
	slices.SortFunc(files, func(a, b project.NewFile) int { return strings.Compare(a.Path, b.Path) })
	return files, nil
}

// adopts tells whether the folder holds Express Gateway's files already: they are taken as they are,
// also with --force.
func (o *Options) adopts() bool {
	for _, name := range []string{"gateway.config.yml", "gateway.config.yaml", "gateway.config.json"} {
		if _, err := os.Stat(filepath.Join(o.Dir, "config", name)); err == nil {
			return true
		}
	}
	return false
}

// folderName makes a name of the folder's: lower case, dashes for what a name cannot have.
func (o *Options) folderName() string {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return "gateway"
	}
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		default:
			return '-'
		}
	}, filepath.Base(dir))
	name = strings.TrimLeft(name, "-0123456789")
	name = strings.TrimRight(name[:min(len(name), project.MaxName)], "-")
	if name == "" {
		return "gateway"
	}
	return name
}
