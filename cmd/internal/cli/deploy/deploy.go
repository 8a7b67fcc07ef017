// Package deploy is the command that brings a project to a cluster and watches until it serves.
package deploy

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/cmd/internal/cli/output"
	"egk8s.dev/egk8s/cmd/internal/cli/prompt"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/gateway/version"
)

// Options are the inputs and collaborators of the command.
type Options struct {
	App    *app.App
	Output string

	Cloud             string
	Image             string
	Repository        string
	Timeout           time.Duration
	DryRun            string
	ExitCode          bool
	ForceConflicts    bool
	RollbackOnFailure bool
	Evidence          string
	PlanOut, Plan     string
	CreateNamespace   bool
	Yes               bool
	FailOn            string
	Prove             bool
	ProveRate         int
	ProveMaxLost      int // below 0: whatever is lost

	Project func() (*project.Project, error)
	Places  func() ([]app.Place, error) // where --env or --cloud name several
	Deploy  func(context.Context, deployer.DeployOptions, event.Sink) (*deployer.Result, error)
}

// New returns the command. run replaces what it does, in tests.
func New(a *app.App, run func(context.Context, *Options) error) *cobra.Command {
	if run == nil {
		run = Run
	}
	o := &Options{App: a, Deploy: deployer.Deploy}
	o.Project = func() (*project.Project, error) { return a.ProjectFor(o.Cloud) }
	o.Places = func() ([]app.Place, error) { return a.Places(o.Cloud) }
	cmd := &cobra.Command{
		Use:   "deploy",
		Short: "Deploy the project and watch until it serves",
		Long: "Deploy the project: deliver the gateway image, apply the objects, watch the rollout, and end with\n" +
			"requests that went through the gateway in a pod, or with the reason why they did not.\n" +
			"A deploy that changes nothing says so and writes no revision.",
		Example: "  egk8s deploy --cloud kind\n" +
			"  egk8s deploy --env production --rollback-on-failure\n" +
			"  egk8s deploy --env staging,production   # production only when staging is healthy\n" +
			"  egk8s deploy --prove --prove-max-lost 0 # fails when a single request is lost\n" +
			"  egk8s deploy --dry-run --exit-code      # 10: something would change\n" +
			"  egk8s deploy --plan-out shop.plan && egk8s deploy --plan shop.plan\n" +
			"  egk8s deploy -o json --report junit=egk8s.xml",
		GroupID: "cluster",
		Args:    app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Output = a.Flags.Output
			if err := o.check(); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&o.Cloud, "cloud", "", "`PROFILE` of the cloud, or several with commas between (default: the project's, then what the cluster shows)")
	fs.StringVar(&o.Image, "image", "", "`REFERENCE` of an image that the cluster can pull, instead of the one egk8s carries")
	fs.StringVar(&o.Repository, "repository", "", "`REPOSITORY` that the image is pushed to, instead of the project's")
	fs.DurationVar(&o.Timeout, "timeout", 5*time.Minute, "time limit of the run; of several targets, of each")
	fs.StringVar(&o.DryRun, "dry-run", "none", "show what would change: none, client, or server (the API server judges)")
	fs.Lookup("dry-run").NoOptDefVal = "server"
	fs.BoolVar(&o.ExitCode, "exit-code", false, "with --dry-run or --plan-out: end with 10 when something would change")
	fs.StringVar(&o.PlanOut, "plan-out", "", "write the plan to a `FILE`, with what must hold for it, and stop")
	fs.StringVar(&o.Plan, "plan", "", "carry out the plan of a `FILE`, only if it is still what would be done")
	fs.BoolVar(&o.ForceConflicts, "force-conflicts", false, "take over fields that others own")
	fs.BoolVar(&o.RollbackOnFailure, "rollback-on-failure", false, "go back to the last good revision when the deploy fails")
	fs.StringVar(&o.Evidence, "evidence", "", "`FOLDER` for the archive of what a failed deploy leaves behind: diagnosis, logs, events, objects\n(default with --rollback-on-failure: this folder; else none is kept)")
	fs.BoolVar(&o.CreateNamespace, "create-namespace", false, "create the namespace when it is missing")
	fs.StringVar(&o.FailOn, "fail-on", "", "refuse a configuration that answers requests differently in a `CLASS`: breaking, or review (and breaking)")
	fs.BoolVar(&o.Prove, "prove", false, "send steady traffic through the Service during the deploy and count what is lost")
	fs.IntVar(&o.ProveRate, "prove-rate", 50, "with --prove: `REQUESTS` a second, half of them on new connections")
	fs.IntVar(&o.ProveMaxLost, "prove-max-lost", -1, "with --prove: fail when more than `N` requests are lost (-1: never)")
	fs.BoolVarP(&o.Yes, "yes", "y", false, "do not ask before a deploy to a protected environment")
	app.Formats(cmd, output.JSON, output.YAML, "name")
	return cmd
}

func (o *Options) check() error {
	if err := app.OneOf("dry-run", o.DryRun, []string{"none", "client", "server"}); err != nil {
		return err
	}
	if o.ExitCode && o.DryRun == "none" && o.PlanOut == "" {
		return &exit.UsageError{Message: "--exit-code goes with --dry-run or --plan-out", Help: "egk8s deploy --dry-run --exit-code"}
	}
	if o.Plan != "" && o.PlanOut != "" {
		return &exit.UsageError{Message: "--plan and --plan-out exclude each other", Hint: []string{"--plan-out writes a plan; --plan carries it out"}}
	}
	if o.App.Several(o.Cloud) && (o.Plan != "" || o.PlanOut != "") {
		return &exit.UsageError{Message: "a plan is for one target", Hint: []string{"run egk8s deploy once for each"}}
	}
	if err := app.FailOn(o.FailOn); err != nil {
		return err
	}
	if o.ProveMaxLost >= 0 && !o.Prove {
		return &exit.UsageError{Message: "--prove-max-lost goes with --prove", Help: "egk8s deploy --prove --prove-max-lost 0"}
	}
	if o.Prove && (o.ProveRate < 1 || o.ProveRate > 1000) {
		return &exit.UsageError{Message: fmt.Sprintf("--prove-rate %d is not from 1 to 1000", o.ProveRate)}
	}
	if o.Timeout <= 0 {
		return &exit.UsageError{Message: fmt.Sprintf("--timeout %s is not a time limit", o.Timeout)}
	}
	if o.Image != "" && o.Repository != "" {
		return &exit.UsageError{
			Message: "--image and --repository exclude each other",
			Hint:    []string{"--image names what the cluster pulls; --repository says where egk8s pushes its own"},
		}
	}
	return nil
}

// deployOptions are the choices in the deployer's words.
func (o *Options) deployOptions(p *project.Project, cloud string) deployer.DeployOptions {
	dry := deployer.DryRun(o.DryRun)
	if o.DryRun == "none" {
		dry = deployer.DryRunNone
	}
	prove := deployer.ProveOptions{}
	if o.Prove {
		prove = deployer.ProveOptions{Rate: o.ProveRate, Gate: o.ProveMaxLost >= 0, MaxLost: o.ProveMaxLost}
	}
	kept := o.Evidence
	if kept == "" && o.RollbackOnFailure {
		kept = "."
	}
	return deployer.DeployOptions{
		Target: o.App.Target(cloud), Project: p, Timeout: o.Timeout, Repository: o.Repository, Image: o.Image,
		ForceConflicts: o.ForceConflicts, DryRun: dry, RollBack: o.RollbackOnFailure, Evidence: kept, PlanOut: o.PlanOut,
		CreateNS: o.CreateNamespace, FailOn: deployer.FailOn(o.FailOn), Prove: prove, Version: version.Version,
	}
}

// confirm asks before a deploy to a protected environment, where a person can be asked.
func (o *Options) confirm(ctx context.Context, p *project.Project) error {
	if !p.Protected || o.Yes || o.DryRun != "none" || o.PlanOut != "" || !o.App.IO.CanPrompt() {
		return nil
	}
	question := fmt.Sprintf("The environment %s is protected. Deploy %s to it?", p.Environment, p.Name)
	yes, err := prompt.New(o.App.IO).Confirm(ctx, question, "--yes")
	if err != nil {
		return err
	}
	if !yes {
		return &exit.UsageError{Message: "nothing was deployed: you said no"}
	}
	return nil
}
