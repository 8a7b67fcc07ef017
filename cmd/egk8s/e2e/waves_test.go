//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// several is the part of a DeployResults that the stories look at.
type several struct {
	Outcome  string
	ExitCode int
	Targets  []struct {
		Target, Outcome string
		Wave, Revision  int
		Failures        []struct{ Code string }
	}
}

func (s several) String() string {
	parts := []string{s.Outcome}
	for _, t := range s.Targets {
		parts = append(parts, fmt.Sprintf("%s in wave %d: %s, revision %d", t.Target, t.Wave, t.Outcome, t.Revision))
	}
	return strings.Join(parts, "; ")
}

// TestWaves deploys to two namespaces in two waves, and holds that a failure in the first leaves the second alone.
func TestWaves(t *testing.T) {
	p := newPlace(t)
	second := p.namespace + "-b"
	p.newKey(t, "alice")
	p.secondNamespace(t, second)
	waves := fmt.Sprintf("environments:\n  staging: {namespace: %s, wave: 1}\n  production: {namespace: %s, wave: 2, replicas: 1}\n", p.namespace, second)
	p.edit(t, "egk8s.yaml", "spec:\n", waves+"spec:\n")

	run := func(want int, args ...string) (several, ran) {
		t.Helper()
		r := p.egk8s(t, append([]string{"deploy", "--cloud", "local", "--env", "staging,production", "-o", "json"}, args...)...)
		var s several
		if err := json.Unmarshal([]byte(r.stdout), &s); err != nil || r.code != want || s.ExitCode != want {
			t.Fatalf("exit %d, want %d: %v\n%s\n%s", r.code, want, err, r.stdout, r.stderr)
		}
		return s, r
	}
	done := "succeeded; staging in wave 1: succeeded, revision 1; production in wave 2: succeeded, revision 1"
	if s, r := run(0); s.String() != done {
		t.Errorf("%s, want %s\n%s", s, done, r.stderr)
	}
	same := strings.ReplaceAll(done, "succeeded", "unchanged")
	if s, _ := run(0); s.String() != same {
		t.Errorf("again: %s, want %s", s, same)
	}
	s, _ := run(6, "--image", p.registry(t)+"/nobody/nothing:v0")
	if s.Targets[0].Outcome != "failed" || s.Targets[0].Failures[0].Code != "image-pull" || s.Targets[1].Outcome != "skipped" {
		t.Errorf("after a failure: %s", s)
	}
	if image := p.kubectl(t, "get", "deployment", "shop", "-n", second, "-o", "jsonpath={..image}"); strings.Contains(image, "nothing") {
		t.Errorf("the second wave was deployed: %s", image)
	}
	if r := p.egk8s(t, "status", "--env", "staging,production"); r.code != 6 || !strings.Contains(r.stdout, "production:") {
		t.Errorf("status: exit %d, want 6 and both\n%s", r.code, r.stdout)
	}
}

// secondNamespace makes a namespace in which the account has the published Role, too.
func (p *place) secondNamespace(t *testing.T, name string) {
	t.Helper()
	objects := strings.ReplaceAll(namespaceAndAccount(name), "name: pipeline, namespace: "+name+"}]", "name: pipeline, namespace: "+p.namespace+"}]")
	p.kubectlInput(t, objects, "apply", "-f", "-")
	p.kubectlInput(t, p.egk8s(t, "help", "rbac").stdout, "apply", "-n", name, "-f", "-")
	t.Cleanup(func() {
		if !t.Failed() {
			p.kubectl(t, "delete", "namespace", name, "--wait=false")
		}
	})
}

// TestLostNode cuts a node off under a rollout: the deploy names it, and the next one succeeds when it is back.
func TestLostNode(t *testing.T) {
	if os.Getenv("EGK8S_SOAK") == "" {
		t.Skip("takes two minutes: make soak")
	}
	p := newPlace(t)
	p.newKey(t, "alice")
	p.mustDeploy(t)
	link := func(state string) {
		t.Helper()
		p.run(t, os.Getenv("EGK8S_TEST_EGKUBE"), "", "node-link", "--name", os.Getenv("EGK8S_TEST_CLUSTER"), "2", state).mustSucceed(t)
	}
	link("down")
	t.Cleanup(func() { link("up") })
	p.edit(t, "config/gateway.config.yml", "message: ok", "message: still ok")
	start := time.Now()
	d, r := p.deploy(t, "--timeout", "3m")
	if r.code != 6 || len(d.Failures) == 0 || d.Failures[0].Code != "node-lost" || !strings.Contains(d.Failures[0].Message, "-2 ") {
		t.Errorf("exit %d after %s, %+v; want 6 and the lost node\n%s", r.code, time.Since(start), d.Failures, r.stderr)
	}
	link("up")
	p.kubectl(t, "wait", "--for=condition=Ready", "nodes", "--all", "--timeout=90s")
	if again := p.mustDeploy(t); again.Outcome != "succeeded" || again.Ready != 2 {
		t.Errorf("with the node back: %+v", again)
	}
}
