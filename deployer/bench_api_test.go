//go:build api

package deployer_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"egk8s.dev/egk8s/deployer"
)

// childOf names, in the environment, what a process of its own deploys: its peak of memory is egk8s's alone.
const childOf = "EGK8S_BENCH_CHILD"

// TestBenchChild is that process: KUBECONFIG, namespace, number of objects, and their content.
func TestBenchChild(t *testing.T) {
	args := strings.Fields(os.Getenv(childOf))
	if len(args) == 0 {
		t.Skip("started by TestBenchDeploy")
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := deployer.DeployObjects(t.Context(), os.Getenv("KUBECONFIG"), args[0], "bench", benchObjects(args[0], n, args[2])); err != nil {
		t.Fatal(err)
	}
}

// benchObjects are n ConfigMaps of 1 KiB, a Service and a Deployment without pods.
func benchObjects(namespace string, n int, content string) []*unstructured.Unstructured {
	labels := map[string]any{"app.kubernetes.io/instance": "bench", "app.kubernetes.io/managed-by": "Helm"}
	notes := map[string]any{"meta.helm.sh/release-name": "bench", "meta.helm.sh/release-namespace": namespace}
	object := func(apiVersion, kind, name string, rest map[string]any) *unstructured.Unstructured {
		rest["apiVersion"], rest["kind"] = apiVersion, kind
		rest["metadata"] = map[string]any{"name": name, "namespace": namespace, "labels": labels, "annotations": notes}
		return &unstructured.Unstructured{Object: rest}
	}
	var out []*unstructured.Unstructured
	for i := range n {
		out = append(out, object("v1", "ConfigMap", fmt.Sprintf("bench-%04d", i), map[string]any{
			"data": map[string]any{"text": fmt.Sprintf("%d %s", i, strings.Repeat(content+" ", 1024/(len(content)+1)))},
		}))
	}
	selector := map[string]any{"app": "bench"}
	return append(out, object("v1", "Service", "bench", map[string]any{
		"spec": map[string]any{"selector": selector, "ports": []any{map[string]any{"name": "http", "port": int64(80), "targetPort": int64(8080), "protocol": "TCP"}}},
	}), object("apps/v1", "Deployment", "bench", map[string]any{
		"spec": map[string]any{"replicas": int64(0), "selector": map[string]any{"matchLabels": selector}, "template": map[string]any{
			"metadata": map[string]any{"labels": selector},
			"spec":     map[string]any{"containers": []any{map[string]any{"name": "gateway", "image": "example.com/gateway:1"}}},
		}},
	}))
}

// figure is what one run cost.
type figure struct {
	requests int
	wall     time.Duration
	rss      int64 // MiB
}

// TestBenchDeploy compares the cost of deploys with kubectl apply --server-side and the real helm: requests that the
// API server got, wall time, and peak of memory. `make bench-deploy` runs it. It fails when requests or memory miss
// their bounds; times depend on the machine and are told only.
func TestBenchDeploy(t *testing.T) {
	if os.Getenv("EGK8S_BENCH") == "" {
		t.Skip("make bench-deploy")
	}
	b := &bench{helm: os.Getenv("EGK8S_TEST_HELM"), kubectl: os.Getenv("EGK8S_TEST_KUBECTL")}
	b.config, b.kube = apiServer(t)
	results := map[int]map[string]map[string]figure{}
	for _, n := range sizes() {
		results[n] = map[string]map[string]figure{}
		for _, tool := range tools() {
			results[n][tool] = b.tool(t, tool, n)
		}
		hold(t, n, results[n]["egk8s"])
	}
	report := table(results)
	t.Logf("\n%s", report)
	if file := os.Getenv("EGK8S_BENCH_DOCS"); file != "" {
		if err := writeFigures(file, report); err != nil {
			t.Fatal(err)
		}
	}
}

// hold compares what egk8s did with n objects, of three kinds, with its bounds.
func hold(t *testing.T, n int, own map[string]figure) {
	t.Helper()
	const kinds = 3
	if got := own["no change"].requests; got > kinds+5 {
		t.Errorf("%d objects: a deploy without change took %d requests", n, got)
	}
	if got := own["create"].requests; got > n+2+kinds+15 {
		t.Errorf("%d objects: the first deploy took %d requests", n, got)
	}
	for _, run := range []string{"create", "no change"} {
		if f := own[run]; f.rss > 80 {
			t.Errorf("%d objects, %s: %d MiB", n, run, f.rss)
		}
	}
}

type bench struct {
	helm, kubectl string
	config        *rest.Config
	kube          kubernetes.Interface
}

// tool lets one program make the objects, find them unchanged, mend one, and change all.
func (b *bench) tool(t *testing.T, tool string, n int) map[string]figure {
	t.Helper()
	namespace := fmt.Sprintf("bench-%s-%d-%x", tool, n, time.Now().UnixNano()&0xffff)
	_, err := b.kube.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = b.kube.CoreV1().Namespaces().Delete(context.WithoutCancel(t.Context()), namespace, metav1.DeleteOptions{})
	}()
	out := map[string]figure{
		"create":    b.run(t, tool, namespace, n, "first"),
		"no change": b.run(t, tool, namespace, n, "first"),
	}
	_, err = b.kube.CoreV1().ConfigMaps(namespace).Patch(t.Context(), "bench-0003", types.MergePatchType, []byte(`{"data": {"text": "drift"}}`), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if tool == "kubectl" { // as egk8s here: it would end with a conflict
		out["one drifted"] = b.run(t, "kubectl --force-conflicts", namespace, n, "first")
	} else {
		out["one drifted"] = b.run(t, tool, namespace, n, "first")
	}
	if tool == "egk8s" {
		mended, err := b.kube.CoreV1().ConfigMaps(namespace).Get(t.Context(), "bench-0003", metav1.GetOptions{})
		if err != nil || mended.Data["text"] == "drift" {
			t.Errorf("the drift was not mended: %v", err)
		}
	}
	out["all changed"] = b.run(t, tool, namespace, n, "other")
	return out
}

func (b *bench) run(t *testing.T, tool, namespace string, n int, content string) figure {
	t.Helper()
	proxy := newFaultProxy(t, b.config, nil)
	dir := t.TempDir()
	var cmd *exec.Cmd
	switch name, flag, _ := strings.Cut(tool, " "); name {
	case "egk8s":
		cmd = exec.Command(os.Args[0], "-test.run", "^TestBenchChild$")
		cmd.Env = append(os.Environ(), childOf+"="+fmt.Sprintf("%s %d %s", namespace, n, content))
	case "kubectl":
		file := filepath.Join(dir, "all.yaml")
		writeObjects(t, file, benchObjects(namespace, n, content))
		args := []string{"apply", "--server-side", "-f", file}
		if flag != "" {
			args = append(args, flag)
		}
		cmd = exec.Command(b.kubectl, args...)
	case "helm":
		if err := os.MkdirAll(filepath.Join(dir, "templates"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "Chart.yaml"), []byte("apiVersion: v2\nname: bench\nversion: 1.0.0\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for i, u := range benchObjects(namespace, n, content) {
			writeObjects(t, filepath.Join(dir, "templates", fmt.Sprintf("%04d.yaml", i)), []*unstructured.Unstructured{u})
		}
		cmd = exec.Command(b.helm, "upgrade", "--install", "bench", dir, "-n", namespace, "--qps", "10000", "--burst-limit", "10000")
	}
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, "KUBECONFIG="+proxy.kubeconfig, "HOME="+dir)
	begun := time.Now()
	output, err := cmd.CombinedOutput()
	f := figure{wall: time.Since(begun), requests: len(proxy.requests())}
	if err != nil {
		t.Fatalf("%s: %v\n%s", tool, err, output)
	}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		f.rss = usage.Maxrss >> 10
	}
	return f
}

func writeObjects(t *testing.T, file string, objects []*unstructured.Unstructured) {
	t.Helper()
	var text strings.Builder
	for _, u := range objects {
		raw, err := yaml.Marshal(u.Object)
		if err != nil {
			t.Fatal(err)
		}
		text.WriteString("---\n" + string(raw))
	}
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}
