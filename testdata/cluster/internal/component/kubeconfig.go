package component

import (
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"

	"egk8s.dev/egk8s/testdata/cluster/internal/pki"
)

// Kubeconfig is a kubeconfig with one cluster, user and context.
type Kubeconfig struct {
	// Name is that of the context, the cluster and the user.
	Name   string
	Server string
	PKI    pki.Files
	// Pair names the user's certificate.
	Pair string
}

// KubeconfigPath is the file of a component's kubeconfig.
func KubeconfigPath(dir, component string) string {
	return filepath.Join(dir, component+".kubeconfig")
}

// Encode is the file's content; certificates and key are embedded.
func (k Kubeconfig) Encode() ([]byte, error) {
	var parts [3][]byte
	for i, file := range []string{k.PKI.CA("kubernetes"), k.PKI.Cert(k.Pair), k.PKI.Key(k.Pair)} {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("make kubeconfig %s: %w", k.Name, err)
		}
		parts[i] = data
	}
	data, err := yaml.Marshal(map[string]any{
		"apiVersion":      "v1",
		"kind":            "Config",
		"current-context": k.Name,
		"clusters": []any{map[string]any{"name": k.Name, "cluster": map[string]any{
			"server": k.Server, "certificate-authority-data": parts[0],
		}}},
		"users": []any{map[string]any{"name": k.Name, "user": map[string]any{
			"client-certificate-data": parts[1], "client-key-data": parts[2],
		}}},
		"contexts": []any{map[string]any{"name": k.Name, "context": map[string]any{
			"cluster": k.Name, "user": k.Name,
		}}},
	})
	if err != nil {
		return nil, fmt.Errorf("make kubeconfig %s: %w", k.Name, err)
	}
	return data, nil
}

// Write puts the kubeconfig into a file that only its owner reads.
func (k Kubeconfig) Write(file string) error {
	data, err := k.Encode()
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	return nil
}
