package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"sort"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/object"
)

// manager is the field manager whose fields are ours.
const manager = "egk8s"

// Hash is the hash of what is sent for an object. Owner references are not part of it: they are set
// when the owner is known.
func Hash(u *unstructured.Unstructured) string {
	copied := u
	if len(u.GetOwnerReferences()) > 0 {
		copied = u.DeepCopy()
		copied.SetOwnerReferences(nil)
	}
	raw, err := object.Canonical(copied)
	if err != nil {
		return "" // equals nothing that was sent: the object is judged by the API server
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16])
}

// OwnedHash is the hash of the set of fields that egk8s owns by apply; empty: none.
func OwnedHash(entries []metav1.ManagedFieldsEntry) string {
	for _, e := range entries {
		if e.Manager != manager || e.Operation != metav1.ManagedFieldsOperationApply || e.Subresource != "" || e.FieldsV1 == nil {
			continue
		}
		var fields any
		if json.Unmarshal(e.FieldsV1.GetRawBytes(), &fields) != nil {
			return ""
		}
		raw, err := json.Marshal(fields) // sorted keys, whatever order the answer had
		if err != nil {
			return ""
		}
		sum := sha256.Sum256(raw)
		return hex.EncodeToString(sum[:16])
	}
	return ""
}

// LiveOf reads what a plan needs from metadata.
func LiveOf(m metav1.PartialObjectMetadata) Live {
	gvk := m.GroupVersionKind()
	l := Live{
		Ref: object.Ref{Group: gvk.Group, Version: gvk.Version, Kind: gvk.Kind, Namespace: m.Namespace, Name: m.Name},
		UID: string(m.UID), Owned: OwnedHash(m.ManagedFields), Labels: m.Labels,
	}
	switch {
	case m.Generation > 0:
		l.State = fmt.Sprintf("generation %d", m.Generation)
	case gvk.Kind != "HorizontalPodAutoscaler":
		l.State = "resourceVersion " + m.ResourceVersion
	}
	for _, e := range m.ManagedFields {
		if e.Operation == metav1.ManagedFieldsOperationUpdate && e.Subresource == "" && !slices.Contains(l.Managers, e.Manager) {
			l.Managers = append(l.Managers, e.Manager)
		}
	}
	return l
}

// Field is a field in which two states of one object differ; where a state has none it is nil.
type Field struct {
	Path          string // spec.template.spec.containers[gateway].image
	Before, After any
}

// Diff returns the fields in which two states of one object differ, without what the API server keeps
// for itself.
func Diff(a, b *unstructured.Unstructured) []Field {
	var d differ
	for _, key := range keys(a.Object, b.Object) {
		switch key {
		case "status", "apiVersion":
		case "metadata":
			d.metadata(a, b)
		default:
			d.walk(key, a.Object[key], b.Object[key])
		}
	}
	return d.fields
}

type differ struct{ fields []Field }

func (d *differ) metadata(a, b *unstructured.Unstructured) {
	am, _ := a.Object["metadata"].(map[string]any)
	bm, _ := b.Object["metadata"].(map[string]any)
	for _, key := range []string{"labels", "annotations", "ownerReferences", "finalizers"} {
		d.walk("metadata."+key, am[key], bm[key])
	}
}

func (d *differ) walk(path string, a, b any) {
	am, aok := a.(map[string]any)
	bm, bok := b.(map[string]any)
	if aok && bok {
		for _, key := range keys(am, bm) {
			d.walk(join(path, key), am[key], bm[key])
		}
		return
	}
	al, aok := a.([]any)
	bl, bok := b.([]any)
	an, bn := named(al), named(bl)
	if aok && bok && an != nil && bn != nil {
		d.elements(path, an, bn)
		return
	}
	if aok && bok && len(al) == len(bl) {
		for i := range al {
			d.walk(fmt.Sprintf("%s[%s]", path, element(al[i], i)), al[i], bl[i])
		}
		return
	}
	if !same(a, b) {
		d.fields = append(d.fields, Field{Path: path, Before: a, After: b})
	}
}

// elements compares lists whose elements have names, as containers, ports, variables and volumes have.
// Their order counts: where it differs, the whole lists do.
func (d *differ) elements(path string, a, b []any) {
	at := map[string]any{}
	var kept []string
	for _, v := range a {
		at[nameOf(v)] = v
	}
	for _, v := range b {
		if _, both := at[nameOf(v)]; both {
			kept = append(kept, nameOf(v))
		}
	}
	var before []string
	for _, v := range a {
		if slices.Contains(kept, nameOf(v)) {
			before = append(before, nameOf(v))
		} else {
			d.fields = append(d.fields, Field{Path: fmt.Sprintf("%s[%s]", path, nameOf(v)), Before: v})
		}
	}
	if !slices.Equal(before, kept) {
		d.fields = append(d.fields, Field{Path: path + " (order)", Before: before, After: kept})
	}
	for _, v := range b {
		name := fmt.Sprintf("%s[%s]", path, nameOf(v))
		if was, both := at[nameOf(v)]; both {
			d.walk(name, was, v)
		} else {
			d.fields = append(d.fields, Field{Path: name, After: v})
		}
	}
}

// named returns the list when every element has a name of its own, else nil.
func named(list []any) []any {
	seen := map[string]bool{}
	for _, v := range list {
		name := nameOf(v)
		if name == "" || seen[name] {
			return nil
		}
		seen[name] = true
	}
	return list
}

func nameOf(v any) string {
	m, _ := v.(map[string]any)
	name, _ := m["name"].(string)
	return name
}

// same compares leaves; 1 and 1.0 are one number, an empty map or list is an absent one.
func same(a, b any) bool {
	if reflect.DeepEqual(a, b) || empty(a) && empty(b) {
		return true
	}
	return number(a) != "" && number(a) == number(b)
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	default:
		return false
	}
}

func number(v any) string {
	switch v.(type) {
	case int64, float64, int:
		return fmt.Sprint(v)
	default:
		return ""
	}
}

// element names a list's element by its name where it has one.
func element(v any, i int) string {
	return cmp.Or(nameOf(v), fmt.Sprint(i))
}

func join(path, key string) string {
	if strings.ContainsAny(key, "./") {
		return path + "[" + key + "]"
	}
	return path + "." + key
}

func keys(maps ...map[string]any) []string {
	var out []string
	for _, m := range maps {
		for k := range m {
			if !slices.Contains(out, k) {
				out = append(out, k)
			}
		}
	}
	sort.Strings(out)
	return out
}
