package deployer

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"golang.org/x/sync/errgroup"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/difference"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/evidence"
	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/plan"
)

// The bounds of gathering evidence.
const (
	evidenceTime = 10 * time.Second
	evidencePods = 12  // whose logs are read, those that are not ready first
	evidenceMost = 200 // objects of one kind, and Kubernetes events
)

// evidence writes what the failed run leaves behind into one archive, where that was asked for. It never changes how
// the run ends: what goes wrong is a warning.
func (d *deploy) evidence(ctx context.Context, failure error) {
	var unhealthy *UnhealthyError
	var timeout *TimeoutError
	if d.opts.Evidence == "" || !errors.As(failure, &unhealthy) && !errors.As(failure, &timeout) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), evidenceTime)
	defer cancel()
	g := &gathering{deploy: d, mask: evidence.NewMask()}
	g.read(ctx)
	g.learn(ctx)
	g.archive = evidence.New(g.mask)
	for _, text := range g.missing {
		g.archive.Note("%s", text)
	}
	g.pack(ctx, failure)
	folder := fmt.Sprintf("egk8s-evidence-%s-%d-%s", d.name, d.result.Revision, d.now().UTC().Format("20060102T150405Z"))
	name, err := g.archive.WriteFile(d.opts.Evidence, folder, d.now())
	if err != nil {
		d.warn("the evidence could not be kept: " + err.Error())
		return
	}
	d.result.Evidence = name
	if timeout != nil {
		timeout.Evidence = name
	}
	d.out.info("evidence is kept in " + name)
}

// gathering collects the evidence of one failure.
type gathering struct {
	*deploy
	mask    *evidence.Mask
	archive *evidence.Archive
	objects map[string][]*unstructured.Unstructured // by kind
	events  []*unstructured.Unstructured
	missing []string // what could not be read, and why
	unread  []string // Secrets whose values are not known, and why
}

// kinds are what is read of the release. No Secret and no ConfigMap is.
func (g *gathering) kinds() []cluster.Selection {
	own := "app.kubernetes.io/instance=" + g.name
	kind := func(group, version, kind, labels string) cluster.Selection {
		return cluster.Selection{Kind: object.Ref{Group: group, Version: version, Kind: kind}, Namespace: g.namespace, Labels: labels}
	}
	return []cluster.Selection{
		kind("apps", "v1", "Deployment", own), kind("apps", "v1", "ReplicaSet", g.selector()), kind("", "v1", "Pod", g.selector()),
		kind("", "v1", "Service", own), kind("discovery.k8s.io", "v1", "EndpointSlice", "kubernetes.io/service-name="+g.name),
		kind("autoscaling", "v2", "HorizontalPodAutoscaler", own), kind("", "v1", "Event", ""),
	}
}

// read reads the live objects.
func (g *gathering) read(ctx context.Context) {
	selections := g.kinds()
	lists, errs := make([][]*unstructured.Unstructured, len(selections)), make([]error, len(selections))
	var group errgroup.Group
	for i, sel := range selections {
		group.Go(func() error {
			lists[i], errs[i] = g.client.List(ctx, sel)
			return nil
		})
	}
	_ = group.Wait() // each has its own error
	g.objects = map[string][]*unstructured.Unstructured{}
	for i, sel := range selections {
		switch {
		case errs[i] != nil:
			g.missing = append(g.missing, fmt.Sprintf("%s objects: %v", sel.Kind.Kind, errs[i]))
		case sel.Kind.Kind == "Event":
			g.events = lists[i]
		default:
			g.objects[sel.Kind.Kind] = lists[i]
		}
	}
}

// learn finds the secrets that must not be in the archive: of the probes, of environments, and of every Secret that
// the release's pods use, which is read for that alone.
func (g *gathering) learn(ctx context.Context) {
	probes, _ := g.project.ExpandProbes(os.LookupEnv)
	for _, p := range probes {
		for _, value := range p.Headers {
			g.mask.Add(value)
			for word := range strings.FieldsSeq(value) {
				g.mask.Add(word)
			}
		}
	}
	g.learnUsed(ctx)
	for _, op := range g.plan.Ops {
		for _, f := range op.Fields {
			g.mask.Learn(f.Before)
			g.mask.Learn(f.After)
		}
	}
}

// learnUsed learns from the environments of the release's pods, and from the Secrets that these use.
func (g *gathering) learnUsed(ctx context.Context) {
	using := slices.Concat(g.objects["Deployment"], g.objects["ReplicaSet"])
	if g.rendered != nil {
		using = append(using, g.rendered.Objects...)
		for _, u := range g.rendered.Config {
			g.learnSecret(u)
		}
	}
	secrets := map[object.Ref]bool{}
	for _, u := range using {
		g.mask.Learn(u.Object)
		for _, ref := range secretsOf(u) {
			secrets[ref.In(g.namespace)] = true
		}
	}
	for ref := range secrets {
		u, err := g.client.Get(ctx, ref)
		switch {
		case err == nil:
			g.learnSecret(u)
		case !cluster.IsNotFound(err):
			g.unread = append(g.unread, fmt.Sprintf("%s: %v", ref, err))
		}
	}
}

func (g *gathering) learnSecret(u *unstructured.Unstructured) {
	if u.GetKind() != "Secret" {
		return
	}
	data, _, _ := unstructured.NestedStringMap(u.Object, "data")
	for _, value := range data {
		if raw, err := base64.StdEncoding.DecodeString(value); err == nil {
			g.mask.AddFile(string(raw))
		}
	}
	text, _, _ := unstructured.NestedStringMap(u.Object, "stringData")
	for _, value := range text {
		g.mask.AddFile(value)
	}
}

// secretsOf are the Secrets that the pods of a workload use, mounted or in their environment.
func secretsOf(u *unstructured.Unstructured) []object.Ref {
	var out []object.Ref
	for _, m := range mounts(u) {
		if m.Kind == "Secret" {
			out = append(out, m.Ref)
		}
	}
	containers, _, _ := unstructured.NestedSlice(u.Object, "spec", "template", "spec", "containers")
	for _, c := range containers {
		container, _ := c.(map[string]any)
		for _, variable := range environment(container) {
			name, _, _ := unstructured.NestedString(variable, "valueFrom", "secretKeyRef", "name")
			if name != "" {
				out = append(out, object.Ref{Version: "v1", Kind: "Secret", Namespace: u.GetNamespace(), Name: name})
			}
		}
	}
	return out
}

// pack fills the archive.
func (g *gathering) pack(ctx context.Context, failure error) {
	g.archive.JSON("diagnosis.json", g.diagnosis(failure))
	g.archive.JSON("plan.json", g.changed(ctx))
	evidence.JSONLines(g.archive, "events.jsonl", g.seen.Events())
	g.archive.JSON("kubernetes-events.json", g.kubernetesEvents())
	for kind, list := range g.objects {
		for _, u := range list[:min(len(list), evidenceMost)] {
			g.archive.JSON("objects/"+kind+"-"+u.GetName()+".json", readable(u))
		}
	}
	if len(g.unread) > 0 { // what pods write may hold what cannot be masked
		g.archive.Note("logs: Secrets that the pods use could not be read, so that their values cannot be masked: %s", strings.Join(g.unread, "; "))
		return
	}
	g.logs(ctx)
}

// diagnosis says why the run failed.
func (g *gathering) diagnosis(failure error) any {
	r := *g.result
	r.Name, r.Context, r.Namespace, r.Cloud = g.name, g.client.Context, g.namespace, g.profile.Name
	r.Replicas, r.Ready = g.rollout.Wanted, g.rollout.Ready
	r.Outcome, r.Error = outcome(failure), failure.Error()
	r.DurationMs = g.now().Sub(g.started).Milliseconds()
	if timeout, ok := errors.AsType[*TimeoutError](failure); ok && len(r.Failures) == 0 {
		r.Failures = append([]event.Cause{}, timeout.Waiting...)
	}
	return r
}

// changed is what the deploy was about to change.
func (g *gathering) changed(ctx context.Context) any {
	ops := slices.Clone(notConfig(g.plan.Ops))
	for i := range ops {
		ops[i].Fields = g.masked(ops[i].Fields)
	}
	out := struct {
		Objects []difference.Object `json:"objects"`
		Files   []difference.File   `json:"files"`
	}{Objects: difference.Objects(ops)}
	if g.rendered != nil && g.history != nil {
		var err error
		if out.Files, err = g.changedFiles(ctx); err != nil {
			g.archive.Note("the changed configuration files: %v", err)
		}
	}
	return out
}

// masked takes the values of variables with a secret's name out of fields, which are texts later.
func (g *gathering) masked(fields []plan.Field) []plan.Field {
	variable := regexp.MustCompile(`\.env\[([^\]]+)\]`)
	hide := func(v any) any {
		if v == nil {
			return nil
		}
		clean, err := g.mask.Value(v)
		if err != nil {
			return evidence.Masked
		}
		return clean
	}
	out := slices.Clone(fields)
	for i, f := range out {
		out[i].Before, out[i].After = hide(f.Before), hide(f.After)
		if found := variable.FindStringSubmatch(f.Path); found == nil || !g.mask.Names(found[1]) {
			continue
		}
		if f.Before != nil {
			out[i].Before = evidence.Masked
		}
		if f.After != nil {
			out[i].After = evidence.Masked
		}
	}
	return out
}

// readable is an object without what only field managers read.
func readable(u *unstructured.Unstructured) map[string]any {
	u = u.DeepCopy()
	u.SetManagedFields(nil)
	annotations := u.GetAnnotations()
	delete(annotations, corev1.LastAppliedConfigAnnotation)
	u.SetAnnotations(annotations)
	return u.Object
}
