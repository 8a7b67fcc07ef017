package render_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/cloud"
	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/deployer/render"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/offline"
)

var update = flag.Bool("update", false, "write the golden files")

const testImage = "registry.example.com/shop/gateway:0123456789abcdef@sha256:" +
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// newTestInput is the project of testdata on a cloud.
func newTestInput(tb testing.TB, cloudName string) render.Input {
	tb.Helper()
	p, problems := project.Load("testdata/project/egk8s.yaml", project.Options{})
	if problems.HasErrors() {
		tb.Fatal(problems)
	}
	files, problems := p.Collect(nil)
	if problems.HasErrors() {
		tb.Fatal(problems)
	}
	files.ConsumersDigest = strings.Repeat("c", 64)
	profiles, problems := cloud.Builtin()
	if problems.HasErrors() {
		tb.Fatal(problems)
	}
	profile, err := profiles.Get(cloudName)
	if err != nil {
		tb.Fatal(err)
	}
	return render.Input{
		Project: p, Namespace: "web", Profile: profile, Image: render.Image{Reference: testImage}, Files: files,
		Report: &offline.Report{HTTP: &offline.Port{Port: 80}, HTTPS: &offline.Port{Port: 443}, Admin: &offline.Port{Port: 9877}},
		Salt:   []byte("0123456789abcdef"), Version: "1.2.3+dirty",
	}
}

func mustRender(t *testing.T, in render.Input) *render.Rendered {
	t.Helper()
	r, err := render.Objects(in)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func find(t *testing.T, objects []*unstructured.Unstructured, kind, name string) map[string]any {
	t.Helper()
	for _, o := range objects {
		if o.GetKind() == kind && o.GetName() == name {
			return o.Object
		}
	}
	t.Fatalf("no %s/%s", kind, name)
	return nil
}

func TestGolden(t *testing.T) {
	t.Parallel()
	profiles, _ := cloud.Builtin()
	for _, name := range profiles.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := mustRender(t, newTestInput(t, name))
			got, err := render.YAML(append(slices.Clone(r.Config), r.Objects...))
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name+".golden.yaml")
			if *update {
				if err := os.WriteFile(file, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("(go test ./deployer/render -update writes it anew)\n%s", diff)
			}
		})
	}
}

func TestEqualInputEqualBytes(t *testing.T) {
	t.Parallel()
	first := mustRender(t, newTestInput(t, "gke"))
	for range 20 {
		if again := mustRender(t, newTestInput(t, "gke")); again.YAML != first.YAML || again.Names != first.Names {
			t.Fatal("two renders of the same input differ")
		}
	}
}

func TestConfigObjects(t *testing.T) {
	t.Parallel()
	in := newTestInput(t, "generic")
	r := mustRender(t, in)
	if r.Names.ConfigMap != "shop-config-"+r.Digest[:10] || !strings.HasPrefix(r.Names.Secret, "shop-secret-") {
		t.Errorf("%+v", r.Names)
	}
	data := find(t, r.Config, "Secret", r.Names.Secret)["data"].(map[string]any)
	system, err := base64.StdEncoding.DecodeString(data["system.config.yml"].(string))
	if err != nil {
		t.Fatal(err)
	}
	if want, _ := os.ReadFile("testdata/project/config/system.config.yml"); !bytes.Equal(system, want) {
		t.Error("the bytes of the file changed on the way")
	}
	entries := strings.Split(strings.TrimSuffix(string(r.Manifest), "\n"), "\n")
	if len(entries) != 4 || !strings.HasSuffix(entries[3], "\x00"+r.Names.Secret) {
		t.Errorf("%q", entries)
	}
	config := find(t, r.Config, "ConfigMap", r.Names.ConfigMap)
	if _, ok := config["binaryData"].(map[string]any)["models__users.json"]; !ok || config["immutable"] != true {
		t.Errorf("%v", config)
	}

	t.Run("the names follow the content", func(t *testing.T) {
		t.Parallel()
		changed := newTestInput(t, "generic")
		for i, f := range changed.Files.Config {
			if f.Secret {
				changed.Files.Config[i].Data = []byte("db: {}\n")
			}
		}
		other := mustRender(t, changed)
		if other.Names.Secret == r.Names.Secret || other.Names.ConfigMap == r.Names.ConfigMap || other.Digest == r.Digest {
			t.Error("a changed secret file left a name as it was")
		}
		salted := newTestInput(t, "generic")
		salted.Salt = []byte("another salt....")
		if mustRender(t, salted).Names.Secret == r.Names.Secret {
			t.Error("the salt does not count")
		}
		newer := newTestInput(t, "generic")
		newer.Version = "2.0.0"
		later := mustRender(t, newer)
		if later.Names != r.Names {
			t.Error("another version of egk8s changed a name")
		}
		if diff := cmp.Diff(template(t, r), template(t, later)); diff != "" {
			t.Errorf("another version of egk8s changes the pods: %s", diff)
		}
	})
}

func template(t *testing.T, r *render.Rendered) any {
	t.Helper()
	return find(t, r.Objects, "Deployment", "shop")["spec"].(map[string]any)["template"]
}

func TestRecordHoldsNoSecret(t *testing.T) {
	t.Parallel()
	in := newTestInput(t, "generic")
	for i := range in.Files.Config {
		if in.Files.Config[i].Secret {
			in.Files.Config[i].Data = []byte("TOP-SECRET")
		}
	}
	in.Files.Consumers.Data = []byte("TOP-SECRET")
	r := mustRender(t, in)
	for _, needle := range []string{"TOP-SECRET", base64.StdEncoding.EncodeToString([]byte("TOP-SECRET"))} {
		values, err := render.YAML([]*unstructured.Unstructured{{Object: r.Values}})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(r.YAML, needle) || strings.Contains(string(values), needle) || strings.Contains(string(r.Manifest), needle) {
			t.Error("a secret is in what the release record holds")
		}
	}
}

func TestOneReplicaHasNoDisruptionBudget(t *testing.T) {
	t.Parallel()
	in := newTestInput(t, "generic")
	in.Project.Spec.Replicas = project.Replicas{Fixed: 1}
	for _, o := range mustRender(t, in).Objects {
		if o.GetKind() == "PodDisruptionBudget" {
			t.Error("it would block every drain")
		}
	}
}

func TestServiceTypeOfTheProject(t *testing.T) {
	t.Parallel()
	in := newTestInput(t, "gke")
	in.Project.Spec.Service = project.Service{Type: "ClusterIP", Port: 8081, Annotations: map[string]string{"a": "true"}}
	service := find(t, mustRender(t, in).Objects, "Service", "shop")
	spec := service["spec"].(map[string]any)
	if spec["type"] != "ClusterIP" || spec["loadBalancerClass"] != nil || spec["externalTrafficPolicy"] != nil {
		t.Errorf("%v", spec)
	}
	if port := spec["ports"].([]any)[0].(map[string]any)["port"]; port != int64(8081) {
		t.Errorf("port %v (%T)", port, port)
	}
	if service["metadata"].(map[string]any)["annotations"].(map[string]any)["a"] != "true" {
		t.Errorf("%v", service["metadata"])
	}
}

func TestStatusService(t *testing.T) {
	t.Parallel()
	in := newTestInput(t, "generic")
	in.Profile.StatusService = cloud.StatusService{Enabled: true, Type: "NodePort", Annotations: map[string]string{"x": "y"}}
	spec := find(t, mustRender(t, in).Objects, "Service", "shop-status")["spec"].(map[string]any)
	if spec["type"] != "NodePort" || spec["ports"].([]any)[0].(map[string]any)["targetPort"] != "ready" {
		t.Errorf("%v", spec)
	}
}

func TestFileNamesThatNoObjectCanHold(t *testing.T) {
	t.Parallel()
	in := newTestInput(t, "generic")
	in.Files.Config = append(in.Files.Config, project.File{Path: "certs/ü.pem"}, project.File{Path: "models__users.json"})
	_, err := render.Objects(in)
	var problems diag.Problems
	if !errors.As(err, &problems) || len(problems) != 2 {
		t.Fatalf("%v", err)
	}
}
