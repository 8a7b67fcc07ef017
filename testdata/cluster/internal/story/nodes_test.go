//go:build root

package story_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"egk8s.dev/egk8s/testdata/cluster/internal/image"
)

const (
	cluster = "story"
	second  = "story-two"
)

// TestNodes is the story of two clusters with real nodes, from a start that is
// killed half-way to an end that leaves nothing.
func TestNodes(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("this test needs root")
	}
	m := newMachine(t)
	m.egkube("down", "--name", cluster)
	m.egkube("down", "--name", second)
	t.Cleanup(func() { m.egkube("down", "--name", cluster) })

	t.Run("killed half-way", m.killedHalfWay)
	m.egkube("up", "--name", cluster)
	if out := m.egkube("up", "--name", cluster); !strings.Contains(out, "up already") {
		t.Errorf("the second up says %q", out)
	}
	trial := filepath.Join(t.TempDir(), "trial")
	build(t, "./trial", trial)
	m.egkube("image", "--binary", trial, "--name", "egk8s.dev/trial:1", "-o", trial+".tar")
	m.egkube("load", "--name", cluster, trial+".tar")
	t.Run("pods", m.pods)
	t.Run("names and addresses", m.addresses)
	m.trial = trial
	t.Run("registry", m.registry)
	t.Run("a second cluster", m.secondCluster)
	m.egkube("down", "--name", cluster)
	m.nothingLeft(cluster)
}

func (m *machine) killedHalfWay(t *testing.T) {
	up := m.begin("up", "--name", cluster)
	m.eventually("the runtimes run", func() bool {
		logs, _ := filepath.Glob(filepath.Join(m.cache.Cluster(cluster).Logs(), "*.containerd.log"))
		return len(logs) == 2
	})
	time.Sleep(time.Second)
	if err := up.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = up.Wait()
	m.kill(cluster)
}

// deployment is the trial program on both nodes, as restricted as a pod can be.
const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: trial}
spec:
  replicas: 2
  selector: {matchLabels: {app: trial}}
  template:
    metadata: {labels: {app: trial}}
    spec:
      topologySpreadConstraints:
      - maxSkew: 1
        topologyKey: kubernetes.io/hostname
        whenUnsatisfiable: DoNotSchedule
        labelSelector: {matchLabels: {app: trial}}
      securityContext: {runAsNonRoot: true, runAsUser: 1234, seccompProfile: {type: RuntimeDefault}}
      containers:
      - name: trial
        image: %s
        ports: [{containerPort: 8080}]
        readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
        resources: {limits: {memory: 64Mi}}
        securityContext:
          allowPrivilegeEscalation: false
          readOnlyRootFilesystem: true
          capabilities: {drop: [ALL]}
`

func (m *machine) apply(t *testing.T, manifest string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "manifest.yaml")
	if err := os.WriteFile(file, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	m.kubectl(cluster, "apply", "--server-side", "--force-conflicts", "-f", file)
}

// podNames are the pods of the Deployment, one on each node.
func (m *machine) podNames() []string {
	out := m.kubectl(cluster, "get", "pods", "-l", "app=trial", "--field-selector=status.phase=Running",
		"-o", "jsonpath={range .items[*]}{.metadata.name}{\" \"}{end}")
	return strings.Fields(out)
}

func (m *machine) pods(t *testing.T) {
	m.kubectl(cluster, "label", "namespace", "default", "pod-security.kubernetes.io/enforce=restricted")
	m.apply(t, fmt.Sprintf(deployment, "egk8s.dev/trial:1"))
	m.kubectl(cluster, "rollout", "status", "deployment/trial", "--timeout=60s")
	pods := m.podNames()
	if len(pods) != 2 {
		t.Fatalf("pods are %v", pods)
	}
	for _, pod := range pods {
		if out := m.kubectl(cluster, "logs", pod); !strings.Contains(out, "serving in "+pod) {
			t.Errorf("log of %s is %q", pod, out)
		}
		if out := m.kubectl(cluster, "get", "--raw", "/api/v1/namespaces/default/pods/"+pod+":8080/proxy/"); !strings.Contains(out, pod) {
			t.Errorf("pod proxy to %s says %q", pod, out)
		}
		if out := m.kubectl(cluster, "exec", pod, "--", "/app", "get", "http://127.0.0.1:8080/"); !strings.Contains(out, pod) {
			t.Errorf("exec in %s says %q", pod, out)
		}
	}
	nodes := m.kubectl(cluster, "get", "nodes", "-l", "egk8s.dev/local-cluster="+cluster, "-o", "jsonpath={.items[*].spec.providerID}")
	if want := "egkube://story/story-1 egkube://story/story-2"; nodes != want {
		t.Errorf("nodes are %q, want %q", nodes, want)
	}
	out, err := m.tryKubectl(cluster, "run", "root", "--image=egk8s.dev/trial:1", "--restart=Never")
	if err == nil || !strings.Contains(out, "PodSecurity") {
		t.Errorf("a pod that is not restricted is admitted: %s", out)
	}
}

// addresses asks from each pod whatever a pod can be asked by.
func (m *machine) addresses(t *testing.T) {
	m.kubectl(cluster, "expose", "deployment", "trial", "--port=80", "--target-port=8080", "--type=NodePort")
	port := m.kubectl(cluster, "get", "service", "trial", "-o", "jsonpath={.spec.ports[0].nodePort}")
	address := m.kubectl(cluster, "get", "service", "trial", "-o", "jsonpath={.spec.clusterIP}")
	nodes := strings.Fields(m.kubectl(cluster, "get", "nodes", "-o",
		`jsonpath={range .items[*]}{.status.addresses[?(@.type=="InternalIP")].address}{" "}{end}`))
	urls := []string{"http://trial/", "http://trial.default.svc.cluster.local/", "http://" + address + "/"}
	for _, node := range nodes {
		urls = append(urls, "http://"+node+":"+port+"/")
	}
	for _, from := range m.podNames() {
		for _, url := range urls {
			m.everyPodAnswers(t, from, url)
		}
	}
}

// everyPodAnswers asks until both pods have answered, the asking one included.
func (m *machine) everyPodAnswers(t *testing.T, from, url string) {
	t.Helper()
	var last string
	seen := map[string]bool{}
	for range 40 {
		var err error
		if last, err = m.tryKubectl(cluster, "exec", from, "--", "/app", "get", url); err == nil {
			seen[strings.TrimSpace(last)] = true
		}
		if len(seen) == 2 {
			return
		}
	}
	t.Errorf("from %s, %s was answered by %v only; at last %q", from, url, seen, last)
}

// registry pushes on the machine, without an engine, and runs that on the nodes.
func (m *machine) registry(t *testing.T) {
	host := m.state(cluster).Host
	hosting := m.kubectl(cluster, "get", "configmap", "local-registry-hosting", "-n", "kube-public",
		"-o", `jsonpath={.data.localRegistryHosting\.v1}`)
	if !strings.Contains(hosting, `host: "`+host+`"`) {
		t.Fatalf("the registry is announced as %q, and is at %s", hosting, host)
	}
	reference, err := name.NewTag(host + "/shop/trial:2")
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.New(image.Options{Binary: m.trial, Name: reference.Name(), User: "1234:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(reference, img); err != nil {
		t.Fatal(err)
	}
	m.apply(t, fmt.Sprintf(deployment, reference.Name()))
	m.kubectl(cluster, "rollout", "status", "deployment/trial", "--timeout=60s")
	m.kubectl(cluster, "rollout", "undo", "deployment/trial")
	m.kubectl(cluster, "rollout", "status", "deployment/trial", "--timeout=60s")
	got := m.kubectl(cluster, "get", "deployment", "trial", "-o", "jsonpath={.spec.template.spec.containers[0].image}")
	if got != "egk8s.dev/trial:1" {
		t.Errorf("after the undo the image is %s", got)
	}
}

func (m *machine) secondCluster(t *testing.T) {
	m.egkube("up", "--name", second, "--nodes", "1")
	if a, b := m.state(cluster), m.state(second); a.Subnet == b.Subnet || a.Server == b.Server {
		t.Errorf("two clusters share something: %+v, %+v", a, b)
	}
	if out := m.kubectl(second, "get", "nodes", "-o", "name"); strings.TrimSpace(out) != "node/story-two-1" {
		t.Errorf("nodes of the second cluster: %q", out)
	}
	m.egkube("down", "--name", second)
	m.nothingLeft(second)
	if out := m.egkube("status", "--name", cluster); !strings.Contains(out, "2 of 2 nodes ready") {
		t.Errorf("the first cluster is %q", out)
	}
}
