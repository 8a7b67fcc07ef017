// Package addon is what a new cluster holds besides what Kubernetes puts there.
package addon

import (
	"bytes"
	"embed"
	"fmt"
	"text/template"
)

//go:embed manifests/*.yaml
var manifests embed.FS

// Values fill the manifests.
type Values struct {
	// Registry is the registry's address on the host, RegistryInside the one on
	// the nodes.
	Registry       string
	RegistryInside string
	// DNS is the address of the cluster's name server.
	DNS string
	// CoreDNS is the image of the name server.
	CoreDNS string
}

// Names of the manifests: Access and Registry belong to every cluster, DNS to
// one with nodes.
const (
	Access   = "access"
	Registry = "registry"
	DNS      = "dns"
)

// Render is one manifest with its values filled in.
func Render(name string, v Values) ([]byte, error) {
	t, err := template.New(name+".yaml").Option("missingkey=error").ParseFS(manifests, "manifests/"+name+".yaml")
	if err != nil {
		return nil, fmt.Errorf("read manifest %s: %w", name, err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, v); err != nil {
		return nil, fmt.Errorf("fill manifest %s: %w", name, err)
	}
	return out.Bytes(), nil
}
