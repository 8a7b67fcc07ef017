// Package kube talks to the cluster's API server.
package kube

import (
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"
)

// manager owns the fields that egkube applies.
const manager = "egkube"

// retryEvery is the pause between two attempts to apply an object.
const retryEvery = 50 * time.Millisecond

// Client applies and watches objects.
type Client struct{ dynamic dynamic.Interface }

// NewClient reads a kubeconfig file.
func NewClient(kubeconfig string) (*Client, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	config.QPS, config.Burst = -1, -1
	d, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make client: %w", err)
	}
	return &Client{dynamic: d}, nil
}

// Apply applies the objects of a YAML stream one after another. Each is tried
// until the context ends, for their namespaces appear a little after the server.
func (c *Client) Apply(ctx context.Context, manifests []byte) error {
	objects, err := Decode(manifests)
	if err != nil {
		return err
	}
	for _, o := range objects {
		if err := c.apply(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) apply(ctx context.Context, o *unstructured.Unstructured) error {
	target := c.resource(o)
	for {
		_, err := target.Apply(ctx, o.GetName(), o, metav1.ApplyOptions{FieldManager: manager, Force: true})
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("apply %s %s: %w", o.GetKind(), o.GetName(), err)
		case <-time.After(retryEvery):
		}
	}
}

func (c *Client) resource(o *unstructured.Unstructured) dynamic.ResourceInterface {
	resource, _ := meta.UnsafeGuessKindToResource(o.GroupVersionKind())
	if o.GetNamespace() == "" {
		return c.dynamic.Resource(resource)
	}
	return c.dynamic.Resource(resource).Namespace(o.GetNamespace())
}

// Decode splits a YAML stream into objects.
func Decode(manifests []byte) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	for doc := range strings.SplitSeq(string(manifests), "\n---\n") {
		if strings.TrimSpace(doc) == "" {
			continue
		}
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(doc), &o.Object); err != nil {
			return nil, fmt.Errorf("decode manifest: %w", err)
		}
		if o.GetKind() == "" || o.GetName() == "" {
			return nil, fmt.Errorf("decode manifest: no kind or name in %q", doc)
		}
		objects = append(objects, o)
	}
	return objects, nil
}

// Resources that egkube waits for.
var (
	serviceAccounts = schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}
	nodes           = schema.GroupVersionResource{Version: "v1", Resource: "nodes"}
	deployments     = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
)
