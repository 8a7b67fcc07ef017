// Package plan compares what should be in the cluster with what is there and what was sent last, and
// says what to do and why. It is pure: plans are values, made from values.
package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/object"
)

// Live is what is known of one object in the cluster from its metadata alone.
type Live struct {
	object.Ref
	UID      string
	Owned    string   // hash of the fields that egk8s owns; empty: none
	State    string   // its generation, else its resource version; empty for a kind whose status moves the latter
	Managers []string // that own fields by updates, not by apply: helm, kubectl-edit
	Labels   map[string]string
}

// Sent is what the inventory remembers of one object.
type Sent struct {
	object.Ref
	UID, Sent, Owned string
}

// Judgement is the API server's answer to a dry run of one object: what of it a plan needs, since a release may
// have a thousand objects. The zero value: it gave none.
type Judgement struct {
	Known  bool    // what an apply would change
	Fields []Field // that it would change
	Owned  string  // hash of the fields that egk8s would own then
	Err    error   // its refusal
}

// Judge reads a judgement from an object as it is and as it would be.
func Judge(live, result *unstructured.Unstructured) Judgement {
	return Judgement{Known: true, Fields: Diff(live, result), Owned: OwnedHash(result.GetManagedFields())}
}

// Input is everything a plan is made of.
type Input struct {
	Desired   []*unstructured.Unstructured
	Live      map[object.Key]Live
	Inventory []Sent
	Judged    map[object.Key]Judgement // of those that Suspects names
	Previous  []object.Ref             // objects of earlier revisions; those not desired are removed
	Keep      func(Live) bool          // objects that are pruned elsewhere; nil: none
	ByHelm    bool                     // the helm program wrote the newest record
}

// Op is one thing to do with one object.
type Op struct {
	object.Ref
	Action event.Action
	Reason string
	Fields []Field // that change, when known
	// TakeOver are managers whose fields become ours before the apply.
	TakeOver []string
	// HandOver is a part of the object that another manager keeps until an autoscaler takes it: of one that exists
	// before ours gives it up, of a new one once it is there. nil: none.
	HandOver *unstructured.Unstructured
	Object   *unstructured.Unstructured // nil: delete
	UID      string                     // of the live object
	Live     string                     // Live.State
	Hash     string                     // of Object
	Entry    Sent                       // what stays true when nothing is done
	Err      error                      // the API server refused it in the dry run
}

// Plan is what to do, in order.
type Plan struct {
	Ops []Op
}

// Changes tells whether the plan changes anything.
func (p Plan) Changes() bool {
	return slices.ContainsFunc(p.Ops, func(o Op) bool { return o.Action != event.Unchanged })
}

// Count returns how many operations have the action.
func (p Plan) Count(a event.Action) int {
	n := 0
	for _, o := range p.Ops {
		if o.Action == a {
			n++
		}
	}
	return n
}

// Summary says in a few words what the plan does: "2 created, 1 configured, 5 unchanged".
func (p Plan) Summary() string {
	var parts []string
	for _, a := range []event.Action{event.Created, event.Configured, event.Unchanged, event.Deleted} {
		if n := p.Count(a); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, a))
		}
	}
	return cmp.Or(strings.Join(parts, ", "), "nothing to do")
}

// Suspects returns the desired objects that exist and that the inventory does not prove unchanged:
// the API server must judge them.
func Suspects(desired []*unstructured.Unstructured, live map[object.Key]Live, inventory []Sent) []*unstructured.Unstructured {
	known := byKey(inventory)
	var out []*unstructured.Unstructured
	for _, u := range desired {
		key := object.Of(u).Key()
		if l, ok := live[key]; ok && !proven(known[key], l, Hash(u)) {
			out = append(out, u)
		}
	}
	return out
}

func byKey(inventory []Sent) map[object.Key]Sent {
	known := make(map[object.Key]Sent, len(inventory))
	for _, s := range inventory {
		known[s.Key()] = s
	}
	return known
}

// proven tells whether an object is exactly as we left it and as we want it: the same object, the
// same content sent, and not one field of ours changed by somebody else (the API server would have
// taken it from our set).
func proven(s Sent, l Live, hash string) bool {
	return s.UID != "" && s.UID == l.UID && s.Sent == hash && s.Owned == l.Owned
}

// Make makes the plan.
func Make(in Input) Plan {
	var p Plan
	known := byKey(in.Inventory)
	wanted := map[object.Key]bool{}
	for _, u := range in.Desired {
		ref := object.Of(u)
		wanted[ref.Key()] = true
		live, exists := in.Live[ref.Key()]
		op := Op{Ref: ref, Object: u, Hash: Hash(u), UID: live.UID, Live: live.State, Entry: known[ref.Key()]}
		switch {
		case !exists:
			op.Action, op.Reason = event.Created, "not there"
			if op.Entry.UID != "" {
				op.Reason = "was deleted outside egk8s"
			}
			begin(&op, in.Desired)
		case proven(op.Entry, live, op.Hash):
			op.Action = event.Unchanged
		default:
			judge(&op, in, live)
		}
		p.Ops = append(p.Ops, op)
	}
	slices.SortStableFunc(p.Ops, func(a, b Op) int {
		return cmp.Compare(object.Stage(a.GVK().GroupKind()), object.Stage(b.GVK().GroupKind()))
	})
	p.Ops = append(p.Ops, prune(in, wanted)...)
	return p
}

// judge decides about an object that exists and may differ.
func judge(op *Op, in Input, live Live) {
	j := in.Judged[op.Key()]
	op.Err = j.Err
	if in.ByHelm {
		for _, m := range live.Managers {
			if strings.HasPrefix(m, "helm") {
				op.TakeOver = append(op.TakeOver, m)
			}
		}
	}
	if j.Known {
		op.Fields = slices.Clone(j.Fields)
		handOver(op)
		if len(op.Fields) == 0 && len(op.TakeOver) == 0 && op.HandOver == nil {
			op.Action, op.Entry = event.Unchanged, Sent{Ref: op.Ref, UID: live.UID, Sent: op.Hash, Owned: j.Owned}
			return
		}
	}
	op.Action = event.Configured
	switch {
	case len(op.TakeOver) > 0:
		op.Reason = "take over from helm"
	case op.HandOver != nil && len(op.Fields) == 0:
		op.Reason = "the number of replicas is left to the autoscaler"
	case op.Entry.UID == "":
		op.Reason = "not known to this release"
	case op.Entry.UID != live.UID:
		op.Reason = "was recreated outside egk8s"
	case op.Entry.Sent == op.Hash:
		op.Reason = "was changed outside egk8s"
	default:
		op.Reason = "changed"
	}
	if len(op.Fields) > 0 {
		op.Reason += ": " + short(op.Fields)
	}
}

// handOver keeps the number of replicas that we stop to send, since an autoscaler is to choose it: without a
// manager the API server would fall back to one replica.
// https://kubernetes.io/docs/reference/using-api/server-side-apply/#transferring-ownership
func handOver(op *Op) {
	_, sent, _ := unstructured.NestedFieldNoCopy(op.Object.Object, "spec", "replicas")
	i := slices.IndexFunc(op.Fields, func(f Field) bool { return f.Path == "spec.replicas" && f.Before != nil })
	if op.Kind != "Deployment" || sent || i < 0 {
		return
	}
	op.HandOver = replicas(op.Object, op.Fields[i].Before)
	op.Fields = slices.Delete(op.Fields, i, i+1)
}

// begin gives a new Deployment whose number of replicas an autoscaler chooses the least of them at once.
func begin(op *Op, desired []*unstructured.Unstructured) {
	if _, sent, _ := unstructured.NestedFieldNoCopy(op.Object.Object, "spec", "replicas"); op.Kind != "Deployment" || sent {
		return
	}
	for _, u := range desired {
		target, _, _ := unstructured.NestedString(u.Object, "spec", "scaleTargetRef", "name")
		least, ok, _ := unstructured.NestedFieldNoCopy(u.Object, "spec", "minReplicas")
		if u.GetKind() == "HorizontalPodAutoscaler" && target == op.Name && ok {
			op.HandOver = replicas(op.Object, least)
		}
	}
}

func replicas(of *unstructured.Unstructured, n any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": of.GetAPIVersion(), "kind": of.GetKind(),
		"metadata": map[string]any{"name": of.GetName(), "namespace": of.GetNamespace()},
		"spec":     map[string]any{"replicas": n},
	}}
}

func short(fields []Field) string {
	const most = 3
	paths := make([]string, len(fields))
	for i, f := range fields {
		paths[i] = f.Path
	}
	if len(paths) <= most {
		return strings.Join(paths, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(paths[:most], ", "), len(paths)-most)
}

// prune removes what earlier revisions made and this one does not want.
func prune(in Input, wanted map[object.Key]bool) []Op {
	var ops []Op
	seen := map[object.Key]bool{}
	for _, ref := range in.Previous {
		key := ref.Key()
		live, exists := in.Live[key]
		if wanted[key] || seen[key] || !exists || in.Keep != nil && in.Keep(live) {
			continue
		}
		seen[key] = true
		ops = append(ops, Op{Ref: ref, Action: event.Deleted, Reason: "no longer part of the release", UID: live.UID, Live: live.State})
	}
	slices.SortStableFunc(ops, func(a, b Op) int { // what needs others goes first
		return cmp.Compare(object.Stage(b.GVK().GroupKind()), object.Stage(a.GVK().GroupKind()))
	})
	return ops
}
