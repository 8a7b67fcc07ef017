package component

import (
	"bytes"
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"text/template"

	"egk8s.dev/egk8s/testdata/cluster/internal/pki"
)

//go:embed templates/*
var templates embed.FS

// Node is what the files and command lines of a node depend on. Its paths are
// the same inside and outside the node's root file system.
type Node struct {
	Cluster string
	Name    string
	Address string
	// Pods is the range of this node's pods, AllPods that of all nodes'.
	Pods    string
	AllPods string
	DNS     string
	// Dir is the folder of the node's files.
	Dir string
	PKI pki.Files
	// Kubeconfig is the folder of the components' kubeconfigs.
	Kubeconfig string
	// CGroup is the node's control group, as in /egkube/ID/NAME.
	CGroup string
	// CNI is the folder of the network plugins, Runc the path of runc.
	CNI  string
	Runc string
	// Pause is the image that holds a pod's namespaces.
	Pause string
	// Snapshotter keeps the file systems of containers.
	Snapshotter string
	// Registry is the name of the registry on the host, Mirror where the node
	// reaches it.
	Registry string
	Mirror   string
}

// RuntimeSocket is the container runtime's socket inside a node.
const RuntimeSocket = "/run/containerd/containerd.sock"

// WriteFiles writes the configuration files of a node.
func (n Node) WriteFiles() error {
	// The registry goes by its name on the host and by its address inside: both
	// stand in the announcement, so images are named by either.
	byName, byAddress := filepath.Join("certs.d", n.Registry), filepath.Join("certs.d", n.Mirror)
	for _, dir := range []string{"net.d", byName, byAddress} {
		if err := os.MkdirAll(filepath.Join(n.Dir, dir), 0o755); err != nil {
			return fmt.Errorf("write files of node %s: %w", n.Name, err)
		}
	}
	files := map[string]string{
		"containerd.toml":                          "containerd.toml",
		"kubelet.yaml":                             "kubelet.yaml",
		"kube-proxy.yaml":                          "kube-proxy.yaml",
		"resolv.conf":                              "resolv.conf",
		filepath.Join(byName, "hosts.toml"):        "hosts.toml",
		filepath.Join(byAddress, "hosts.toml"):     "hosts.toml",
		filepath.Join("net.d", "10-pods.conflist"): "pods.conflist",
	}
	for file, name := range files {
		data, err := n.Render(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(n.Dir, file), data, 0o644); err != nil {
			return fmt.Errorf("write files of node %s: %w", n.Name, err)
		}
	}
	return nil
}

// Render is one of the configuration files.
func (n Node) Render(name string) ([]byte, error) {
	t, err := template.New(name).Option("missingkey=error").ParseFS(templates, "templates/"+name)
	if err != nil {
		return nil, fmt.Errorf("read template of %s: %w", name, err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, n); err != nil {
		return nil, fmt.Errorf("fill template of %s: %w", name, err)
	}
	return out.Bytes(), nil
}

// ContainerdArgs is containerd's command line.
func (n Node) ContainerdArgs() []string {
	return []string{"containerd", "--config", filepath.Join(n.Dir, "containerd.toml")}
}

// KubeletArgs is the kubelet's command line.
func (n Node) KubeletArgs() []string {
	return []string{
		"kubelet",
		"--config=" + filepath.Join(n.Dir, "kubelet.yaml"),
		"--kubeconfig=" + KubeconfigPath(n.Kubeconfig, "node-"+n.Name),
		"--hostname-override=" + n.Name,
		"--node-ip=" + n.Address,
		"--node-labels=egk8s.dev/local-cluster=" + n.Cluster,
	}
}

// ProxyArgs is kube-proxy's command line.
func (n Node) ProxyArgs() []string {
	return []string{"kube-proxy", "--config=" + filepath.Join(n.Dir, "kube-proxy.yaml")}
}
