package render_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"egk8s.dev/egk8s/deployer/cloud"
	"egk8s.dev/egk8s/deployer/render"
)

// kustomizeBuild is what stock kustomize makes of a rendered folder: objects as YAML, by kind and name.
func kustomizeBuild(t *testing.T, files []render.OutFile, overlay string) map[string]string {
	t.Helper()
	disk := filesys.MakeFsInMemory()
	for _, f := range files {
		if err := disk.WriteFile("/out/"+f.Path, f.Data); err != nil {
			t.Fatal(err)
		}
	}
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(disk, "/out/overlays/"+overlay)
	if err != nil {
		t.Fatal(err)
	}
	objects := map[string]string{}
	for _, r := range built.Resources() {
		content, err := r.Map()
		if err != nil {
			t.Fatal(err)
		}
		text, err := yaml.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		objects[r.GetKind()+"/"+r.GetName()] = string(text)
	}
	return objects
}

func wanted(t *testing.T, in render.Input) map[string]string {
	t.Helper()
	r := mustRender(t, in)
	objects := map[string]string{}
	for _, o := range append(slices.Clone(r.Config), r.Objects...) {
		text, err := yaml.Marshal(o.Object)
		if err != nil {
			t.Fatal(err)
		}
		objects[o.GetKind()+"/"+o.GetName()] = string(text)
	}
	return objects
}

func TestKustomizeGivesTheSameObjects(t *testing.T) {
	t.Parallel()
	profiles, _ := cloud.Builtin()
	generic, err := profiles.Get(cloud.Generic)
	if err != nil {
		t.Fatal(err)
	}
	withStatus := generic
	withStatus.StatusService = cloud.StatusService{Enabled: true}
	tests := map[string]struct {
		change func(*render.Input)
		base   cloud.Profile
	}{
		"as it is":            {func(*render.Input) {}, generic},
		"with status Service": {func(in *render.Input) { in.Profile.StatusService.Enabled = true }, generic},
		"base with more":      {func(*render.Input) {}, withStatus},
		"annotations": {func(in *render.Input) {
			in.Profile.Service.Annotations = map[string]string{"a.example.com/x~y": "true"}
		}, generic},
	}
	for name, tt := range tests {
		for _, cloudName := range profiles.Names() {
			t.Run(name+"/"+cloudName, func(t *testing.T) {
				t.Parallel()
				in := newTestInput(t, cloudName)
				in.Profile.Service.Annotations = maps.Clone(in.Profile.Service.Annotations)
				tt.change(&in)
				files, err := render.Kustomize(in, tt.base)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(wanted(t, in), kustomizeBuild(t, files, cloudName)); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func TestFolderHoldsEveryObjectInOrder(t *testing.T) {
	t.Parallel()
	in := newTestInput(t, "kind")
	r := mustRender(t, in)
	files, err := render.Folder(r)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Path)
	}
	want := []string{
		"00-configmap-" + r.Names.ConfigMap + ".yaml", "01-secret-" + r.Names.Secret + ".yaml", "02-secret-shop-consumers.yaml",
		"03-serviceaccount-shop.yaml", "04-service-shop.yaml", "05-poddisruptionbudget-shop.yaml", "06-deployment-shop.yaml",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	var all strings.Builder
	for _, f := range files {
		all.WriteString("---\n" + string(f.Data))
	}
	whole, err := render.YAML(append(slices.Clone(r.Config), r.Objects...))
	if err != nil || all.String() != string(whole) {
		t.Errorf("the files are not the stream: %v", err)
	}
}
