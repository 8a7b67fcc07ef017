//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"egk8s.dev/egk8s/deployer/cloud/triton"
	"egk8s.dev/egk8s/testdata/cloudapi"
	"egk8s.dev/egk8s/testdata/cloudapi/moirai"
)

// datacenter is a stub of CloudAPI in which the cluster's nodes are machines: a real HAProxy runs for every load balancer
// instance, and a name server answers for CNS.
type datacenter struct {
	*cloudapi.Server
	*place

	key    string // the private key
	silent atomic.Pointer[string]
}

// TestTriton is the life of a release on Triton: requests cross the load balancer, the node port and the pod.
func TestTriton(t *testing.T) {
	if _, err := exec.LookPath("haproxy"); err != nil {
		t.Skipf("the load balancers of Triton were not tried: %v", err)
	}
	d := newDatacenter(t)
	apiKey := d.newKey(t, "alice")
	d.backends(t, "customers-a", "customers-b", "orders")
	before := d.picture()

	d.edit(t, "egk8s.yaml", "  replicas: 2\n", "  replicas: 2\n  triton: {package: g1.micro, instances: 1, settle: 5s}\n")
	t.Run("what is missing is said before", func(t *testing.T) {
		d.edit(t, "egk8s.yaml", "package: g1.micro", "package: huge")
		if got := d.deployOn(t, 6); !strings.Contains(got.Error, "no package huge") {
			t.Errorf("error %q", got.Error)
		}
		r := d.egk8s(t, "check", "--cloud", "triton")
		if r.code != 6 || !strings.Contains(r.stdout, "no package huge") || !strings.Contains(r.stdout, "known: g1.micro, g1.small") {
			t.Errorf("check: exit %d\n%s\n%s", r.code, r.stdout, r.stderr)
		}
		d.edit(t, "egk8s.yaml", "package: huge", "package: g1.micro")
		if diff := cmp.Diff(before, d.picture()); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("diff shows what is made outside of the cluster", func(t *testing.T) {
		r := d.egk8s(t, "diff", "--cloud", "triton", "-o", "name")
		if r.code != 0 || !strings.Contains(r.stdout, "Instance/egk8s-shop-1\n") || !strings.Contains(r.stdout, "NodeTag/vm-") {
			t.Errorf("exit %d\n%s\n%s", r.code, r.stdout, r.stderr)
		}
		if diff := cmp.Diff(before, d.picture()); diff != "" {
			t.Error(diff)
		}
	})
	first := d.deployOn(t, 0)
	t.Run("the name of the load balancers is what is handed out", func(t *testing.T) {
		if first.Outcome != "succeeded" || !strings.HasPrefix(first.URL, "http://egk8s-shop.svc.") {
			t.Errorf("outcome %s, URL %s", first.Outcome, first.URL)
		}
	})
	t.Run("a request crosses load balancer, node port and pod", func(t *testing.T) { d.checkWay(t, apiKey) })
	t.Run("a second deploy changes nothing", func(t *testing.T) {
		writes := d.Writes()
		again := d.deployOn(t, 0)
		if again.Outcome != "unchanged" || again.Revision != first.Revision || d.Writes() != writes || again.URL != first.URL {
			t.Errorf("outcome %s, revision %d, %d writes, URL %s", again.Outcome, again.Revision, d.Writes()-writes, again.URL)
		}
	})
	t.Run("status knows the address", func(t *testing.T) {
		r := d.egk8s(t, "status", "-o", "json")
		r.mustSucceed(t)
		if !strings.Contains(r.stdout, `"url": "`+first.URL+`"`) {
			t.Error(r.stdout)
		}
	})
	t.Run("no credential is in the cluster or in what was printed", d.checkSecrecy)
	t.Run("a deploy that is killed is finished by the next", d.checkKilled)
	d.stories(t)
	t.Run("destroy without credentials keeps everything", func(t *testing.T) {
		machines := len(d.Machines())
		keep := d.env
		d.env = append(slices.Clone(keep), "TRITON_URL=", "TRITON_ACCOUNT=", "TRITON_KEY_MATERIAL=", "HOME="+t.TempDir())
		r := d.egk8s(t, "destroy", "-y")
		d.env = keep
		if r.code != 4 || len(d.Machines()) != machines {
			t.Errorf("exit %d, %d machines, want 4 and %d\n%s", r.code, len(d.Machines()), machines, r.stderr)
		}
	})
	t.Run("destroy removes what was made and nothing else", func(t *testing.T) {
		d.egk8s(t, "destroy", "-y").mustSucceed(t)
		if diff := cmp.Diff(before, d.picture()); diff != "" {
			t.Error(diff)
		}
	})
}

// stories break the way while the deploy waits for names and load balancers, and want the right cause. The next deploy
// repairs it.
func (d *datacenter) stories(t *testing.T) {
	t.Helper()
	instances := 2
	tests := []struct {
		name, code string
		breaks     func(ctx context.Context)
		repairs    func()
	}{
		{"wrong firewall tag", "balancer-firewall", func(ctx context.Context) {
			d.when(ctx, instances, func() {
				rules := d.Rules()
				for i := range rules {
					rules[i].Text = strings.ReplaceAll(rules[i].Text, `"k8s.cluster"`, `"k8s-cluster"`)
				}
				d.SetRules(rules)
			})
		}, func() {}},
		{"no fabric network", "balancer-network", func(context.Context) { d.Lose("My-Fabric-Network") }, d.Heal},
		{"name not found", "balancer-name", func(context.Context) { hidden := "egk8s-shop-n."; d.silent.Store(&hidden) }, func() { d.silent.Store(nil) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d.edit(t, "egk8s.yaml", fmt.Sprintf("instances: %d", instances-1), fmt.Sprintf("instances: %d", instances))
			ctx, cancel := context.WithCancel(t.Context())
			var all sync.WaitGroup
			all.Go(func() { tt.breaks(ctx) })
			got := d.deployOn(t, 6)
			cancel()
			all.Wait()
			if len(got.Failures) == 0 || got.Failures[0].Code != tt.code || got.Failures[0].Fix == "" {
				t.Errorf("causes %+v", got.Failures)
			}
			t.Logf("%+v", got.Failures)
			tt.repairs()
			if got := d.deployOn(t, 0); got.Outcome != "succeeded" || got.URL == "" {
				t.Errorf("the next deploy: %+v", got)
			}
		})
		instances++
	}
}

// when waits until so many instances run, and does something then.
func (d *datacenter) when(ctx context.Context, instances int, do func()) {
	for ctx.Err() == nil {
		n := 0
		for _, m := range d.Machines() {
			if m.Tag("egk8s.release") == "shop" && m.State == triton.Running {
				n++
			}
		}
		if n >= instances {
			do()
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// checkWay sends requests to every load balancer, as clients do.
func (d *datacenter) checkWay(t *testing.T, apiKey string) {
	t.Helper()
	if len(d.ours()) == 0 {
		t.Fatal("there is no load balancer")
	}
	for _, m := range d.ours() {
		for path, want := range map[string]int{"/healthz": 200, "/orders": 401} {
			resp := d.ask(t, m.IPs[0], path, "")
			if resp.StatusCode != want {
				t.Errorf("GET %s at %s: %d, want %d", path, m.Name, resp.StatusCode, want)
			}
			if !strings.Contains(resp.Header.Get("Set-Cookie"), "CLOUD-TRITONCOMPUTE-RS") {
				t.Errorf("the answer did not come through HAProxy: %v", resp.Header)
			}
		}
		if resp := d.ask(t, m.IPs[0], "/orders", apiKey); resp.StatusCode != 200 {
			t.Errorf("GET /orders with a key: %d", resp.StatusCode)
		}
	}
}

func (d *datacenter) ask(t *testing.T, address, path, apiKey string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if apiKey != "" {
		req.Header.Set("Authorization", "apiKey "+apiKey)
	}
	resp, err := (&http.Client{Timeout: 10 * time.Second}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	return resp
}

// checkSecrecy looks for the key everywhere in the release's namespace, and in events and the log.
func (d *datacenter) checkSecrecy(t *testing.T) {
	all := d.kubectl(t, "get", "all,configmaps,secrets,events,leases", "-n", d.namespace, "-o", "yaml")
	status := d.egk8s(t, "status", "-v")
	line := strings.Split(d.key, "\n")[2]
	for _, secret := range []string{line, "PRIVATE KEY", "TRITON_"} {
		for where, text := range map[string]string{"the cluster": all, "the output": status.stdout + status.stderr} {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds %q", where, secret)
			}
		}
	}
}

// checkKilled kills a deploy that changes the gateway and the load balancers, when the instance is asked for.
func (d *datacenter) checkKilled(t *testing.T) {
	d.edit(t, "egk8s.yaml", "instances: 1", "instances: 2")
	cmd := exec.Command(root(t, "bin/egk8s"), "deploy", "--cloud", "triton")
	cmd.Dir, cmd.Env = d.dir, append(append(os.Environ(), "KUBECONFIG="+d.kubeconfig, "CI=true"), d.env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	var once sync.Once
	d.On(func(_ int, method, path string) {
		if method == http.MethodPost && strings.HasSuffix(path, "/machines") {
			once.Do(func() { _ = cmd.Process.Kill() })
		}
	})
	if err := cmd.Run(); err == nil {
		t.Fatalf("it was not killed:\n%s", out.String())
	}
	d.On(nil)
	d.waitForLock(t)
	next := d.deployOn(t, 0)
	if next.Outcome != "succeeded" || len(d.ours()) != 2 {
		t.Errorf("outcome %s, %d instances", next.Outcome, len(d.ours()))
	}
	d.edit(t, "egk8s.yaml", "instances: 2", "instances: 1")
	if d.deployOn(t, 0); len(d.ours()) != 1 {
		t.Errorf("%d instances are left, want 1", len(d.ours()))
	}
}

// waitForLock waits until the lock of a killed run may be taken over.
func (d *datacenter) waitForLock(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for time.Now().Before(deadline) {
		if r := d.egk8s(t, "status", "-o", "json"); !strings.Contains(r.stdout, "a deploy is running") {
			return
		}
		time.Sleep(3 * time.Second)
	}
}

func (d *datacenter) ours() []triton.Machine {
	return slices.DeleteFunc(d.Machines(), func(m triton.Machine) bool { return m.Tag("egk8s.release") == "" })
}

// onTriton is what these stories look at of a result.
type onTriton struct {
	Outcome, URL, Error string
	Revision            int
	Failures            []struct{ Code, Object, Message, Fix string }
}

func (d *datacenter) deployOn(t *testing.T, code int) onTriton {
	t.Helper()
	r := d.egk8s(t, "deploy", "--cloud", "triton", "-o", "json")
	var got onTriton
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil || r.code != code {
		t.Fatalf("deploy: exit %d, want %d (%v)\n-- stdout\n%s\n-- stderr\n%s", r.code, code, err, r.stdout, r.stderr)
	}
	if strings.Contains(r.stdout+r.stderr, "PRIVATE KEY") {
		t.Error("the key was printed")
	}
	return got
}

// picture is what there is in the datacenter.
func (d *datacenter) picture() []string {
	var out []string
	for _, m := range d.Machines() {
		out = append(out, fmt.Sprintf("%s %s %v %v", m.Name, m.State, m.Tags, m.IPs))
	}
	for _, r := range d.Rules() {
		out = append(out, fmt.Sprintf("%v %s", r.Enabled, r.Text))
	}
	slices.Sort(out)
	return out
}

func newDatacenter(t *testing.T) *datacenter {
	t.Helper()
	d := &datacenter{Server: cloudapi.New(), place: newPlace(t)}
	d.Delay = 300 * time.Millisecond
	d.trust(t)
	d.nodes(t)
	d.AddNode(cloudapi.Node{Name: "database", Network: "other", Tags: map[string]string{"triton.cns.services": "db"}})
	d.SetRules([]triton.Rule{{Text: "FROM any TO all vms ALLOW tcp PORT 22", Enabled: true, Description: "mine"}})
	server := httptest.NewServer(d.Server)
	t.Cleanup(server.Close)
	names, err := d.ServeNames(t.Context(), "127.0.0.1:0", d.known)
	if err != nil {
		t.Fatal(err)
	}
	d.env = append(d.env, "TRITON_URL="+server.URL, "TRITON_ACCOUNT=tester", "TRITON_KEY_MATERIAL="+d.key, "EGK8S_CNS_SERVER="+names, "SSH_AUTH_SOCK=")
	d.balance(t, names)
	return d
}

// known is what the name server knows.
func (d *datacenter) known() map[string][]string {
	names := d.Names()
	if hidden := d.silent.Load(); hidden != nil {
		for name := range names {
			if strings.HasPrefix(name, *hidden) {
				delete(names, name)
			}
		}
	}
	return names
}

// trust makes the key of the account.
func (d *datacenter) trust(t *testing.T) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	d.Trust(signer.PublicKey())
	d.key = string(pem.EncodeToMemory(block))
}

// nodes makes a machine for each node of the cluster, and lets the account see the nodes.
func (d *datacenter) nodes(t *testing.T) {
	t.Helper()
	var random [2]byte
	_, _ = rand.Read(random[:])
	d.Networks[0].Subnet = fmt.Sprintf("127.%d.%d.0/24", 64+random[0]%128, random[1]) // of this machine alone, port 80 is free there
	text := d.kubectl(t, "get", "nodes", "-o", `jsonpath={range .items[*]}{.metadata.name} {.status.addresses[?(@.type=="InternalIP")].address}{"\n"}{end}`)
	for line := range strings.Lines(text) {
		name, address, _ := strings.Cut(strings.TrimSpace(line), " ")
		d.Networks[1].Subnet = address[:strings.LastIndex(address, ".")] + ".0/24"
		d.AddNode(cloudapi.Node{
			Name: "vm-" + name, Network: d.Networks[1].Name, Address: address,
			Tags: map[string]string{"triton.cns.services": "k8s,worker", "k8s.cluster": "0abe1901-2c6c-42cb-b5f9-e92d1c8d3c8e"},
		})
	}
	role := "egk8s-nodes-" + d.namespace
	d.kubectlInput(t, fmt.Sprintf(`
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: %[1]s}
rules: [{apiGroups: [""], resources: [nodes], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: %[1]s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: %[1]s}
subjects: [{kind: ServiceAccount, name: pipeline, namespace: %[2]s}]
`, role, d.namespace), "apply", "-f", "-")
	t.Cleanup(func() { d.kubectl(t, "delete", "clusterrole,clusterrolebinding", role) })
}

// balance runs the load balancers. They reach nodes through the network of the cluster, which is a namespace of its own.
func (d *datacenter) balance(t *testing.T, names string) {
	t.Helper()
	b := &moirai.Balancers{
		Server: d.Server, NameServer: names, Namespace: clusterNetwork(t), Dir: t.TempDir(), Log: t.Output(), Every: 200 * time.Millisecond,
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error)
	go func() { done <- b.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// clusterNetwork gives the cluster's network namespace a name, by which HAProxy finds it.
func clusterNetwork(t *testing.T) string {
	t.Helper()
	cluster := "/clusters/" + os.Getenv("EGK8S_TEST_CLUSTER") + "/"
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range commands {
		line, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(line, []byte("kube-apiserver")) || !bytes.Contains(line, []byte(cluster)) {
			continue
		}
		name := fmt.Sprintf("egk8s-e2e-%d", os.Getpid())
		pid := filepath.Base(filepath.Dir(file))
		if out, err := exec.Command("ip", "netns", "attach", name, pid).CombinedOutput(); err != nil {
			t.Fatalf("ip netns attach: %v\n%s", err, out)
		}
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "delete", name).Run() })
		return name
	}
	t.Fatalf("no API server runs from %s", cluster)
	return ""
}
