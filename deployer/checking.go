package deployer

import (
	"cmp"
	"context"
	"time"

	"egk8s.dev/egk8s/deployer/check"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/templates"
)

// CheckResult is what stands in the way of a deploy, and what does not; `-o json` prints it.
type CheckResult struct {
	APIVersion string         `json:"apiVersion"` // egk8s.dev/v1alpha1
	Kind       string         `json:"kind"`       // Check
	Success    bool           `json:"success"`    // no finding is an error
	ExitCode   int            `json:"exitCode"`
	Name       string         `json:"name"`
	Cloud      string         `json:"cloud"`
	Context    string         `json:"context"`
	Namespace  string         `json:"namespace"`
	Checks     []CheckedThing `json:"checks"`
	Warnings   []string       `json:"warnings,omitempty"`
	Error      string         `json:"error,omitempty"`
}

// CheckedThing is one check with what it found.
type CheckedThing struct {
	Category string          `json:"category"`
	What     string          `json:"what"`     // what holds when nothing is found
	Findings []check.Finding `json:"findings"` // none: all is well
}

// Check looks for what would make a deploy with the same options fail, and changes nothing. A finding of severity
// error gives a CheckError beside the result; the result is never nil.
func Check(ctx context.Context, opts DeployOptions, sink event.Sink) (*CheckResult, error) {
	opts.Timeout, opts.DryRun = cmp.Or(opts.Timeout, time.Minute), DryRunClient
	r := &CheckResult{APIVersion: apiVersion, Kind: "Check", Name: opts.Project.Name, Checks: []CheckedThing{}}
	d, err := newDeploy(opts, sink, "check")
	if err != nil {
		r.Error = err.Error()
		return r, err
	}
	limited, cancel := context.WithTimeout(ctx, opts.Timeout)
	defer cancel()
	err = d.prepare(limited, func(ctx context.Context) error { return d.checkAll(ctx, r) })
	if err != nil {
		err = ended(limited, err, opts.Timeout, nil, nil, nil)
		d.out.emit(event.Event{Type: event.PhaseFailed, Message: err.Error()})
		r.Error = err.Error()
	}
	r.Context, r.Namespace, r.Cloud = d.client.Context, d.namespace, d.profile.Name
	r.Warnings, r.Success = d.result.Warnings, err == nil
	d.out.emit(event.Event{Phase: event.Done, Type: event.Result})
	return r, err
}

// checkAll runs every check, the thorough ones too.
func (d *deploy) checkAll(ctx context.Context, r *CheckResult) error {
	d.out.begin(event.Check)
	results := check.Run(ctx, d.checkInput(), true)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for _, c := range results {
		r.Checks = append(r.Checks, CheckedThing{Category: c.Category, What: c.What, Findings: append([]check.Finding{}, c.Findings...)})
	}
	found := check.Findings(results)
	d.out.end(summary(len(found), "finding", "findings"))
	if len(found) > 0 && found[0].Severity == check.Error {
		return &CheckError{Code: found[0].Code, Message: found[0].Message, Hint: found[0].Hint}
	}
	return nil
}

func (d *deploy) checkInput() check.Input {
	return check.Input{
		Cluster: d.client, Namespace: d.namespace, Facts: d.facts, Project: d.project,
		Upstreams: d.report.Upstreams, Objects: d.rendered.Objects, Role: publishedRole(), Outside: d.outsideFindings,
		TokensInMemory: d.report.TokensInMemory,
	}
}

// publishedRole is the Role that egk8s help rbac prints.
func publishedRole() string {
	text, err := templates.FS.ReadFile("rbac/role.yaml")
	if err != nil {
		return "" // it is embedded; the check of rights then says that it knows nothing
	}
	return string(text)
}
