package plan_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/plan"
)

func configMap(name, value string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name, "namespace": "n"},
		"data": map[string]any{"k": value},
	}}
}

func deployment() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "shop", "namespace": "n"},
	}}
}

func live(u *unstructured.Unstructured, uid, owned string, managers ...string) plan.Live {
	return plan.Live{Ref: object.Of(u), UID: uid, Owned: owned, Managers: managers}
}

func sent(u *unstructured.Unstructured, uid, owned string) plan.Sent {
	return plan.Sent{Ref: object.Of(u), UID: uid, Sent: plan.Hash(u), Owned: owned}
}

// TestMake: what a plan does with one object, and why.
func TestMake(t *testing.T) {
	t.Parallel()
	want, other := configMap("a", "1"), configMap("a", "2")
	key := object.Of(want).Key()
	differing := map[object.Key]plan.Judgement{key: plan.Judge(other, want)}
	same := map[object.Key]plan.Judgement{key: plan.Judge(want, want)}
	cases := map[string]struct {
		in     plan.Input
		action event.Action
		reason string
	}{
		"not there":                 {plan.Input{}, event.Created, "not there"},
		"deleted by somebody":       {plan.Input{Inventory: []plan.Sent{sent(want, "u", "o")}}, event.Created, "was deleted outside egk8s"},
		"exactly as we left it":     {plan.Input{Live: map[object.Key]plan.Live{key: live(want, "u", "o")}, Inventory: []plan.Sent{sent(want, "u", "o")}}, event.Unchanged, ""},
		"we send something else":    {plan.Input{Live: map[object.Key]plan.Live{key: live(want, "u", "o")}, Inventory: []plan.Sent{sent(other, "u", "o")}, Judged: differing}, event.Configured, "changed: data.k"},
		"somebody took a field":     {plan.Input{Live: map[object.Key]plan.Live{key: live(want, "u", "x")}, Inventory: []plan.Sent{sent(want, "u", "o")}, Judged: differing}, event.Configured, "was changed outside egk8s: data.k"},
		"somebody made it again":    {plan.Input{Live: map[object.Key]plan.Live{key: live(want, "v", "o")}, Inventory: []plan.Sent{sent(want, "u", "o")}, Judged: differing}, event.Configured, "was recreated outside egk8s: data.k"},
		"not known, but the same":   {plan.Input{Live: map[object.Key]plan.Live{key: live(want, "u", "o")}, Judged: same}, event.Unchanged, ""},
		"not known, and not judged": {plan.Input{Live: map[object.Key]plan.Live{key: live(want, "u", "o")}}, event.Configured, "not known to this release"},
		"helm's":                    {plan.Input{ByHelm: true, Live: map[object.Key]plan.Live{key: live(want, "u", "o", "helm")}, Judged: same}, event.Configured, "take over from helm"},
		"helm's, but we came after": {plan.Input{Live: map[object.Key]plan.Live{key: live(want, "u", "o", "helm")}, Judged: same}, event.Unchanged, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.in.Desired = []*unstructured.Unstructured{want}
			p := plan.Make(c.in)
			if len(p.Ops) != 1 || p.Ops[0].Action != c.action || len(p.Ops[0].Reason) < len(c.reason) || p.Ops[0].Reason[:len(c.reason)] != c.reason {
				t.Errorf("%+v", p.Ops)
			}
			if p.Changes() != (c.action != event.Unchanged) {
				t.Error("Changes says otherwise")
			}
		})
	}
}

// TestPrune: what earlier revisions made and this one does not want goes, once, dependants first;
// what is not there or is kept elsewhere stays out.
func TestPrune(t *testing.T) {
	t.Parallel()
	wanted, old, kept, gone := configMap("wanted", ""), configMap("old", ""), configMap("kept", ""), configMap("gone", "")
	d := deployment()
	there := map[object.Key]plan.Live{}
	for _, u := range []*unstructured.Unstructured{wanted, old, kept, d} {
		there[object.Of(u).Key()] = live(u, "u", "o")
	}
	p := plan.Make(plan.Input{
		Desired: []*unstructured.Unstructured{wanted}, Live: there, Inventory: []plan.Sent{sent(wanted, "u", "o")},
		Previous: []object.Ref{object.Of(old), object.Of(old), object.Of(d), object.Of(kept), object.Of(gone), object.Of(wanted)},
		Keep:     func(l plan.Live) bool { return l.Name == "kept" },
	})
	var got []string
	for _, op := range p.Ops {
		got = append(got, string(op.Action)+" "+op.String())
	}
	if diff := cmp.Diff([]string{"unchanged ConfigMap/wanted", "deleted Deployment/shop", "deleted ConfigMap/old"}, got); diff != "" {
		t.Error(diff)
	}
	if p.Summary() != "1 unchanged, 2 deleted" {
		t.Error(p.Summary())
	}
}

// TestOwnedHash: the order in which a server writes a field set changes nothing; another field, and
// another manager, do.
func TestOwnedHash(t *testing.T) {
	t.Parallel()
	entry := func(manager, fields string) []metav1.ManagedFieldsEntry {
		return []metav1.ManagedFieldsEntry{{Manager: manager, Operation: metav1.ManagedFieldsOperationApply, FieldsV1: metav1.NewFieldsV1(fields)}}
	}
	a := plan.OwnedHash(entry("egk8s", `{"f:data":{"f:a":{},"f:b":{}}}`))
	if b := plan.OwnedHash(entry("egk8s", `{"f:data":{"f:b":{},"f:a":{}}}`)); a == "" || a != b {
		t.Errorf("order matters: %q, %q", a, b)
	}
	if b := plan.OwnedHash(entry("egk8s", `{"f:data":{"f:a":{}}}`)); a == b {
		t.Error("a field that is gone does not matter")
	}
	if b := plan.OwnedHash(entry("helm", `{"f:data":{"f:a":{},"f:b":{}}}`)); b != "" {
		t.Error("somebody else's fields are ours")
	}
}

// TestDiff: changed leaves are named by their path, list elements by name; what the API server keeps
// for itself, and empty for absent, is no difference.
func TestDiff(t *testing.T) {
	t.Parallel()
	parse := func(text string) *unstructured.Unstructured {
		u := &unstructured.Unstructured{}
		if err := json.Unmarshal([]byte(text), &u.Object); err != nil {
			t.Fatal(err)
		}
		return u
	}
	a := parse(`{"kind":"X","metadata":{"resourceVersion":"1","managedFields":[1],"labels":{"a.b/c":"1"}},"spec":{"n":1,"list":[{"name":"x","v":1}],"none":{}},"status":{"x":1}}`)
	b := parse(`{"kind":"X","metadata":{"resourceVersion":"2","generation":3,"labels":{"a.b/c":"2"}},"spec":{"n":1.0,"list":[{"name":"x","v":2}]},"status":{"x":2}}`)
	if diff := cmp.Diff([]plan.Field{{Path: "metadata.labels[a.b/c]", Before: "1", After: "2"}, {Path: "spec.list[x].v", Before: 1.0, After: 2.0}}, plan.Diff(a, b)); diff != "" {
		t.Error(diff)
	}
}

// TestDiffOfNamedLists: an element that comes, goes or moves is told by its name.
func TestDiffOfNamedLists(t *testing.T) {
	t.Parallel()
	list := func(names ...string) *unstructured.Unstructured {
		var items []any
		for _, name := range names {
			name, value, _ := strings.Cut(name, "=")
			items = append(items, map[string]any{"name": name, "value": value})
		}
		return &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"env": items}}}
	}
	item := func(name, value string) any { return map[string]any{"name": name, "value": value} }
	tests := map[string]struct {
		before, after *unstructured.Unstructured
		want          []plan.Field
	}{
		"equal":   {list("a=1", "b=2"), list("a=1", "b=2"), nil},
		"changed": {list("a=1", "b=2"), list("a=1", "b=3"), []plan.Field{{Path: "spec.env[b].value", Before: "2", After: "3"}}},
		"added":   {list("b=2"), list("a=1", "b=2"), []plan.Field{{Path: "spec.env[a]", After: item("a", "1")}}},
		"removed": {list("a=1", "b=2"), list("b=2"), []plan.Field{{Path: "spec.env[a]", Before: item("a", "1")}}},
		"moved":   {list("a=1", "b=2"), list("b=2", "a=1"), []plan.Field{{Path: "spec.env (order)", Before: []string{"a", "b"}, After: []string{"b", "a"}}}},
		"a name twice is no name": {list("a=1"), list("a=1", "a=2"), []plan.Field{{
			Path: "spec.env", Before: []any{item("a", "1")}, After: []any{item("a", "1"), item("a", "2")},
		}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, plan.Diff(test.before, test.after)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestReplicasOfAnAutoscaler: the number that is given up is kept by another manager until the autoscaler
// takes it, and a new Deployment begins with the least.
func TestReplicasOfAnAutoscaler(t *testing.T) {
	t.Parallel()
	thing := func(kind string, spec map[string]any) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "apps/v1", "kind": kind, "metadata": map[string]any{"name": "shop", "namespace": "ns"}, "spec": spec,
		}}
	}
	want := thing("Deployment", map[string]any{})
	scaler := thing("HorizontalPodAutoscaler", map[string]any{"minReplicas": int64(3), "scaleTargetRef": map[string]any{"name": "shop"}})
	key := object.Of(want).Key()
	judged := func(before, after int64) map[object.Key]plan.Judgement {
		return map[object.Key]plan.Judgement{key: plan.Judge(
			thing("Deployment", map[string]any{"replicas": before}), thing("Deployment", map[string]any{"replicas": after}),
		)}
	}
	tests := map[string]struct {
		desired []*unstructured.Unstructured
		live    map[object.Key]plan.Live
		judged  map[object.Key]plan.Judgement
		keeps   any // replicas
		action  event.Action
	}{
		"new":           {[]*unstructured.Unstructured{want, scaler}, nil, nil, int64(3), event.Created},
		"new and fixed": {[]*unstructured.Unstructured{thing("Deployment", map[string]any{"replicas": int64(2)}), scaler}, nil, nil, nil, event.Created},
		"given up":      {[]*unstructured.Unstructured{want, scaler}, map[object.Key]plan.Live{key: live(want, "u", "o")}, judged(5, 1), int64(5), event.Configured},
		"given up before": {
			[]*unstructured.Unstructured{want, scaler},
			map[object.Key]plan.Live{key: live(want, "u", "o")},
			judged(5, 5), nil, event.Unchanged,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := plan.Make(plan.Input{Desired: test.desired, Live: test.live, Judged: test.judged})
			op := p.Ops[0]
			var keeps any
			if op.HandOver != nil {
				keeps, _, _ = unstructured.NestedFieldNoCopy(op.HandOver.Object, "spec", "replicas")
			}
			if op.Kind != "Deployment" || op.Action != test.action || keeps != test.keeps {
				t.Errorf("%s %s keeps %v; want %s, %v", op, op.Action, keeps, test.action, test.keeps)
			}
		})
	}
}
