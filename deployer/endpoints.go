package deployer

import (
	discovery "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/cluster"
)

// readyEndpoints counts the addresses behind a Service that take requests, each once.
func readyEndpoints(slices []*unstructured.Unstructured) int {
	addresses := map[string]bool{}
	for _, u := range slices {
		var s discovery.EndpointSlice
		if cluster.Decode(u, &s) != nil {
			continue
		}
		for _, e := range s.Endpoints {
			if e.Conditions.Ready != nil && !*e.Conditions.Ready {
				continue
			}
			for _, a := range e.Addresses {
				addresses[a] = true
			}
		}
	}
	return len(addresses)
}
