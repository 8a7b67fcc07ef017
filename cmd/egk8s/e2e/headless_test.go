//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestAHeadlessServiceIsFollowed holds that pods behind a headless Service get requests one by one, new ones and
// those that go within five seconds, and that nobody loses a request by that.
func TestAHeadlessServiceIsFollowed(t *testing.T) {
	p := newPlace(t)
	p.headless(t, "orders")
	p.scale(t, "orders", 2)
	p.mustDeploy(t)
	address := p.forward(t)
	p.startLoad(t, "load-pods", "http://shop:8080/v1/x", 200, 75*time.Second)
	for _, n := range []int{2, 5, 1, 3} {
		p.scale(t, "orders", n)
		p.answeredBy(t, address, n, 5*time.Second)
	}
	seen := p.endLoad(t, "load-pods")
	if lost := seen.Sent - seen.Answers["200"]; lost != 0 || seen.Sent < 10000 {
		t.Errorf("%d of %d requests lost while pods came and went: %v %v", lost, seen.Sent, seen.Answers, seen.Errors)
	}
}

// headless is backends with a Service that has no address of its own.
func (p *place) headless(t *testing.T, name string) {
	t.Helper()
	objects := strings.Replace(backend, "  ports: [{port: 8080}]", "  clusterIP: None\n  ports: [{port: 8080}]", 1)
	p.kubectlInput(t, fmt.Sprintf(objects, name, p.namespace, echoImage), "apply", "-f", "-")
}

// scale waits until so many pods are ready, and those that are too many are not listed any more.
func (p *place) scale(t *testing.T, name string, n int) {
	t.Helper()
	p.kubectl(t, "scale", "-n", p.namespace, "deployment/"+name, fmt.Sprintf("--replicas=%d", n))
	p.kubectl(t, "rollout", "status", "-n", p.namespace, "deployment/"+name, "--timeout=90s")
	for range 300 {
		listed := p.kubectl(t, "get", "endpointslices", "-n", p.namespace, "-l", "kubernetes.io/service-name="+name,
			"-o", "jsonpath={.items[*].endpoints[?(@.conditions.ready==true)].targetRef.name}")
		if len(strings.Fields(listed)) == n {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("the Service %s never listed %d pods", name, n)
}

// answeredBy waits until requests in a row are answered by exactly n pods, each of which gets its share.
func (p *place) answeredBy(t *testing.T, address string, n int, limit time.Duration) {
	t.Helper()
	start := time.Now()
	pods := map[string]int{}
	for time.Since(start) < limit {
		clear(pods)
		for range 4 * n {
			r := get(t, address, "/v1/x", "")
			if r.status != 200 {
				t.Fatalf("%d %s, want 200", r.status, r.body)
			}
			pods[r.pod]++
		}
		if len(pods) == n {
			t.Logf("%d pods answer %.1f s after the Service listed them", n, time.Since(start).Seconds())
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("%s after the Service listed %d pods, answers come from %v", limit, n, pods)
}
