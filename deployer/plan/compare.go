package plan

import (
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
	for _, e := range m.ManagedFields {
		if e.Operation == metav1.ManagedFieldsOperationUpdate && e.Subresource == "" && !slices.Contains(l.Managers, e.Manager) {
			l.Managers = append(l.Managers, e.Manager)
		}
	}
	return l
}

// Diff returns the paths of the fields in which two states of one object differ, without what the
// API server keeps for itself.
func Diff(a, b *unstructured.Unstructured) []string {
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
	return d.paths
}

type differ struct{ paths []string }

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
	if aok && bok && len(al) == len(bl) {
		for i := range al {
			d.walk(fmt.Sprintf("%s[%s]", path, element(al[i], i)), al[i], bl[i])
		}
		return
	}
	if !same(a, b) {
		d.paths = append(d.paths, path)
	}
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
	if m, ok := v.(map[string]any); ok {
		if name, ok := m["name"].(string); ok {
			return name
		}
	}
	return fmt.Sprint(i)
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
