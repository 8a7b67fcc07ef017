// Package object names Kubernetes objects and knows the kinds that a release is made of. It is pure.
package object

import (
	"cmp"
	"encoding/json"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Ref names one object. Namespace is empty for a cluster-scoped one.
type Ref struct {
	Group     string `json:"group,omitempty"`
	Version   string `json:"version"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

// Of returns the name of u.
func Of(u *unstructured.Unstructured) Ref {
	gvk := u.GroupVersionKind()
	return Ref{Group: gvk.Group, Version: gvk.Version, Kind: gvk.Kind, Namespace: u.GetNamespace(), Name: u.GetName()}
}

// String returns Kind/name, as every view shows it.
func (r Ref) String() string { return r.Kind + "/" + r.Name }

// GVK returns the kind of the object that r names.
func (r Ref) GVK() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: r.Group, Version: r.Version, Kind: r.Kind}
}

// Key is a Ref without its version: one object is the same in all versions of its group.
type Key struct {
	Group, Kind, Namespace, Name string
}

// Key returns what identifies the object whatever version it is read in.
func (r Ref) Key() Key {
	return Key{Group: r.Group, Kind: r.Kind, Namespace: r.Namespace, Name: r.Name}
}

// In returns r in the namespace, unless its kind is cluster-scoped or it has one.
func (r Ref) In(namespace string) Ref {
	if r.Namespace == "" && !ClusterScoped(r.GVK().GroupKind()) {
		r.Namespace = namespace
	}
	return r
}

// The stages of an apply: what a later stage needs is there when it begins.
const (
	StageOwner    = iota // the ServiceAccount, which owns what stands beside the record
	StageConfig          // ConfigMaps, Secrets
	StageRights          // Roles and bindings
	StageServices        // Services, disruption budgets, policies
	StageWorkloads
	StageRest
	Stages
)

// Stage returns when an object of that kind is applied.
func Stage(kind schema.GroupKind) int {
	switch kind.Kind {
	case "Namespace", "ServiceAccount":
		return StageOwner
	case "ConfigMap", "Secret", "PersistentVolumeClaim":
		return StageConfig
	case "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding":
		return StageRights
	case "Service", "PodDisruptionBudget", "NetworkPolicy":
		return StageServices
	case "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod":
		return StageWorkloads
	default:
		return StageRest
	}
}

// Sort puts objects into the order in which they are applied: by stage, kind and name.
func Sort(objects []*unstructured.Unstructured) {
	slices.SortStableFunc(objects, func(a, b *unstructured.Unstructured) int {
		ka, kb := a.GroupVersionKind().GroupKind(), b.GroupVersionKind().GroupKind()
		return cmp.Or(cmp.Compare(Stage(ka), Stage(kb)), cmp.Compare(ka.Kind, kb.Kind), cmp.Compare(a.GetName(), b.GetName()))
	})
}

// Canonical returns u as JSON with sorted keys: equal objects give equal bytes.
func Canonical(u *unstructured.Unstructured) ([]byte, error) {
	return json.Marshal(u.Object)
}
