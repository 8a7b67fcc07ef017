//go:build api

package deployer_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"egk8s.dev/egk8s/deployer/cluster"
)

// sweep tries one scenario with a fault at one request.
type sweep struct {
	binary string
	config *rest.Config
	kube   kubernetes.Interface
}

// round is one namespace in which the scenario is played.
type round struct {
	*place
	sweep *sweep
	proxy *faultProxy
	pods  *kubelet
	dir   string
}

// scenario brings a namespace to where the run with the fault begins.
type scenario struct {
	name   string
	before []string // specs that are deployed without a fault
	spec   string   // that is deployed with it, and again without
}

func scenarios() []scenario {
	return []scenario{
		{name: "install", spec: "{logLevel: info}"},
		{name: "upgrade", before: []string{"{logLevel: info, replicas: {min: 2, max: 4, cpu: 60}}"}, spec: "{logLevel: debug, replicas: 3}"},
	}
}

// TestFaults: whatever happens to a request of a deploy, and whenever egk8s is killed, the next run ends with
// exactly one current revision, the same objects as a deploy without a fault, and nothing beside them.
//
// EGK8S_SOAK=1 tries every fault at every request; without it a sample is taken.
func TestFaults(t *testing.T) {
	t.Parallel()
	s := newSweep(t)
	t.Run("prune", func(t *testing.T) {
		t.Parallel()
		s.tryPrune(t)
	})
	for _, sc := range scenarios() {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			clean := s.begin(t, sc)
			clean.mustDeploy(sc.spec)
			want := clean.snapshot()
			requests := clean.proxy.requests()[clean.proxy.at+1:]
			t.Logf("%d requests", len(requests))
			for _, c := range cases(requests) {
				t.Run(fmt.Sprintf("%s-%03d", c.what, c.at), func(t *testing.T) {
					t.Parallel()
					turn.take()
					defer turn.give()
					s.try(t, sc, c, want)
				})
			}
		})
	}
}

// tryPrune: a run that could not remove what nobody needs leaves that to the next, which finds nothing else to do.
func (s *sweep) tryPrune(t *testing.T) {
	t.Helper()
	sc := scenarios()[1]
	r := s.begin(t, sc)
	r.proxy.what, r.proxy.only = forbidden, "/configmaps/"+strayName
	if output, err := r.deployWithFault(sc.spec); err == nil {
		t.Errorf("the refusal was not told:\n%s", output)
	}
	r.proxy.only = ""
	r.mustDeploy(sc.spec)
	r.mustBeOneRevision()
	if _, err := s.kube.CoreV1().ConfigMaps(r.namespace).Get(t.Context(), strayName, metav1.GetOptions{}); !cluster.IsNotFound(err) {
		t.Errorf("what nobody needs is there: %v", err)
	}
}

type faultCase struct {
	at   int
	what fault
}

// cases are all faults at all requests, or a sample: each kind of fault at a few requests, the kills at more.
func cases(requests []string) []faultCase {
	kinds := []fault{killBefore, killAfter, dropBefore, dropAfter, busy, internal, conflict, delayed, cut}
	var out []faultCase
	for i := range len(requests) + 2 { // the order and the number of requests differ a little between runs
		for k, what := range kinds {
			every := 41
			if what == killBefore || what == killAfter {
				every = 17
			}
			if os.Getenv("EGK8S_SOAK") != "" || i%every == (5*k)%every {
				out = append(out, faultCase{at: i, what: what})
			}
		}
	}
	return out
}

// turns bounds how many rounds are played at the same time, whatever -parallel says.
type turns chan struct{}

var turn = make(turns, 4)

func (t turns) take() { t <- struct{}{} }
func (t turns) give() { <-t }

func newSweep(t *testing.T) *sweep {
	t.Helper()
	binary, err := filepath.Abs(filepath.Join("..", "bin", "egk8s")) // to be killed, it must be a process
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(binary); err != nil {
		t.Fatalf("the program is not built, run make test-api: %v", err)
	}
	s := &sweep{binary: binary}
	s.config, s.kube = apiServer(t)
	return s
}

// begin plays what comes before the run with the fault; the proxy counts from there.
func (s *sweep) begin(t *testing.T, sc scenario) *round {
	t.Helper()
	r := &round{place: newPlace(t), sweep: s, dir: t.TempDir()}
	r.pods = newKubelet(t, s.kube, r.namespace)
	if err := os.CopyFS(r.dir, os.DirFS(filepath.Join("..", "templates", "project"))); err != nil {
		t.Fatal(err)
	}
	r.write("config/gateway.config.yml", "http: {port: 8080}\napiEndpoints: {api: {host: '*'}}\npolicies: [terminate]\n"+
		"pipelines: {main: {apiEndpoints: [api], policies: [{terminate: [{action: {}}]}]}}\n")
	r.proxy = newFaultProxy(t, s.config, r.pods)
	for _, spec := range sc.before {
		r.mustDeploy(spec)
	}
	if len(sc.before) > 0 {
		r.stray()
	}
	r.proxy = newFaultProxy(t, s.config, r.pods)
	return r
}

const strayName = "shop-config-0000000000"

// stray leaves a config object behind that no revision and no ReplicaSet needs: the run must remove it.
func (r *round) stray() {
	r.t.Helper()
	list, err := r.sweep.kube.CoreV1().ConfigMaps(r.namespace).List(r.t.Context(), metav1.ListOptions{LabelSelector: "egk8s.dev/config"})
	if err != nil || len(list.Items) == 0 {
		r.t.Fatalf("no config object: %v", err)
	}
	m := list.Items[0]
	m.ObjectMeta = metav1.ObjectMeta{Name: strayName, Labels: m.Labels}
	if _, err := r.sweep.kube.CoreV1().ConfigMaps(r.namespace).Create(r.t.Context(), &m, metav1.CreateOptions{}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *round) write(name, text string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, filepath.FromSlash(name)), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// command is a deploy of the spec through the proxy.
func (r *round) command(ctx context.Context, spec string) (*exec.Cmd, *bytes.Buffer) {
	r.write("egk8s.yaml", "apiVersion: egk8s.dev/v1alpha1\nkind: Gateway\nmetadata: {name: shop}\nspec: "+spec+"\n")
	cmd := exec.CommandContext(ctx, r.sweep.binary, "deploy", "-f", filepath.Join(r.dir, "egk8s.yaml"), "--cloud", "generic",
		"--image", "example.com/gateway:1", "-n", r.namespace, "--create-namespace", "--timeout", "60s", "--progress", "plain", "--no-input")
	cmd.Env = append(os.Environ(), "KUBECONFIG="+r.proxy.kubeconfig)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	return cmd, &out
}

func (r *round) mustDeploy(spec string) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 2*time.Minute)
	defer cancel()
	cmd, out := r.command(ctx, spec)
	if err := cmd.Run(); err != nil {
		r.t.Fatalf("deploy: %v\n%s\nrequests:\n%s", err, out, strings.Join(r.proxy.requests(), "\n"))
	}
}

// try plays the scenario with the fault, then without.
func (s *sweep) try(t *testing.T, sc scenario, c faultCase, want map[string]any) {
	t.Helper()
	r := s.begin(t, sc)
	r.proxy.at, r.proxy.what = c.at, c.what
	output, err := r.deployWithFault(sc.spec)
	requests := r.proxy.requests()
	if c.at >= len(requests) {
		t.Skipf("the run ended after %d requests", len(requests))
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s met %s; %v\n%s", requests[c.at], c.what, err, output)
		}
	})
	killed := c.what == killBefore || c.what == killAfter
	if !killed && c.what != conflict && err != nil {
		t.Errorf("one %s was not survived: %v", c.what, err)
	}
	r.proxy.at = -1
	r.outliveLock()
	r.mustDeploy(sc.spec)
	r.mustBeOneRevision()
	if d := cmp.Diff(want, r.snapshot()); d != "" {
		t.Errorf("differs from a deploy without a fault (-want +got):\n%s", d)
	}
}

func (r *round) deployWithFault(spec string) (string, error) {
	ctx, cancel := context.WithTimeout(r.t.Context(), 2*time.Minute)
	defer cancel()
	cmd, out := r.command(ctx, spec)
	var mu sync.Mutex
	mu.Lock()
	r.proxy.kill = func() {
		mu.Lock() // started
		defer mu.Unlock()
		_ = cmd.Process.Kill()
	}
	err := cmd.Start()
	mu.Unlock()
	if err != nil {
		r.t.Fatal(err)
	}
	err = cmd.Wait()
	return out.String(), err
}

// outliveLock lets the life of the lock of a killed run pass: it is written that it began a minute earlier.
func (r *round) outliveLock() {
	r.t.Helper()
	leases := r.sweep.kube.CoordinationV1().Leases(r.namespace)
	lease, err := leases.Get(r.t.Context(), "shop-egk8s-lock", metav1.GetOptions{})
	if cluster.IsNotFound(err) {
		return
	}
	if err != nil {
		r.t.Fatal(err)
	}
	lease.Spec.RenewTime.Time = lease.Spec.RenewTime.Add(-time.Minute)
	if _, err := leases.Update(r.t.Context(), lease, metav1.UpdateOptions{}); err != nil {
		r.t.Fatal(err)
	}
}
