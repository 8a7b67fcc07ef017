package deployer

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/release"
	"egk8s.dev/egk8s/deployer/render"
)

// recorded is what a revision's record says of the release.
type recorded struct {
	objects []*unstructured.Unstructured
	image   string       // of the gateway container
	config  string       // digest of the configuration
	needs   []object.Ref // ConfigMaps and Secrets that its pods mount and that the record does not hold
}

// readRecord reads the objects of a revision and what its pods were.
func (s *session) readRecord(r *release.Record) (recorded, error) {
	objects, err := parseManifest(r.Manifest, s.namespace)
	if err != nil {
		return recorded{}, fmt.Errorf("read revision %d: %w", r.Revision, err)
	}
	out := recorded{objects: objects}
	own := map[object.Key]bool{}
	for _, u := range objects {
		own[object.Of(u).Key()] = true
	}
	for _, u := range objects {
		if u.GetKind() != "Deployment" || u.GetName() != s.name {
			continue
		}
		out.image, out.config = gatewayOf(u)
		for _, m := range mounts(u) {
			if !m.optional && !own[m.Key()] {
				out.needs = append(out.needs, m.Ref)
			}
		}
	}
	return out, nil
}

// gatewayOf returns the image of a Deployment's gateway and the digest of the configuration it expects.
func gatewayOf(deployment *unstructured.Unstructured) (image, config string) {
	container := gatewayContainer(deployment)
	image, _ = container["image"].(string)
	for _, variable := range environment(container) {
		if variable["name"] == render.DigestVariable {
			config, _ = variable["value"].(string)
		}
	}
	return image, config
}

// gatewayContainer is the container of a Deployment that is the gateway; nil: there is none.
func gatewayContainer(deployment *unstructured.Unstructured) map[string]any {
	containers, _, _ := unstructured.NestedSlice(deployment.Object, "spec", "template", "spec", "containers")
	for _, c := range containers {
		if container, _ := c.(map[string]any); container["name"] == render.ContainerName {
			return container
		}
	}
	return nil
}

// environment are the variables of a container.
func environment(container map[string]any) []map[string]any {
	list, _ := container["env"].([]any)
	var out []map[string]any
	for _, e := range list {
		if variable, ok := e.(map[string]any); ok {
			out = append(out, variable)
		}
	}
	return out
}

// mount is a ConfigMap or Secret that a pod mounts.
type mount struct {
	object.Ref
	optional bool
}

// mounts are the ConfigMaps and Secrets that the pod template of u mounts.
func mounts(u *unstructured.Unstructured) []mount {
	volumes, _, _ := unstructured.NestedSlice(u.Object, "spec", "template", "spec", "volumes")
	var out []mount
	add := func(kind string, source map[string]any, key string) {
		if name, _ := source[key].(string); name != "" {
			ref := object.Ref{Version: "v1", Kind: kind, Namespace: u.GetNamespace(), Name: name}
			out = append(out, mount{Ref: ref, optional: source["optional"] == true})
		}
	}
	for _, v := range volumes {
		volume, _ := v.(map[string]any)
		sources := []any{volume}
		if projected, ok, _ := unstructured.NestedSlice(volume, "projected", "sources"); ok {
			sources = append(sources, projected...)
		}
		for _, s := range sources {
			source, _ := s.(map[string]any)
			config, _ := source["configMap"].(map[string]any)
			add("ConfigMap", config, "name")
			secret, _ := source["secret"].(map[string]any)
			add("Secret", secret, "secretName")
			add("Secret", secret, "name")
		}
	}
	return out
}

// missing returns which of the objects that the revision's pods need are gone from the cluster.
func (s *session) missing(ctx context.Context, r recorded) ([]string, error) {
	var gone []string
	for _, ref := range r.needs {
		_, err := s.client.Get(ctx, ref)
		switch {
		case cluster.IsNotFound(err):
			gone = append(gone, ref.String())
		case err != nil:
			return nil, err
		}
	}
	return gone, nil
}
