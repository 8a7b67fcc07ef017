package apply_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"egk8s.dev/egk8s/deployer/apply"
	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/plan"
)

// server notes what it is asked, and fails as the test says.
type server struct {
	mu     sync.Mutex
	asked  []string
	owners map[string]string
	fail   map[string][]error // by Kind/name, one per attempt
}

func (s *server) Apply(_ context.Context, u *unstructured.Unstructured, opts cluster.ApplyOptions) (*unstructured.Unstructured, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := object.Of(u).String()
	verb := "apply "
	if opts.Force {
		verb = "force "
	}
	s.asked = append(s.asked, verb+name)
	if refs := u.GetOwnerReferences(); len(refs) > 0 {
		s.owners[name] = string(refs[0].UID)
	}
	if errs := s.fail[name]; len(errs) > 0 {
		s.fail[name] = errs[1:]
		return nil, errs[0]
	}
	out := u.DeepCopy()
	out.SetUID(types.UID("uid-" + name))
	return out, nil
}

func (s *server) Get(context.Context, object.Ref) (*unstructured.Unstructured, error) {
	return &unstructured.Unstructured{}, nil
}

func (s *server) Delete(_ context.Context, ref object.Ref, _ types.UID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, "delete "+ref.String())
	return nil
}

func (s *server) TakeOver(_ context.Context, _ *unstructured.Unstructured, managers []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, "take over from "+managers[0])
	return nil
}

func newObject(apiVersion, kind string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": "shop", "namespace": "n"},
	}}
}

func newPlan() plan.Plan {
	return plan.Make(plan.Input{Desired: []*unstructured.Unstructured{
		newObject("apps/v1", "Deployment"), newObject("v1", "Service"), newObject("v1", "ConfigMap"), newObject("v1", "ServiceAccount"),
	}})
}

func options() apply.Options {
	return apply.Options{Owner: "shop", Owned: func(u *unstructured.Unstructured) bool { return u.GetKind() == "ConfigMap" }}
}

// TestStages: what others need is applied first; config objects get the owner that was made a stage before.
func TestStages(t *testing.T) {
	t.Parallel()
	s := &server{owners: map[string]string{}}
	out, err := apply.Run(t.Context(), s, newPlan(), options())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"apply ServiceAccount/shop", "apply ConfigMap/shop", "apply Service/shop", "apply Deployment/shop"}
	if d := cmp.Diff(want, s.asked); d != "" {
		t.Error(d)
	}
	if s.owners["ConfigMap/shop"] != "uid-ServiceAccount/shop" || len(s.owners) != 1 {
		t.Errorf("owners %v", s.owners)
	}
	if len(out.Inventory) != 4 || len(out.Done) != 4 || len(out.Pending) != 0 {
		t.Errorf("%+v", out)
	}
}

// TestRefusalStops: a refused object ends the run after its stage, and what was not sent is told.
func TestRefusalStops(t *testing.T) {
	t.Parallel()
	refusal := apierrors.NewConflict(object.Ref{}.GVK().GroupVersion().WithResource("x").GroupResource(), "shop", errors.New("x"))
	refusal.ErrStatus.Details.Causes = []metav1.StatusCause{{
		Type: metav1.CauseTypeFieldManagerConflict, Field: ".spec.ports", Message: `conflict with "kubectl-edit" using v1`,
	}}
	s := &server{owners: map[string]string{}, fail: map[string][]error{"Service/shop": {refusal}}}
	out, err := apply.Run(t.Context(), s, newPlan(), options())
	var conflict *apply.ConflictError
	if !errors.As(err, &conflict) {
		t.Fatalf("got %v", err)
	}
	if d := cmp.Diff([]apply.FieldConflict{{Field: "spec.ports", Manager: "kubectl-edit"}}, conflict.Conflicts); d != "" {
		t.Error(d)
	}
	if slices.Contains(s.asked, "apply Deployment/shop") || len(out.Pending) != 2 || len(out.Done) != 2 {
		t.Errorf("asked %v, pending %v", s.asked, out.Pending)
	}
}

// TestUnreachableIsRepeated: an API server that is away for a moment does not end a deploy.
func TestUnreachableIsRepeated(t *testing.T) {
	t.Parallel()
	away := &cluster.UnreachableError{Err: errors.New("connection refused")}
	s := &server{owners: map[string]string{}, fail: map[string][]error{"Service/shop": {away}}}
	if _, err := apply.Run(t.Context(), s, newPlan(), options()); err != nil {
		t.Error(err)
	}
}

// TestOutrunIsRepeated: an object that others change at the same moment is applied again; a field that they own is not.
func TestOutrunIsRepeated(t *testing.T) {
	t.Parallel()
	outrun := apierrors.NewConflict(object.Ref{}.GVK().GroupVersion().WithResource("x").GroupResource(), "shop", errors.New("the object has been modified"))
	s := &server{owners: map[string]string{}, fail: map[string][]error{"Service/shop": {outrun, outrun}}}
	if _, err := apply.Run(t.Context(), s, newPlan(), options()); err != nil {
		t.Error(err)
	}
}

// TestTakenBack: what we handed over to an autoscaler comes back without a word; what others own does not.
func TestTakenBack(t *testing.T) {
	t.Parallel()
	conflict := func(managers ...string) error {
		err := apierrors.NewConflict(object.Ref{}.GVK().GroupVersion().WithResource("x").GroupResource(), "shop", errors.New("x"))
		err.ErrStatus.Details.Causes = nil
		for _, m := range managers {
			err.ErrStatus.Details.Causes = append(err.ErrStatus.Details.Causes, metav1.StatusCause{
				Type: metav1.CauseTypeFieldManagerConflict, Field: ".spec.replicas", Message: `conflict with "` + m + `" using apps/v1`,
			})
		}
		return err
	}
	s := &server{owners: map[string]string{}, fail: map[string][]error{"Deployment/shop": {conflict("egk8s-handover")}}}
	if _, err := apply.Run(t.Context(), s, newPlan(), options()); err != nil || s.asked[len(s.asked)-1] != "force Deployment/shop" {
		t.Errorf("%v after %v", err, s.asked)
	}
	s = &server{owners: map[string]string{}, fail: map[string][]error{"Deployment/shop": {conflict("egk8s-handover", "kubectl-scale")}}}
	if _, err := apply.Run(t.Context(), s, newPlan(), options()); err == nil {
		t.Error("a field of somebody else was taken")
	}
}

// TestInterrupted: nothing is sent after the end of the context.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := &server{owners: map[string]string{}}
	out, err := apply.Run(ctx, s, newPlan(), options())
	if !errors.Is(err, context.Canceled) || len(s.asked) != 0 || len(out.Pending) != 4 {
		t.Errorf("%v, asked %v", err, s.asked)
	}
}

// TestTakeOverAndDelete: helm's fields are taken over before the apply, deletions come last.
func TestTakeOverAndDelete(t *testing.T) {
	t.Parallel()
	old := object.Of(newObject("batch/v1", "Job"))
	service := newObject("v1", "Service")
	s := &server{owners: map[string]string{}}
	p := plan.Make(plan.Input{
		ByHelm: true, Desired: []*unstructured.Unstructured{service}, Previous: []object.Ref{old},
		Live: map[object.Key]plan.Live{
			object.Of(service).Key(): {Ref: object.Of(service), UID: "u", Managers: []string{"helm", "kubectl"}},
			old.Key():                {Ref: old, UID: "j"},
		},
	})
	out, err := apply.Run(t.Context(), s, p, options())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"take over from helm", "apply Service/shop", "delete Job/shop"}, s.asked); d != "" {
		t.Error(d)
	}
	if out.Done[1].Action != event.Deleted {
		t.Errorf("%+v", out.Done)
	}
}
