package deployer

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"egk8s.dev/egk8s/deployer/difference"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/deployer/render"
	"egk8s.dev/egk8s/gateway/offline"
)

// DiffRevision says how the project differs from a recorded revision. A revision that is not recorded is a
// SettingsError. The result is never nil.
func DiffRevision(ctx context.Context, opts DeployOptions, revision int, sink event.Sink) (*DiffResult, error) {
	opts.Timeout, opts.DryRun = cmp.Or(opts.Timeout, time.Minute), DryRunClient
	r := newDiff(opts.Project.Name, fmt.Sprintf("revision %d", revision))
	d, err := newDeploy(opts, sink, "diff")
	if err != nil {
		r.conclude(err)
		return r, err
	}
	limited, cancel := context.WithTimeout(ctx, opts.Timeout)
	defer cancel()
	err = d.prepare(limited, d.remember, func(ctx context.Context) error { return d.against(ctx, r, revision) })
	return r, d.compared(limited, r, err)
}

func (d *deploy) against(ctx context.Context, r *DiffResult, revision int) error {
	if d.history.Newest() == nil {
		return d.notDeployed(ctx)
	}
	target, err := choose(d.history, revision)
	if err != nil {
		return err
	}
	content, err := d.readRecord(target)
	if err != nil {
		return err
	}
	before, err := d.recordedFiles(ctx, content)
	if err != nil {
		return err
	}
	after, err := render.Files(d.rendered.Config)
	if err != nil {
		return err
	}
	recent, err := parseManifest(d.rendered.YAML, d.namespace)
	if err != nil {
		return err
	}
	r.Objects, r.Files = difference.Between(content.objects, recent), difference.Files(before, after)
	r.requests(sideOf(before, content.objects, d.name), sideOf(after, recent, d.name))
	return nil
}

// requests compares how both sides answer.
func (r *DiffResult) requests(before, after offline.Side) {
	var why string
	if r.Requests, why = compareAnswers(before, after); why != "" {
		r.Warnings = append(r.Warnings, why)
	}
}

// DiffProjects says how one project differs from another state of it, rendered with the same options. No
// cluster is asked. name says what the other one is. The result is never nil.
func DiffProjects(opts RenderOptions, other *project.Project, name string) (*DiffResult, error) {
	r := newDiff(opts.Project.Name, name)
	err := r.between(opts, other)
	r.conclude(err)
	return r, err
}

// withoutImage names the image by where it goes alone: both sides of a comparison would get the same one, which
// need not be made for that.
func (o RenderOptions) withoutImage() RenderOptions {
	if o.Image == "" {
		o.Image = cmp.Or(o.Repository, o.Project.Spec.Image.Repository, o.Project.Name) + ":egk8s"
	}
	return o
}

func (r *DiffResult) between(opts RenderOptions, other *project.Project) error {
	now, err := Render(opts.withoutImage())
	if err != nil {
		return err
	}
	opts.Project, opts.Cloud = other, now.Cloud
	before, err := Render(opts.withoutImage())
	if err != nil {
		return fmt.Errorf("%s: %w", r.Against, err)
	}
	old, err := render.Files(before.Config)
	if err != nil {
		return err
	}
	recent, err := render.Files(now.Config)
	if err != nil {
		return err
	}
	r.Cloud, r.Namespace = now.Cloud, cmp.Or(opts.Namespace, other.Namespace, "default")
	r.Objects, r.Files = difference.Between(before.Objects, now.Objects), difference.Files(old, recent)
	r.requests(sideOf(old, before.Objects, r.Name), sideOf(recent, now.Objects, r.Name))
	for _, w := range now.Warnings {
		r.Warnings = append(r.Warnings, w.String())
	}
	return nil
}
