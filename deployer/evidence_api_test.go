//go:build api

package deployer_test

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/deployer/release"
)

// planted is what stands in secrets everywhere below; the archive must not hold it.
const planted = "planted-"

// project writes a project with secrets in every place where one can be, and loads it.
func (p *place) project(spec string) *project.Project {
	p.t.Helper()
	dir := p.t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "templates", "project"))); err != nil {
		p.t.Fatal(err)
	}
	for name, text := range map[string]string{
		"egk8s.yaml": "apiVersion: egk8s.dev/v1alpha1\nkind: Gateway\nmetadata: {name: shop}\nspec: " + spec + "\n",
		"config/gateway.config.yml": "http: {port: 8080}\napiEndpoints: {api: {host: '*'}}\npolicies: [jwt, terminate]\n" +
			"pipelines:\n  main:\n    apiEndpoints: [api]\n    policies:\n    - jwt:\n      - action:\n          secretOrPublicKey: planted-jwt-secret\n" +
			"    - terminate: [{action: {}}]\n",
		"config/system.config.yml": "db:\n  redis:\n    emulate: true\ncrypto:\n  cipherKey: planted-cipher-key\nsession:\n  secret: planted-session\n",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
	loaded, problems := project.Load(filepath.Join(dir, "egk8s.yaml"), project.Options{})
	if problems.HasErrors() {
		p.t.Fatal(problems)
	}
	return loaded
}

func (p *place) create(u map[string]any) {
	p.t.Helper()
	object := &unstructured.Unstructured{Object: u}
	object.SetNamespace(p.namespace)
	if _, err := p.client.Create(p.t.Context(), object); err != nil {
		p.t.Fatal(err)
	}
}

// watcher calls saw for every event.
type watcher struct{ saw func(event.Event) }

func (w watcher) Emit(e event.Event) { w.saw(e) }

// TestEvidence: a deploy that is not finished in time leaves an archive with all that explains it and not one secret.
func TestEvidence(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	if _, err := p.client.Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": p.namespace},
	}}); err != nil {
		t.Fatal(err)
	}
	p.create(map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "keys"},
		"stringData": map[string]any{"jwt": "planted-from-secret"},
	})
	p.create(map[string]any{
		"apiVersion": "v1", "kind": "Event", "metadata": map[string]any{"name": "shop.1"}, "type": "Warning", "reason": "Odd",
		"message":        "it says planted-from-secret and planted-cipher-key aloud",
		"involvedObject": map[string]any{"kind": "Deployment", "name": "shop", "namespace": p.namespace},
	})
	loaded := p.project("{env: {DB_PASSWORD: planted-password, PIN_SECRET: 'abc'}, secretEnv: {JWT_SECRET: {secret: keys, key: jwt}}, " +
		"probes: [{path: /, headers: {Authorization: 'apiKey planted-id:planted-key'}, expect: 200}]}")
	kept := filepath.Join(t.TempDir(), "kept")
	result, err := deployer.Deploy(t.Context(), deployer.DeployOptions{
		Target: deployer.Target{Namespace: p.namespace, Cloud: "generic"}, Project: loaded, Image: "example.com/gateway:1",
		Timeout: 4 * time.Second, Evidence: kept,
	}, nowhere{})
	if timeout := new(deployer.TimeoutError); !errors.As(err, &timeout) {
		t.Fatalf("error %v", err)
	}
	if base := filepath.Base(result.Evidence); filepath.Dir(result.Evidence) != kept || !strings.HasPrefix(base, "egk8s-evidence-shop-1-") {
		t.Fatalf("evidence %q (%v)", result.Evidence, result.Warnings)
	}
	files := readArchive(t, result.Evidence)
	for name, text := range files {
		if strings.Contains(text, planted) || strings.Contains(text, "cGxhbnRlZC") || strings.Contains(text, `"abc"`) {
			t.Errorf("%s holds a secret:\n%s", name, text)
		}
		if strings.HasPrefix(name, "objects/Secret") || strings.HasPrefix(name, "objects/ConfigMap") {
			t.Errorf("%s is there", name)
		}
	}
	var diagnosis deployer.Result
	if err := json.Unmarshal([]byte(files["diagnosis.json"]), &diagnosis); err != nil || diagnosis.Outcome != deployer.Unfinished || diagnosis.Name != "shop" {
		t.Errorf("diagnosis %s (%v)", files["diagnosis.json"], err)
	}
	for name, want := range map[string]string{
		"objects/Deployment-shop.json": `"name": "DB_PASSWORD"`, "objects/Service-shop.json": `"clusterIP"`,
		"kubernetes-events.json": `"message": "it says *** and *** aloud"`, "plan.json": `"name": "shop"`,
		"events.jsonl": `"phase-failed"`, "README": "Secrets are masked",
	} {
		if !strings.Contains(files[name], want) {
			t.Errorf("%s does not hold %s:\n%s", name, want, files[name])
		}
	}
	if !strings.Contains(files["plan.json"], "secretOrPublicKey: ***") {
		t.Errorf("plan.json: %s", files["plan.json"])
	}
	found := ""
	for name := range files {
		found += name + " "
	}
	for _, kind := range []string{"ReplicaSet-", "Pod-"} {
		if !strings.Contains(found, "objects/"+kind) {
			t.Errorf("there is no %s in %s", kind, found)
		}
	}
}

// TestEvidenceBeforeRollback: the archive shows the release as it failed, not as it was brought back; a folder that
// cannot be written changes nothing but a warning.
func TestEvidenceBeforeRollback(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.deploy("{logLevel: info}")
	p.recordDeployed()
	loaded := p.project("{logLevel: debug}")
	order := []string{}
	deploy := func(dir string) (*deployer.Result, error) {
		return deployer.Deploy(t.Context(), deployer.DeployOptions{
			Target: deployer.Target{Namespace: p.namespace, Cloud: "generic"}, Project: loaded, Image: "example.com/gateway:2",
			Timeout: 4 * time.Second, Evidence: dir, RollBack: true,
		}, watcher{func(e event.Event) {
			if strings.HasPrefix(e.Message, "evidence is kept in ") || strings.HasPrefix(e.Message, "rolling back to revision 1") {
				order = append(order, e.Message)
			}
		}})
	}
	result, err := deploy(t.TempDir())
	if timeout := new(deployer.TimeoutError); !errors.As(err, &timeout) || result.Evidence == "" {
		t.Fatalf("error %v, evidence %q", err, result.Evidence)
	}
	if len(order) < 2 || !strings.HasPrefix(order[0], "evidence") {
		t.Errorf("order %q", order)
	}
	if text := readArchive(t, result.Evidence)["objects/Deployment-shop.json"]; !strings.Contains(text, "example.com/gateway:2") {
		t.Errorf("the archive's Deployment is not the one that failed:\n%s", text)
	}
	if text := p.image(); text != "example.com/gateway:1" {
		t.Errorf("after the rollback the image is %s", text)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	result, err = deploy(filepath.Join(file, "under"))
	if timeout := new(deployer.TimeoutError); !errors.As(err, &timeout) || result.Evidence != "" ||
		!strings.Contains(strings.Join(result.Warnings, "\n"), "the evidence could not be kept") {
		t.Errorf("error %v, evidence %q, warnings %q", err, result.Evidence, result.Warnings)
	}
}

func (p *place) image() string {
	u := p.get(object.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Name: "shop"})
	containers, _, _ := unstructured.NestedSlice(u.Object, "spec", "template", "spec", "containers")
	image, _, _ := unstructured.NestedString(containers[0].(map[string]any), "image")
	return image
}

// recordDeployed makes the newest revision one that was deployed: without nodes none ever is.
func (p *place) recordDeployed() {
	p.t.Helper()
	store := &release.Store{Cluster: p.client, Name: "shop", Namespace: p.namespace, Version: "dev", Now: time.Now}
	history, err := store.History(p.t.Context())
	if err == nil {
		err = store.Finish(p.t.Context(), history, release.Deployed, "by the test")
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func readArchive(t *testing.T, path string) map[string]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for files := tar.NewReader(zipped); ; {
		head, err := files.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(files)
		if err != nil {
			t.Fatal(err)
		}
		_, name, _ := strings.Cut(head.Name, "/")
		out[name] = string(raw)
	}
}
