package render

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"egk8s.dev/egk8s/deployer/cloud"
)

// OutFile is one file of a rendered folder.
type OutFile struct {
	Path string // with slashes, relative to the folder
	Data []byte
}

// Folder is the objects as one file each, numbered in the order in which to apply them.
func Folder(r *Rendered) ([]OutFile, error) {
	var files []OutFile
	for i, o := range r.all() {
		text, err := yaml.Marshal(o.Object)
		if err != nil {
			return nil, fmt.Errorf("write %s/%s: %w", o.GetKind(), o.GetName(), err)
		}
		files = append(files, OutFile{Path: fmt.Sprintf("%02d-%s.yaml", i, fileName(o)), Data: text})
	}
	return files, nil
}

// Kustomize is the release as a base and an overlay that stock kustomize builds to the same objects as
// Folder and YAML give: the base is the release on any cluster, the overlay what the cloud wants
// differently. Build it with: kubectl kustomize DIR/overlays/CLOUD.
func Kustomize(in Input, generic cloud.Profile) ([]OutFile, error) {
	want, err := Objects(in)
	if err != nil {
		return nil, err
	}
	onAny := in
	onAny.Profile = generic
	common, err := Objects(onAny)
	if err != nil {
		return nil, err
	}
	k := kustomization{files: map[string][]byte{}}
	for _, o := range common.all() {
		if err := k.write(path.Join("base", fileName(o)+".yaml"), o.Object); err != nil {
			return nil, err
		}
		k.base = append(k.base, fileName(o)+".yaml")
	}
	if err := k.write("base/kustomization.yaml", kustomizationFile(map[string]any{"resources": list(k.base)})); err != nil {
		return nil, err
	}
	overlay := path.Join("overlays", or(in.Overlay, in.Profile.Name))
	if err := k.overlay(overlay, common.all(), want.all()); err != nil {
		return nil, err
	}
	return k.sorted(), nil
}

func (r *Rendered) all() []*unstructured.Unstructured {
	return append(slices.Clone(r.Config), r.Objects...)
}

type kustomization struct {
	base  []string
	files map[string][]byte
}

// overlay writes the patches that turn the base's objects into the wanted ones, and the objects that
// only one side has.
func (k *kustomization) overlay(dir string, base, want []*unstructured.Unstructured) error {
	resources, patches := []any{"../../base"}, []any{}
	inBase := map[string]*unstructured.Unstructured{}
	for _, o := range base {
		inBase[fileName(o)] = o
	}
	for _, o := range want {
		name := fileName(o)
		old, ok := inBase[name]
		delete(inBase, name)
		if !ok {
			resources = append(resources, name+".yaml")
			if err := k.write(path.Join(dir, name+".yaml"), o.Object); err != nil {
				return err
			}
			continue
		}
		if patch := difference(nil, old.Object, o.Object); len(patch) > 0 {
			patches = append(patches, map[string]any{"path": name + ".patch.yaml", "target": target(o)})
			if err := k.write(path.Join(dir, name+".patch.yaml"), patch); err != nil {
				return err
			}
		}
	}
	for _, o := range base {
		name := fileName(o)
		if inBase[name] == nil {
			continue
		}
		patches = append(patches, map[string]any{"path": name + ".delete.yaml", "target": target(o)})
		gone := map[string]any{
			"$patch": "delete", "apiVersion": o.GetAPIVersion(), "kind": o.GetKind(),
			"metadata": map[string]any{"name": o.GetName(), "namespace": o.GetNamespace()},
		}
		if err := k.write(path.Join(dir, name+".delete.yaml"), gone); err != nil {
			return err
		}
	}
	content := map[string]any{"resources": resources}
	if len(patches) > 0 {
		content["patches"] = patches
	}
	return k.write(path.Join(dir, "kustomization.yaml"), kustomizationFile(content))
}

func kustomizationFile(content map[string]any) map[string]any {
	content["apiVersion"], content["kind"] = "kustomize.config.k8s.io/v1beta1", "Kustomization"
	content["sortOptions"] = map[string]any{"order": "fifo"}
	return content
}

func target(o *unstructured.Unstructured) map[string]any {
	t := map[string]any{"version": "v1", "kind": o.GetKind(), "name": o.GetName()}
	if group, version, ok := strings.Cut(o.GetAPIVersion(), "/"); ok {
		t["group"], t["version"] = group, version
	}
	return t
}

// difference is a list of JSON patch operations (RFC 6902) that turn a into b. Lists that differ are
// replaced as a whole.
func difference(at []string, a, b map[string]any) []any {
	var ops []any
	for _, name := range sortedKeys(a, b) {
		where := append(slices.Clone(at), name)
		pointer := "/" + strings.Join(escape(where), "/")
		old, had := a[name]
		value, has := b[name]
		oldMap, oldIsMap := old.(map[string]any)
		newMap, newIsMap := value.(map[string]any)
		switch {
		case !has:
			ops = append(ops, map[string]any{"op": "remove", "path": pointer})
		case !had:
			ops = append(ops, map[string]any{"op": "add", "path": pointer, "value": value})
		case oldIsMap && newIsMap:
			ops = append(ops, difference(where, oldMap, newMap)...)
		case !equal(old, value):
			ops = append(ops, map[string]any{"op": "replace", "path": pointer, "value": value})
		}
	}
	return ops
}

func escape(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
	}
	return out
}

func sortedKeys(maps ...map[string]any) []string {
	var names []string
	for _, m := range maps {
		for name := range m {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func equal(a, b any) bool {
	x, errX := yaml.Marshal(a)
	y, errY := yaml.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

func fileName(o *unstructured.Unstructured) string {
	return strings.ToLower(o.GetKind()) + "-" + o.GetName()
}

func (k *kustomization) write(name string, content any) error {
	text, err := yaml.Marshal(content)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	k.files[name] = text
	return nil
}

func (k *kustomization) sorted() []OutFile {
	files := make([]OutFile, 0, len(k.files))
	for name, data := range k.files {
		files = append(files, OutFile{Path: name, Data: data})
	}
	slices.SortFunc(files, func(a, b OutFile) int { return strings.Compare(a.Path, b.Path) })
	return files
}
