package project_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/deployer/project"
)

func TestScaffoldLoads(t *testing.T) {
	t.Parallel()
	for _, opts := range []project.ScaffoldOptions{
		{Name: "shop"},
		{Name: "shop", Cloud: "kind"},
		{Name: "shop", Cloud: "gke", Repository: "europe-docker.pkg.dev/p/r/gateway"},
		{Name: "shop", Cloud: "gke", NeedsRepository: true},
	} {
		dir := t.TempDir()
		files, err := project.Scaffold(opts)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range files {
			names = append(names, f.Path)
			file := filepath.Join(dir, f.Path)
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, f.Data, 0o600); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(f.Data), "{{") {
				t.Errorf("%s: a placeholder is left", f.Path)
			}
		}
		want := []string{
			"config/consumers.yml", "config/gateway.config.yml", "config/models/applications.json",
			"config/models/credentials.json", "config/models/users.json", "config/system.config.yml", "egk8s.yaml",
		}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Error(diff)
		}
		p, problems := project.Load(filepath.Join(dir, "egk8s.yaml"), project.Options{})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		if p.Name != "shop" || p.Cloud != opts.Cloud {
			t.Errorf("%+v", p)
		}
		if _, problems := p.Collect(nil); len(problems) > 0 {
			t.Error(problems)
		}
		if p.Spec.Image.Repository != opts.Repository {
			t.Errorf("repository %q was made up", p.Spec.Image.Repository)
		}
	}
}

func TestScaffoldRefuses(t *testing.T) {
	t.Parallel()
	if _, err := project.Scaffold(project.ScaffoldOptions{Name: "My Shop"}); err == nil {
		t.Error("a name that no Service can have was accepted")
	}
	if _, err := project.Scaffold(project.ScaffoldOptions{Name: "shop", Pipeline: "hudson"}); err == nil ||
		!strings.Contains(err.Error(), "known:") {
		t.Errorf("unknown pipeline: %v", err)
	}
}
