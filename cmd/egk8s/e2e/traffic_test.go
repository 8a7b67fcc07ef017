//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// reply is one answer, as a client outside the cluster sees it.
type reply struct {
	status  int
	body    string
	service string // which backend Service answered, when one did
	pod     string
}

// forward runs `egk8s port-forward gateway` and returns the address that it prints.
func (p *place) forward(t *testing.T) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := exec.CommandContext(ctx, root(t, "bin/egk8s"), "port-forward", "gateway")
	cmd.Dir = p.dir
	cmd.Env = append(cmd.Environ(), "KUBECONFIG="+p.kubeconfig, "CI=true")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	lines := bufio.NewScanner(out)
	address := regexp.MustCompile(`127\.0\.0\.1:\d+`)
	seen := []string{}
	for lines.Scan() {
		seen = append(seen, lines.Text())
		if found := address.FindString(lines.Text()); found != "" {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return found
		}
	}
	t.Fatalf("port-forward ended without an address:\n%s", strings.Join(seen, "\n"))
	return ""
}

func get(t *testing.T, address, path, key string) reply {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "apiKey "+key)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	r := reply{status: res.StatusCode, body: string(body)}
	var echo struct{ Pod, Service string }
	if json.Unmarshal(body, &echo) == nil {
		r.pod, r.service = echo.Pod, echo.Service
	}
	return r
}

// loadReport is what the client in the cluster saw.
type loadReport struct {
	Sent    int
	Answers map[string]int
	Errors  []string
	P99Ms   float64
}

// startLoad runs the independent client in a pod against the Service of the gateway.
func (p *place) startLoad(t *testing.T, name, url string, rate int, duration time.Duration) {
	t.Helper()
	p.kubectlInput(t, fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: %s, namespace: %s}
spec:
  restartPolicy: Never
  containers:
    - name: load
      image: %s
      imagePullPolicy: IfNotPresent
      args: ["load", "--url", "%s", "--rate", "%d", "--duration", "%s"]
`, name, p.namespace, echoImage, url, rate, duration), "apply", "-f", "-")
	p.kubectl(t, "wait", "-n", p.namespace, "--for=jsonpath={.status.phase}=Running", "pod/"+name, "--timeout=60s")
}

// endLoad waits for the client and returns what it saw.
func (p *place) endLoad(t *testing.T, name string) loadReport {
	t.Helper()
	p.kubectl(t, "wait", "-n", p.namespace, "--for=jsonpath={.status.phase}=Succeeded", "pod/"+name, "--timeout=180s")
	var r loadReport
	if err := json.Unmarshal([]byte(p.kubectl(t, "logs", "-n", p.namespace, name)), &r); err != nil {
		t.Fatal(err)
	}
	t.Logf("load %s: %d requests, answers %v, p99 %.1f ms", name, r.Sent, r.Answers, r.P99Ms)
	return r
}

// backends deploys the Services behind the gateway and waits until they are ready.
func (p *place) backends(t *testing.T, names ...string) {
	t.Helper()
	var objects strings.Builder
	for _, name := range names {
		fmt.Fprintf(&objects, backend, name, p.namespace, echoImage)
	}
	p.kubectlInput(t, objects.String(), "apply", "-f", "-")
	for _, name := range names {
		p.kubectl(t, "rollout", "status", "-n", p.namespace, "deployment/"+name, "--timeout=90s")
	}
}

const backend = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s, namespace: %[2]s}
spec:
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
      containers:
        - name: echo
          image: %[3]s
          imagePullPolicy: IfNotPresent
          env: [{name: SERVICE, value: %[1]s}]
          readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: %[1]s, namespace: %[2]s}
spec:
  selector: {app: %[1]s}
  ports: [{port: 8080}]
---
`
