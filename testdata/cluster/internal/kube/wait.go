package kube

import (
	"context"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

// WaitServiceAccount returns when a namespace has its default ServiceAccount,
// which is the first moment a pod can be made in it.
func (c *Client) WaitServiceAccount(ctx context.Context, namespace string) error {
	source := c.dynamic.Resource(serviceAccounts).Namespace(namespace)
	return wait(ctx, source, "default", func(*unstructured.Unstructured) bool { return true })
}

// WaitNode returns when a node is Ready.
func (c *Client) WaitNode(ctx context.Context, name string) error {
	return wait(ctx, c.dynamic.Resource(nodes), name, func(o *unstructured.Unstructured) bool {
		return condition(o, "Ready")
	})
}

// WaitDeployment returns when a Deployment is Available.
func (c *Client) WaitDeployment(ctx context.Context, namespace, name string) error {
	source := c.dynamic.Resource(deployments).Namespace(namespace)
	return wait(ctx, source, name, func(o *unstructured.Unstructured) bool {
		return condition(o, "Available")
	})
}

// ReadyNodes counts the nodes that are Ready.
func (c *Client) ReadyNodes(ctx context.Context) (int, error) {
	list, err := c.dynamic.Resource(nodes).List(ctx, metav1.ListOptions{})
	if err != nil {
		return 0, fmt.Errorf("list nodes: %w", err)
	}
	ready := 0
	for i := range list.Items {
		if condition(&list.Items[i], "Ready") {
			ready++
		}
	}
	return ready, nil
}

func condition(o *unstructured.Unstructured, kind string) bool {
	conditions, _, err := unstructured.NestedSlice(o.Object, "status", "conditions")
	if err != nil {
		return false
	}
	for _, c := range conditions {
		m, ok := c.(map[string]any)
		if ok && m["type"] == kind && m["status"] == "True" {
			return true
		}
	}
	return false
}

// wait watches one object until the test holds for it.
func wait(ctx context.Context, source dynamic.ResourceInterface, name string, test func(*unstructured.Unstructured) bool) error {
	selector := fields.OneTermEqualSelector("metadata.name", name).String()
	lw := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			o.FieldSelector = selector
			return source.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.FieldSelector = selector
			return source.Watch(ctx, o)
		},
	}
	_, err := watchtools.UntilWithSync(ctx, lw, &unstructured.Unstructured{}, nil, func(e watch.Event) (bool, error) {
		o, ok := e.Object.(*unstructured.Unstructured)
		return ok && e.Type != watch.Deleted && test(o), nil
	})
	if err != nil {
		return fmt.Errorf("wait for %s: %w", name, errors.Join(ctx.Err(), err))
	}
	return nil
}
