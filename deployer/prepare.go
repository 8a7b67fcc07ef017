package deployer

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/check"
	"egk8s.dev/egk8s/deployer/cloud"
	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/image"
	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/render"
	"egk8s.dev/egk8s/gateway/diag"
)

// readProject checks the config as the gateway in the pod will, before the cluster is asked anything.
func (d *deploy) readProject(context.Context) error {
	d.out.begin(event.Project)
	var problems diag.Problems
	d.project = d.opts.Project
	d.files, d.report, problems = d.project.Read()
	if err := d.problems(problems); err != nil {
		return err
	}
	if _, missing := d.project.ExpandProbes(os.LookupEnv); missing.HasErrors() {
		return missing
	}
	d.out.end(summary(len(d.files.Config), "config file", "config files"))
	return nil
}

// problems turns warnings into warnings and errors into the error.
func (d *deploy) problems(problems diag.Problems) error {
	if err := problems.Err(); err != nil {
		return err
	}
	for _, p := range problems {
		d.warn(p.String())
	}
	return nil
}

// readCluster learns what the cluster is and which cloud that means.
func (d *deploy) readCluster(ctx context.Context) error {
	d.out.begin(event.Cluster)
	facts, err := d.client.Facts(ctx)
	if err != nil {
		return err
	}
	d.facts = facts
	d.out.end(fmt.Sprintf("%s, Kubernetes %s", d.client.Context, facts.GitVersion))

	d.out.begin(event.Cloud)
	profiles, problems := Clouds(d.project.Dir)
	if err := problems.Err(); err != nil {
		return err
	}
	resolved, err := profiles.Resolve(cmp.Or(d.opts.Cloud, d.project.Cloud), facts.Facts)
	if err != nil {
		return err
	}
	d.profile = resolved.Profile
	if resolved.Warning != "" {
		d.warn(resolved.Warning)
	}
	if d.project, problems = d.project.ForCloud(d.profile.Name); problems.HasErrors() {
		return problems
	}
	d.out.update(func(h *event.Header) { h.Cloud = d.profile.Name })
	d.out.end(resolved.Label() + ": " + strings.Join(resolved.Reasons, ", "))
	if err := d.reread(); err != nil {
		return err
	}
	return d.chooseWay(ctx)
}

// reread reads the project again where the cloud's overrides may have changed what it reads.
func (d *deploy) reread() error {
	var problems diag.Problems
	d.files, d.report, problems = d.project.Read()
	return problems.Err()
}

// assemble makes the image in memory, so that its digest is known, and says where it goes.
func (d *deploy) assemble(context.Context) error {
	if d.opts.Image != "" {
		d.result.Image = d.opts.Image
		return nil
	}
	d.out.begin(event.Image)
	src, err := image.Embedded()
	if err != nil {
		return err
	}
	if d.image, err = image.Assemble(src); err != nil {
		return err
	}
	d.target, err = d.profile.Target(d.facts.Facts, d.opts.Repository, d.project.Spec.Image.Repository, d.name)
	if missing := new(cloud.NoRepositoryError); errors.As(err, &missing) {
		return &SettingsError{Message: missing.Error(), Hint: missing.Hint()}
	}
	if err != nil {
		return err
	}
	d.result.Image = d.image.Reference(d.target.Pull, d.target.Delivery == cloud.Push)
	d.result.ImageDigest = d.image.Digest
	d.out.end(d.result.Image)
	return nil
}

// render makes the objects.
func (d *deploy) render(ctx context.Context) error {
	d.out.begin(event.Render)
	salt, err := d.salt(ctx)
	if err != nil {
		return err
	}
	policy := ""
	if d.opts.Image != "" {
		policy = "IfNotPresent"
	}
	d.rendered, err = render.Objects(render.Input{
		Project: d.project, Namespace: d.namespace, Profile: d.profile, Files: d.files, Report: d.report, Salt: salt,
		Image: render.Image{Reference: d.result.Image, PullPolicy: policy}, Version: d.store.Version,
	})
	if err != nil {
		return err
	}
	d.result.ConfigDigest = d.rendered.Digest
	d.out.end(fmt.Sprintf("%s for cloud %s", summary(len(d.rendered.Objects)+len(d.rendered.Config), "object", "objects"), d.profile.Name))
	return nil
}

// salt returns the salt of the live config Secrets, so that an unchanged Secret keeps its name.
func (d *deploy) salt(ctx context.Context) ([]byte, error) {
	list, err := d.client.List(ctx, cluster.Selection{
		Kind: object.Ref{Version: "v1", Kind: "Secret"}, Namespace: d.namespace,
		Labels: render.ConfigLabel + "=" + render.RoleSecret + ",app.kubernetes.io/instance=" + d.name,
	})
	if err != nil {
		return nil, err
	}
	var newest *unstructured.Unstructured
	for _, u := range list {
		if newest == nil || newest.GetCreationTimestamp().Time.Before(u.GetCreationTimestamp().Time) {
			newest = u
		}
	}
	if newest != nil {
		text, _, _ := unstructured.NestedString(newest.Object, "data", render.SaltKey)
		if salt, err := base64.StdEncoding.DecodeString(text); err == nil && len(salt) > 0 {
			return salt, nil
		}
	}
	d.newSalt = render.NewSalt()
	if p := d.opts.Plan; p != nil && len(p.Salt) > 0 {
		d.newSalt = p.Salt
	}
	return d.newSalt, nil
}

// check looks for what would make the deploy fail, before anything is changed.
func (d *deploy) check(ctx context.Context) error {
	d.out.begin(event.Check)
	for _, unknown := range d.facts.Unknown {
		d.out.info("not known: " + unknown)
	}
	found := check.Findings(check.Run(ctx, d.checkInput(), false))
	for _, f := range found {
		switch {
		case f.Code == "namespace-missing" && d.opts.CreateNS && d.opts.DryRun == DryRunNone:
			if err := d.createNamespace(ctx); err != nil {
				return err
			}
		case f.Code == "namespace-missing" && d.opts.DryRun == DryRunClient:
			d.warn(f.Message)
		case f.Severity == check.Error:
			return &CheckError{Code: f.Code, Message: f.Message, Hint: f.Hint}
		default:
			d.warn(f.Message)
		}
	}
	d.out.end("nothing in the way")
	return nil
}

// madeForAnnotation names, on a namespace that egk8s made, the release that it was made for.
const madeForAnnotation = "egk8s.dev/made-for"

// madeNamespace tells whether an earlier run made the namespace for this release and did not come to remember it.
func (d *deploy) madeNamespace(ctx context.Context) bool {
	if d.history.Newest() != nil || d.state.Intent != nil {
		return false // it would be remembered
	}
	u, err := d.client.Get(ctx, object.Namespace(d.namespace))
	return err == nil && u.GetAnnotations()[madeForAnnotation] == d.name // without the right to look, it is kept
}

func (d *deploy) createNamespace(ctx context.Context) error {
	_, err := d.client.Create(ctx, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace",
		"metadata": map[string]any{
			"name": d.namespace, "labels": map[string]any{"app.kubernetes.io/managed-by": "egk8s"},
			"annotations": map[string]any{madeForAnnotation: d.name},
		},
	}})
	if err != nil && !cluster.IsExists(err) {
		return err
	}
	d.madeNS = err == nil
	d.out.info("namespace " + d.namespace + " created")
	return nil
}
