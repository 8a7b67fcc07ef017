//go:build e2e

package e2e

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestItFailsWell holds how a deploy that goes wrong ends: exit code, one cause, evidence, in time.
func TestItFailsWell(t *testing.T) {
	p := newPlace(t)
	p.newKey(t, "alice")
	p.backends(t, "orders")
	p.mustDeploy(t)

	t.Run("a change that opens a route", func(t *testing.T) {
		guarded := "      - key-auth:\n      - proxy:\n          - action:\n              serviceEndpoint: customers"
		open := strings.TrimPrefix(guarded, "      - key-auth:\n")
		p.edit(t, "config/gateway.config.yml", guarded, open)
		d, r := p.deploy(t, "--fail-on", "breaking")
		if r.code != 6 || !strings.Contains(d.Error, "GET /customers loses key-auth: anybody can call it") {
			t.Errorf("exit %d, want 6 and what is lost: %q\n%s", r.code, d.Error, r.stderr)
		}
		p.edit(t, "config/gateway.config.yml", open, guarded)
		if again := p.mustDeploy(t); again.Outcome != "unchanged" || again.Revision != 1 {
			t.Errorf("after the refused deploy: %q, revision %d; want unchanged, 1", again.Outcome, again.Revision)
		}
	})
	t.Run("an image that is not there", func(t *testing.T) {
		start := time.Now()
		d, r := p.deploy(t, "--image", p.registry(t)+"/nobody/nothing:v0")
		if r.code != 6 || len(d.Failures) == 0 {
			t.Fatalf("exit %d with %d failures, want 6 with its cause\n%s\n%s", r.code, len(d.Failures), r.stdout, r.stderr)
		}
		if c := d.Failures[0]; c.Code != "image-pull" || !strings.HasPrefix(c.Object, "Pod/shop-") {
			t.Errorf("cause %q at %q, want image-pull at a pod of shop", c.Code, c.Object)
		}
		if took := time.Since(start); took > 15*time.Second {
			t.Errorf("the verdict took %s, want at most 15s", took)
		}
	})
	t.Run("the old revision goes on serving", func(t *testing.T) {
		if r := get(t, p.forward(t), "/healthz", ""); r.status != 200 {
			t.Errorf("during a broken rollout: %d, want 200", r.status)
		}
	})
	t.Run("a container that crashes", func(t *testing.T) {
		// The variable is known in the pod only, and there it is no URL: validate cannot see it.
		p.edit(t, "config/gateway.config.yml", "url: http://localhost:3002", "url: ${ORDERS_URL}")
		p.edit(t, "egk8s.yaml", "  upstreams:\n    orders: http://orders:8080\n", "  secretEnv:\n    ORDERS_URL: {secret: orders, key: url}\n")
		p.kubectl(t, "create", "secret", "generic", "orders", "-n", p.namespace, "--from-literal=url=not a url")
		start := time.Now()
		d, r := p.deploy(t)
		if r.code != 6 || len(d.Failures) == 0 {
			t.Fatalf("exit %d with %d failures, want 6 with its cause\n%s\n%s", r.code, len(d.Failures), r.stdout, r.stderr)
		}
		if took := time.Since(start); took > 15*time.Second {
			t.Errorf("the verdict took %s, want at most 15s", took)
		}
		logs := strings.Join(d.Failures[0].Logs, "\n")
		if !strings.Contains(logs, "gateway.config.yml:") {
			t.Errorf("the evidence does not name the line of the config:\n%s", logs)
		}
		if !strings.Contains(r.stderr, "gateway.config.yml:") {
			t.Errorf("the plain log does not show the evidence:\n%s", r.stderr)
		}
	})
	t.Run("rollback on failure", func(t *testing.T) {
		d, r := p.deploy(t, "--rollback-on-failure")
		if r.code != 6 || !d.RolledBack {
			t.Errorf("exit %d, rolledBack %t; want 6, true", r.code, d.RolledBack)
		}
		if r := get(t, p.forward(t), "/healthz", ""); r.status != 200 {
			t.Errorf("after the rollback: %d, want 200", r.status)
		}
	})
	t.Run("a Secret that is missing", func(t *testing.T) {
		p.kubectl(t, "delete", "secret", "orders", "-n", p.namespace)
		d, r := p.deploy(t)
		if r.code != 6 {
			t.Errorf("exit %d, want 6\n%s", r.code, r.stderr)
		}
		if !strings.Contains(r.stderr+d.Error, "orders") {
			t.Errorf("the Secret is not named: %s\n%s", d.Error, r.stderr)
		}
	})
}

// registry is the cluster's own, as its nodes call it.
func (p *place) registry(t *testing.T) string {
	t.Helper()
	hosting := p.kubectl(t, "get", "configmap", "-n", "kube-public", "local-registry-hosting", "-o", `jsonpath={.data.localRegistryHosting\.v1}`)
	found := regexp.MustCompile(`hostFromContainerRuntime: "([^"]+)"`).FindStringSubmatch(hosting)
	if found == nil {
		t.Fatalf("the cluster announces no registry:\n%s", hosting)
	}
	return found[1]
}

// TestTwoAtOnce holds that a second deploy of the same release is told who is at work.
func TestTwoAtOnce(t *testing.T) {
	p := newPlace(t)
	p.newKey(t, "alice")
	p.backends(t, "orders")
	first := make(chan ran, 1)
	go func() { first <- p.egk8s(t, "deploy", "--cloud", "local") }()
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		if strings.Contains(p.kubectl(t, "get", "leases", "-n", p.namespace, "-o", "name"), "shop") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the first deploy took no lock")
		}
	}
	_, second := p.deploy(t)
	if second.code != 7 {
		t.Errorf("second deploy: exit %d, want 7\n%s", second.code, second.stderr)
	}
	(<-first).mustSucceed(t)
}

// TestPlainFailures are those that need a real cluster but no pods.
func TestPlainFailures(t *testing.T) {
	p := newPlace(t)
	t.Run("an invalid gateway config changes nothing", func(t *testing.T) {
		p.edit(t, "config/gateway.config.yml", "serviceEndpoint: orders", "serviceEndpoint: order")
		r := p.egk8s(t, "deploy", "--cloud", "local")
		if r.code != 3 || !strings.Contains(r.stderr, "gateway.config.yml:") || !strings.Contains(r.stderr, `"orders"`) {
			t.Errorf("exit %d, want 3 with the line and a suggestion\n%s", r.code, r.stderr)
		}
		left := p.kubectl(t, "get", "all,secrets,leases", "-n", p.namespace, "-o", "name")
		if strings.Contains(left, "shop") {
			t.Errorf("something was applied: %s", left)
		}
	})
}
