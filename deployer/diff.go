package deployer

import (
	"cmp"
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/check"
	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/difference"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/plan"
	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/deployer/render"
	"egk8s.dev/egk8s/gateway/offline"
)

// DiffResult is what a deploy would change; `-o json` prints it.
type DiffResult struct {
	APIVersion string  `json:"apiVersion"` // egk8s.dev/v1alpha1
	Kind       string  `json:"kind"`       // Diff
	Outcome    Outcome `json:"outcome"`    // planned, unchanged or failed
	ExitCode   int     `json:"exitCode"`
	Name       string  `json:"name"`
	Cloud      string  `json:"cloud"`
	Context    string  `json:"context,omitempty"`
	Namespace  string  `json:"namespace"`
	Against    string  `json:"against"` // what the project is compared with: "cluster", "revision 3", a folder, a commit
	// Objects leaves out the config objects, whose content is in Files.
	Objects []difference.Object `json:"objects"`
	Files   []difference.File   `json:"files"`
	// Requests are answered differently.
	Requests []offline.Change `json:"requests"`
	Warnings []string         `json:"warnings,omitempty"`
	Error    string           `json:"error,omitempty"`
}

// Changes tells whether anything differs.
func (r *DiffResult) Changes() bool { return len(r.Objects)+len(r.Files)+len(r.Requests) > 0 }

// newDiff is the result before anything is known.
func newDiff(name, against string) *DiffResult {
	return &DiffResult{
		APIVersion: apiVersion, Kind: "Diff", Name: name, Against: against,
		Objects: []difference.Object{}, Files: []difference.File{}, Requests: []offline.Change{},
	}
}

// conclude fills in what became of a comparison.
func (r *DiffResult) conclude(err error) {
	switch {
	case err != nil:
		r.Outcome, r.Error = outcome(err), err.Error()
	case r.Changes():
		r.Outcome = Planned
	default:
		r.Outcome = Unchanged
	}
}

// Diff says what a deploy with the same options would change in the cluster, judged by the API server, which is
// asked by dry runs only. The result is never nil.
func Diff(ctx context.Context, opts DeployOptions, sink event.Sink) (*DiffResult, error) {
	opts.Timeout, opts.DryRun = cmp.Or(opts.Timeout, time.Minute), DryRunServer
	r := newDiff(opts.Project.Name, "cluster")
	d, err := newDeploy(opts, sink, "diff")
	if err != nil {
		r.conclude(err)
		return r, err
	}
	limited, cancel := context.WithTimeout(ctx, opts.Timeout)
	defer cancel()
	err = d.prepare(limited, d.findings, d.makePlan, d.planOutside)
	if err == nil {
		r.Objects = append(difference.Objects(notConfig(d.plan.Ops)), d.outsideDifferences()...)
		r.Files, err = d.changedFiles(limited)
		r.Requests = append(r.Requests, d.result.Requests...) // makePlan has compared them
	}
	return r, d.compared(limited, r, err)
}

// prepare runs the stages that change nothing.
func (d *deploy) prepare(ctx context.Context, then ...func(context.Context) error) error {
	stages := slices.Concat([]func(context.Context) error{d.readProject, d.readCluster, d.assemble, d.render}, then)
	for _, stage := range stages {
		if err := stage(ctx); err != nil {
			return err
		}
	}
	return nil
}

// findings says what would be in the way of a deploy; a comparison goes on.
func (d *deploy) findings(ctx context.Context) error {
	d.out.begin(event.Check)
	found := check.Findings(check.Run(ctx, d.checkInput(), false))
	for _, f := range found {
		if f.Code == "namespace-missing" {
			d.opts.DryRun = DryRunClient // no API server judges objects of a namespace that is not there
		}
		d.warn(f.Message)
	}
	d.out.end(summary(len(found), "finding", "findings"))
	return nil
}

// compared ends a comparison.
func (d *deploy) compared(ctx context.Context, r *DiffResult, err error) error {
	if err != nil {
		err = d.failed(ctx, err)
	}
	r.Context, r.Namespace, r.Cloud = d.client.Context, d.namespace, d.profile.Name
	r.Warnings = append(d.result.Warnings, r.Warnings...)
	r.conclude(err)
	d.out.emit(event.Event{Phase: event.Done, Type: event.Result, Message: string(r.Outcome)})
	return err
}

// notConfig leaves out the immutable config objects: what they hold is shown as files.
func notConfig(ops []plan.Op) []plan.Op {
	return slices.DeleteFunc(slices.Clone(ops), func(op plan.Op) bool { return op.Object != nil && holdsFiles(op.Object) })
}

// holdsFiles tells whether u is one of the immutable objects of the configuration.
func holdsFiles(u *unstructured.Unstructured) bool {
	role := u.GetLabels()[render.ConfigLabel]
	return role == render.RoleConfig || role == render.RoleSecret
}

// changedFiles compares the files of the revision that serves with those of the project.
func (d *deploy) changedFiles(ctx context.Context) ([]difference.File, error) {
	var before []project.File
	if current := d.history.Deployed(); current != nil {
		content, err := d.readRecord(current)
		if err != nil {
			return nil, err
		}
		if before, err = d.recordedFiles(ctx, content); err != nil {
			return nil, err
		}
	}
	after, err := render.Files(d.rendered.Config)
	if err != nil {
		return nil, err
	}
	return difference.Files(before, after), nil
}

// recordedFiles reads the configuration files of a revision from the objects that its pods mount; those that are
// gone give none.
func (s *session) recordedFiles(ctx context.Context, r recorded) ([]project.File, error) {
	var objects []*unstructured.Unstructured
	for _, ref := range r.needs {
		u, err := s.client.Get(ctx, ref)
		if cluster.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		objects = append(objects, u)
	}
	return render.Files(objects)
}
