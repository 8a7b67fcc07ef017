package deployer

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/deployer/apply"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/plan"
	"egk8s.dev/egk8s/deployer/release"
)

func ref(kind, name string) object.Ref {
	return object.Ref{Version: "v1", Kind: kind, Namespace: "ns", Name: name}
}

// TestKilledRunProvesNothing: a run that was killed between its applies and its last words may have sent
// other values for the same fields, so that the inventory of the run before proves nothing.
func TestKilledRunProvesNothing(t *testing.T) {
	t.Parallel()
	state := &release.State{Inventory: []release.Entry{{Ref: ref("Service", "a"), UID: "1", Sent: "s", Owned: "o"}}}
	if diff := cmp.Diff([]plan.Sent{{Ref: ref("Service", "a"), UID: "1", Sent: "s", Owned: "o"}}, sent(state)); diff != "" {
		t.Errorf("after a run that ended (-want +got):\n%s", diff)
	}
	state.Intent = &release.Intent{Revision: 2}
	if diff := cmp.Diff([]plan.Sent{{Ref: ref("Service", "a"), UID: "1"}}, sent(state)); diff != "" {
		t.Errorf("after a run that was killed (-want +got):\n%s", diff)
	}
}

// TestKilledRunIsFinished: a run that was killed after its record and before its state leaves an intent,
// which the next run must end although nothing changes.
func TestKilledRunIsFinished(t *testing.T) {
	t.Parallel()
	d := &deploy{
		history: &release.History{Records: []*release.Record{{Revision: 2, Status: release.Deployed}}},
		state:   &release.State{Revision: 2},
	}
	if d.needsRevision() {
		t.Error("a run without change would write a revision")
	}
	d.state.Intent = &release.Intent{Revision: 2}
	if !d.needsRevision() {
		t.Error("the intent of a killed run would stay for ever")
	}
}

// TestNoRollBackToItself: a run whose time is up after its revision was recorded has nothing to go back to.
func TestNoRollBackToItself(t *testing.T) {
	t.Parallel()
	sink := &events{}
	d := &deploy{
		opts: DeployOptions{RollBack: true}, out: &stream{sink: sink, now: time.Now}, result: &Result{Revision: 2},
		history: &release.History{Records: []*release.Record{{Revision: 1, Status: release.Superseded}, {Revision: 2, Status: release.Deployed}}},
	}
	if err := d.rollBack(t.Context(), &TimeoutError{}); err == nil || len(*sink) > 0 || len(d.result.Warnings) > 0 {
		t.Errorf("error %v, events %v, warnings %v", err, *sink, d.result.Warnings)
	}
}

type events []event.Event

func (e *events) Emit(one event.Event) { *e = append(*e, one) }

// TestInventoryOfFailedRun: what a failed run did not come to is still there, and still ours to remove.
func TestInventoryOfFailedRun(t *testing.T) {
	t.Parallel()
	got := inventory(&apply.Outcome{
		Inventory: []plan.Sent{{Ref: ref("ServiceAccount", "a"), UID: "1", Sent: "s", Owned: "o"}},
		Pending: []plan.Op{
			{Ref: ref("Service", "refused"), Action: event.Configured, UID: "2", Hash: "new", Entry: plan.Sent{UID: "2", Sent: "old"}},
			{Ref: ref("Service", "new"), Action: event.Created},
			{Ref: ref("ConfigMap", "dropped"), Action: event.Deleted, UID: "3"},
		},
	})
	want := map[string]release.Entry{
		"ServiceAccount/a":  {Ref: ref("ServiceAccount", "a"), UID: "1", Sent: "s", Owned: "o"},
		"Service/refused":   {Ref: ref("Service", "refused"), UID: "2"},
		"ConfigMap/dropped": {Ref: ref("ConfigMap", "dropped"), UID: "3"},
	}
	byName := map[string]release.Entry{}
	for _, e := range got {
		byName[e.String()] = e
	}
	if diff := cmp.Diff(want, byName); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
