// Package difference says how two states of a release differ, in the terms of those who review it: objects by
// their fields, configuration files by their lines, secrets by whether they are equal. It is pure.
package difference

import (
	"encoding/json"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/plan"
)

// Object is how one object changes.
type Object struct {
	Kind      string       `json:"kind"`
	Name      string       `json:"name"`
	Namespace string       `json:"namespace,omitempty"`
	Action    event.Action `json:"action"`
	Reason    string       `json:"reason,omitempty"`
	Fields    []Field      `json:"fields,omitempty"` // of an object that is configured
}

// Field is one field that changes. A value of a Secret is never here: it is the mark Secret.
type Field struct {
	Path   string `json:"path"`
	Before string `json:"before,omitempty"` // as JSON; empty: not there
	After  string `json:"after,omitempty"`
}

// Secret stands for a secret value, whatever it is.
const Secret = "(secret)"

// Objects describes the operations of a plan that change something, in its order.
func Objects(ops []plan.Op) []Object {
	out := []Object{}
	for _, op := range ops {
		if op.Action == event.Unchanged {
			continue
		}
		o := Object{Kind: op.Kind, Name: op.Name, Namespace: op.Namespace, Action: op.Action, Reason: op.Reason}
		for _, f := range op.Fields {
			o.Fields = append(o.Fields, describe(op.Kind, f))
		}
		if len(o.Fields) > 0 {
			o.Reason, _, _ = strings.Cut(o.Reason, ": ") // the fields say the rest
		}
		out = append(out, o)
	}
	return out
}

// Between describes how two sets of objects differ, by what stands in them alone.
func Between(before, after []*unstructured.Unstructured) []Object {
	old := map[object.Key]*unstructured.Unstructured{}
	for _, u := range before {
		old[object.Of(u).Key()] = u
	}
	var ops []plan.Op
	for _, u := range after {
		op := plan.Op{Ref: object.Of(u), Action: event.Created}
		if was := old[op.Key()]; was != nil {
			op.Action, op.Fields = event.Unchanged, plan.Diff(was, u)
			if len(op.Fields) > 0 {
				op.Action = event.Configured
			}
			delete(old, op.Key())
		}
		ops = append(ops, op)
	}
	for _, u := range before {
		if _, gone := old[object.Of(u).Key()]; gone {
			ops = append(ops, plan.Op{Ref: object.Of(u), Action: event.Deleted})
		}
	}
	return Objects(ops)
}

func describe(kind string, f plan.Field) Field {
	out := Field{Path: f.Path, Before: text(f.Before), After: text(f.After)}
	if kind == "Secret" && !strings.HasPrefix(f.Path, "metadata.") {
		if out.Before != "" {
			out.Before = Secret
		}
		if out.After != "" {
			out.After = Secret
		}
	}
	return out
}

// text writes a value as JSON, on one line; nothing for one that is not there.
func text(v any) string {
	if v == nil {
		return ""
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(raw)
}
