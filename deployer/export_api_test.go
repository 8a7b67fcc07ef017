//go:build api

package deployer

import (
	"context"
	"strings"
	"time"

	"helm.sh/helm/v3/pkg/chart"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/plan"
	"egk8s.dev/egk8s/deployer/render"
)

type unseen struct{}

func (unseen) Emit(event.Event) {}

// DeployObjects is the part of a deploy whose cost grows with the number of objects: history, state and plan; and
// where something changes the lock, the intent, the record, the apply and their end.
func DeployObjects(ctx context.Context, kubeconfig, namespace, name string, objects []*unstructured.Unstructured) (plan.Plan, error) {
	s, err := connect(Target{Kubeconfig: kubeconfig, Namespace: namespace}, nil, name, "bench")
	if err != nil {
		return plan.Plan{}, err
	}
	var manifest strings.Builder
	for _, u := range objects {
		raw, err := yaml.Marshal(u.Object)
		if err != nil {
			return plan.Plan{}, err
		}
		manifest.WriteString("---\n" + string(raw))
	}
	d := &deploy{
		session: s, opts: DeployOptions{ForceConflicts: true}, result: &Result{},
		out: s.stream(unseen{}, "deploy", "", time.Now().Add(time.Hour)),
		rendered: &render.Rendered{
			Objects: objects, YAML: manifest.String(), Chart: &chart.Chart{Metadata: &chart.Metadata{Name: name, Version: "1.0.0"}},
		},
	}
	if _, err := s.store.Holder(ctx); err != nil {
		return plan.Plan{}, err
	}
	if err := d.planNow(ctx); err != nil || !d.needsRevision() {
		return d.plan, err
	}
	locked, err := d.open(ctx)
	if err != nil {
		return d.plan, err
	}
	defer d.close(locked)
	for _, stage := range []func(context.Context) error{d.begin, d.apply, d.commit, d.remembered} {
		if err := stage(locked); err != nil {
			return d.plan, err
		}
	}
	return d.plan, nil
}
