//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestShop is the life of one release, from the first deploy to the last trace of it.
func TestShop(t *testing.T) {
	p := newPlace(t)
	key := p.newKey(t, "alice")
	p.backends(t, "customers-a", "customers-b", "orders")

	first := p.mustDeploy(t)
	t.Run("the first deploy proves that it serves", func(t *testing.T) {
		if first.Outcome != "succeeded" || first.Revision != 1 || first.Ready != 2 {
			t.Errorf("outcome %q, revision %d, ready %d; want succeeded, 1, 2", first.Outcome, first.Revision, first.Ready)
		}
		t.Logf("time to first answer %d ms, whole deploy %d ms", first.TimeToFirstAnswerMs, first.DurationMs)
		if first.TimeToFirstAnswerMs <= 0 || first.TimeToFirstAnswerMs > 15_000 {
			t.Errorf("time to first answer: %d ms, want 1 to 15000", first.TimeToFirstAnswerMs)
		}
	})
	t.Run("the running image is the embedded one", func(t *testing.T) {
		running := p.kubectl(t, "get", "pods", "-n", p.namespace, "-l", "app.kubernetes.io/name=egk8s-gateway",
			"-o", `jsonpath={range .items[*]}{.spec.containers[0].image} {.status.containerStatuses[0].imageID}{"\n"}{end}`)
		if first.ImageDigest == "" || !strings.Contains(running, first.ImageDigest) {
			t.Errorf("embedded digest %q is not that of the running pods:\n%s", first.ImageDigest, running)
		}
	})
	t.Run("requests go through the gateway", func(t *testing.T) { p.checkRequests(t, key) })
	t.Run("a second deploy changes nothing", func(t *testing.T) {
		again := p.mustDeploy(t)
		if again.Outcome != "unchanged" || again.Revision != 1 {
			t.Errorf("outcome %q, revision %d; want unchanged, 1", again.Outcome, again.Revision)
		}
	})
	t.Run("a changed config rolls out without a lost request", func(t *testing.T) { p.checkChange(t, key) })
	t.Run("egk8s rollback goes back, and forth", func(t *testing.T) { p.checkRollback(t) })
	t.Run("kubectl rollout undo brings the old behaviour back", func(t *testing.T) { p.checkUndo(t) })
	t.Run("helm knows the release and rolls it back", func(t *testing.T) { p.checkHelm(t) })
	t.Run("a deleted pod is not missed", func(t *testing.T) { p.checkPodLoss(t) })
	t.Run("status is healthy", func(t *testing.T) {
		p.mustDeploy(t)
		r := p.egk8s(t, "status", "-o", "json")
		r.mustSucceed(t)
		var s struct{ Health string }
		if err := json.Unmarshal([]byte(r.stdout), &s); err != nil || s.Health != "healthy" {
			t.Errorf("health %q (%v), want healthy\n%s", s.Health, err, r.stdout)
		}
	})
	t.Run("destroy leaves nothing", func(t *testing.T) { p.checkDestroy(t) })
}

// newKey makes a key credential and returns keyId:keySecret.
func (p *place) newKey(t *testing.T, user string) string {
	t.Helper()
	r := p.egk8s(t, "credentials", "new", "--consumer", user, "-o", "json")
	r.mustSucceed(t)
	var c struct{ KeyID, KeySecret string }
	if err := json.Unmarshal([]byte(r.stdout), &c); err != nil || c.KeyID == "" || c.KeySecret == "" {
		t.Fatalf("credentials new: %v\n%s", err, r.stdout)
	}
	return c.KeyID + ":" + c.KeySecret
}

func (p *place) checkRequests(t *testing.T, key string) {
	t.Helper()
	address := p.forward(t)
	if r := get(t, address, "/customers", ""); r.status != 401 {
		t.Errorf("without a key: %d, want 401", r.status)
	}
	if r := get(t, address, "/customers", "wrong:key"); r.status != 401 {
		t.Errorf("with a wrong key: %d, want 401", r.status)
	}
	services, pods := map[string]int{}, map[string]bool{}
	for range 8 {
		r := get(t, address, "/customers/7", key)
		if r.status != 200 {
			t.Fatalf("with a key: %d %s, want 200", r.status, r.body)
		}
		services[r.service]++
		pods[r.pod] = true
	}
	if services["customers-a"] != 4 || services["customers-b"] != 4 || len(pods) != 2 {
		t.Errorf("round robin over two Services: %v by pods %v, want 4 and 4", services, pods)
	}
	if r := get(t, address, "/orders/1", key); r.status != 200 || r.service != "orders" {
		t.Errorf("an upstream of egk8s.yaml: %d from %q, want 200 from orders", r.status, r.service)
	}
	if r := get(t, address, "/nowhere", ""); r.status != 404 {
		t.Errorf("an unknown path: %d, want 404", r.status)
	}
}

func (p *place) checkChange(t *testing.T, key string) {
	t.Helper()
	p.startLoad(t, "load-change", "http://shop:8080/healthz", 200, 40*time.Second)
	p.edit(t, "config/gateway.config.yml", "message: ok", "message: still ok")
	if r := p.egk8s(t, "diff", "--exit-code"); r.code != 10 || !strings.Contains(r.stdout, "+            message: still ok") {
		t.Errorf("diff before the deploy: exit %d, want 10 and the new line\n%s%s", r.code, r.stdout, r.stderr)
	}
	changed := p.mustDeploy(t, "--prove", "--prove-rate", "100", "--prove-max-lost", "0")
	if proof := changed.Proof; proof.Lost != 0 || proof.Before.Sent < 100 || proof.During.Sent < 100 || proof.After.Sent < 100 {
		t.Errorf("the deploy's own traffic: %+v; want some in every period, and none lost", proof)
	}
	if changed.Outcome != "succeeded" || changed.Revision != 2 {
		t.Errorf("outcome %q, revision %d; want succeeded, 2", changed.Outcome, changed.Revision)
	}
	if r := get(t, p.forward(t), "/healthz", ""); r.body != "still ok" {
		t.Errorf("after the change: %q, want the new message", r.body)
	}
	seen := p.endLoad(t, "load-change")
	if lost := seen.Sent - seen.Answers["200"]; lost != 0 || seen.Sent < 6000 {
		t.Errorf("%d of %d requests lost: %v %v", lost, seen.Sent, seen.Answers, seen.Errors)
	}
	_ = key
}

// checkRollback goes back to the first revision and to the second again, as a user reads it from history.
func (p *place) checkRollback(t *testing.T) {
	t.Helper()
	if r := p.egk8s(t, "rollback", "--dry-run", "-o", "name"); r.code != 0 || r.stdout != "Deployment/shop\n" {
		t.Errorf("a rollback would change %q, exit %d; want the Deployment alone\n%s", r.stdout, r.code, r.stderr)
	}
	back := p.rollback(t)
	if back.Outcome != "succeeded" || back.Revision != 3 || back.RestoredRevision != 1 || back.Ready != 2 {
		t.Errorf("rollback: %+v; want revision 1 again, as 3", back)
	}
	if r := get(t, p.forward(t), "/healthz", ""); r.body != "ok" {
		t.Errorf("after the rollback: %q, want the first message", r.body)
	}
	if again := p.rollback(t, "1"); again.Outcome != "unchanged" {
		t.Errorf("rollback to what serves: %q, want unchanged", again.Outcome)
	}
	if r := p.egk8s(t, "rollback", "77"); r.code != 3 || !strings.Contains(r.stderr, "revision 77 is not recorded") {
		t.Errorf("rollback to nothing: exit %d, want 3\n%s", r.code, r.stderr)
	}
	if forth := p.rollback(t, "2"); forth.Outcome != "succeeded" || forth.RestoredRevision != 2 {
		t.Errorf("rollback 2: %+v; want revision 2 again", forth)
	}
	if r := get(t, p.forward(t), "/healthz", ""); r.body != "still ok" {
		t.Errorf("after the way forth: %q, want the new message", r.body)
	}
	r := p.egk8s(t, "history")
	r.mustSucceed(t)
	if !regexp.MustCompile(`(?m)^4 \* +deployed .*rolled back to 2$`).MatchString(r.stdout) || strings.Contains(r.stdout, "cannot come back") {
		t.Errorf("history:\n%s", r.stdout)
	}
	if unchanged := p.mustDeploy(t); unchanged.Outcome != "unchanged" {
		t.Errorf("deploy of what was rolled forth to: %q, want unchanged", unchanged.Outcome)
	}
}

// rollback runs egk8s rollback and returns its document.
func (p *place) rollback(t *testing.T, args ...string) deployed {
	t.Helper()
	r := p.egk8s(t, append([]string{"rollback", "-o", "json"}, args...)...)
	r.mustSucceed(t)
	var d deployed
	if err := json.Unmarshal([]byte(r.stdout), &d); err != nil {
		t.Fatalf("rollback: %v\n%s", err, r.stdout)
	}
	return d
}

func (p *place) checkUndo(t *testing.T) {
	t.Helper()
	p.kubectl(t, "rollout", "undo", "-n", p.namespace, "deployment/shop")
	p.kubectl(t, "rollout", "status", "-n", p.namespace, "deployment/shop", "--timeout=90s")
	if r := get(t, p.forward(t), "/healthz", ""); r.body != "ok" {
		t.Errorf("after rollout undo: %q, want the first message", r.body)
	}
	if _, r := p.deploy(t); r.code != 5 || !strings.Contains(r.stderr, `owned by "kubectl"`) {
		t.Errorf("deploy over somebody's undo: exit %d, want 5 and the owner's name\n%s", r.code, r.stderr)
	}
	if again := p.mustDeploy(t, "--force-conflicts"); again.Outcome != "succeeded" {
		t.Errorf("deploy after an undo: %q, want succeeded: the drift was to be mended", again.Outcome)
	}
	if r := get(t, p.forward(t), "/healthz", ""); r.body != "still ok" {
		t.Errorf("after the next deploy: %q, want the new message", r.body)
	}
}

func (p *place) checkHelm(t *testing.T) {
	t.Helper()
	list := p.helm(t, "list", "-o", "json")
	if !strings.Contains(list, `"name":"shop"`) || !strings.Contains(list, `"status":"deployed"`) {
		t.Errorf("helm list does not show a deployed shop: %s", list)
	}
	if manifest := p.helm(t, "get", "manifest", "shop"); !strings.Contains(manifest, "kind: Deployment") {
		t.Errorf("helm get manifest has no Deployment:\n%s", manifest)
	}
	p.helm(t, "rollback", "shop", "1", "--wait", "--timeout", "90s")
	if r := get(t, p.forward(t), "/healthz", ""); r.body != "ok" {
		t.Errorf("after helm rollback: %q, want the first message", r.body)
	}
	taken := p.mustDeploy(t)
	if taken.Outcome != "succeeded" {
		t.Errorf("deploy after helm rollback: %q, want succeeded", taken.Outcome)
	}
	if r := get(t, p.forward(t), "/healthz", ""); r.body != "still ok" {
		t.Errorf("after the take-over: %q, want the new message", r.body)
	}
}

func (p *place) checkPodLoss(t *testing.T) {
	t.Helper()
	p.startLoad(t, "load-loss", "http://shop:8080/healthz", 100, 20*time.Second)
	pods := strings.Fields(p.kubectl(t, "get", "pods", "-n", p.namespace, "-l", "app.kubernetes.io/name=egk8s-gateway", "-o", "name"))
	p.kubectl(t, "delete", "-n", p.namespace, pods[0], "--wait=false")
	seen := p.endLoad(t, "load-loss")
	if lost := seen.Sent - seen.Answers["200"]; lost != 0 {
		t.Errorf("%d of %d requests lost: %v %v", lost, seen.Sent, seen.Answers, seen.Errors)
	}
}

func (p *place) checkDestroy(t *testing.T) {
	t.Helper()
	p.egk8s(t, "destroy", "-y").mustSucceed(t)
	left := p.kubectl(t, "get", "all,configmaps,secrets,serviceaccounts,poddisruptionbudgets,leases", "-n", p.namespace, "-o", "name")
	ours := regexp.MustCompile(`(?m)^.*/(shop\b.*|sh\.helm\.release.*)$`)
	if found := ours.FindAllString(left, -1); len(found) > 0 {
		t.Errorf("left behind: %v", found)
	}
	if r := p.egk8s(t, "status"); r.code != 9 {
		t.Errorf("status after destroy: exit %d, want 9\n%s", r.code, r.stderr)
	}
}

// TestHelmUninstalls removes with the real helm what egk8s deployed.
func TestHelmUninstalls(t *testing.T) {
	p := newPlace(t)
	p.newKey(t, "alice")
	p.backends(t, "orders")
	p.mustDeploy(t)
	p.helm(t, "uninstall", "shop", "--wait", "--timeout", "90s")
	deadline := time.Now().Add(30 * time.Second)
	for {
		left := p.kubectl(t, "get", "all,configmaps,secrets,serviceaccounts,poddisruptionbudgets,leases", "-n", p.namespace, "-o", "name")
		found := regexp.MustCompile(`(?m)^.*/shop\b.*$`).FindAllString(left, -1)
		if len(found) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("left behind by helm uninstall: %v", found)
		}
		time.Sleep(time.Second)
	}
}

// helm runs the real program, built from its module, as the account.
func (p *place) helm(t *testing.T, args ...string) string {
	t.Helper()
	r := p.run(t, helmPath(t), "", append([]string{"-n", p.namespace}, args...)...)
	r.mustSucceed(t)
	return r.stdout
}

func helmPath(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "egk8s", "helm-v3.22.0")
	path := filepath.Join(dir, "helm")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	cmd := exec.Command("go", "install", "helm.sh/helm/v3/cmd/helm@v3.22.0")
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "CGO_ENABLED=0", "GOFLAGS=-trimpath")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build helm: %v\n%s", err, out)
	}
	return path
}
