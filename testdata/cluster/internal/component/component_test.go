package component_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"egk8s.dev/egk8s/testdata/cluster/internal/component"
	"egk8s.dev/egk8s/testdata/cluster/internal/pki"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Error(d)
	}
}

func testNode(dir string) component.Node {
	return component.Node{
		Cluster: "c", Name: "c-1", Address: "10.100.0.11", Pods: "10.101.1.0/24", AllPods: "10.101.0.0/16",
		DNS: "10.100.128.10", Dir: dir, PKI: pki.Files{Dir: "/state/pki"}, Kubeconfig: "/state/pki",
		CGroup: "/egkube/c-1a2b3c/c-1", CNI: "/usr/lib/cni", Runc: "/usr/sbin/runc", Pause: "pause:1",
		Snapshotter: "overlayfs", Registry: "localhost:1234", Mirror: "10.100.0.1:5000",
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"containerd.toml", "hosts.toml", "kube-proxy.yaml", "kubelet.yaml", "pods.conflist", "resolv.conf"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := testNode("/state/nodes/c-1/etc").Render(name)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name, got)
			if filepath.Ext(name) == ".yaml" || name == "pods.conflist" {
				var any map[string]any
				if err := yaml.UnmarshalStrict(got, &any); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestWriteFilesPutsTheMirrorWhereTheRuntimeLooks(t *testing.T) {
	t.Parallel()
	n := testNode(t.TempDir())
	if err := n.WriteFiles(); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"certs.d/localhost:1234/hosts.toml", "net.d/10-pods.conflist", "kubelet.yaml"} {
		if _, err := os.Stat(filepath.Join(n.Dir, file)); err != nil {
			t.Error(err)
		}
	}
}

func TestCommandLines(t *testing.T) {
	t.Parallel()
	for name, nodes := range map[string]bool{"with-nodes": true, "without-nodes": false} {
		plane := component.ControlPlane{
			Address: "127.0.0.1", Ports: component.Ports{API: 1, Etcd: 2, EtcdPeer: 3}, PKI: pki.Files{Dir: "/pki"},
			Data: "/data/etcd", Kubeconfig: "/pki", Services: "10.100.128.0/20", Nodes: nodes,
		}
		node := testNode("/node")
		var text strings.Builder
		for _, args := range [][]string{
			plane.EtcdArgs(), plane.APIServerArgs(), plane.ControllerManagerArgs(), plane.SchedulerArgs(),
			node.ContainerdArgs(), node.KubeletArgs(), node.ProxyArgs(),
		} {
			text.WriteString(strings.Join(args, "\n  ") + "\n")
		}
		golden(t, "arguments-"+name+".txt", []byte(text.String()))
	}
}

func TestKubeconfig(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"kubernetes-ca.crt", "admin.crt", "admin.key"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	k := component.Kubeconfig{Name: "egkube-c", Server: "https://127.0.0.1:1", PKI: pki.Files{Dir: dir}, Pair: "admin"}
	file := filepath.Join(dir, "kubeconfig")
	if err := k.Write(file); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "kubeconfig", got)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode is %v, %v", info.Mode(), err)
	}
}
