package cluster

import (
	"cmp"
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/util/csaupgrade"

	"egk8s.dev/egk8s/deployer/object"
)

// Selection names the objects of one kind: all of a namespace that match the selectors.
type Selection struct {
	Kind      object.Ref // Name is ignored
	Labels    string     // label selector
	Fields    string     // field selector
	Namespace string
}

// ApplyOptions are the choices of one apply.
type ApplyOptions struct {
	Force  bool // take over fields that others own
	DryRun bool // let the API server judge and change nothing
	// Manager is the field manager; empty: ours. Another one keeps fields that ours gives up.
	Manager string
}

// Apply sends obj by server-side apply with field manager "egk8s" and returns what the API server has then.
func (c *Client) Apply(ctx context.Context, obj *unstructured.Unstructured, opts ApplyOptions) (*unstructured.Unstructured, error) {
	ref := object.Of(obj)
	r, err := c.resourceOf(ref)
	if err != nil {
		return nil, err
	}
	options := metav1.ApplyOptions{FieldManager: cmp.Or(opts.Manager, FieldManager), Force: opts.Force}
	if opts.DryRun {
		options.DryRun = []string{metav1.DryRunAll}
	}
	out, err := r.Apply(ctx, ref.Name, obj, options)
	return out, c.explain("patch", ref, err)
}

// Get reads one object.
func (c *Client) Get(ctx context.Context, ref object.Ref) (*unstructured.Unstructured, error) {
	r, err := c.resourceOf(ref)
	if err != nil {
		return nil, err
	}
	out, err := r.Get(ctx, ref.Name, metav1.GetOptions{})
	return out, c.explain("get", ref, err)
}

// Create makes one object, which must not exist.
func (c *Client) Create(ctx context.Context, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return c.create(ctx, obj, metav1.CreateOptions{FieldManager: FieldManager})
}

// DryCreate lets the API server judge what Create would make.
func (c *Client) DryCreate(ctx context.Context, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return c.create(ctx, obj, metav1.CreateOptions{FieldManager: FieldManager, DryRun: []string{metav1.DryRunAll}})
}

func (c *Client) create(ctx context.Context, obj *unstructured.Unstructured, options metav1.CreateOptions) (*unstructured.Unstructured, error) {
	ref := object.Of(obj)
	r, err := c.resourceOf(ref)
	if err != nil {
		return nil, err
	}
	out, err := c.settle(ctx, obj, func() (*unstructured.Unstructured, error) { return r.Create(ctx, obj, options) })
	return out, c.explain("create", ref, err)
}

// Update replaces one object; when obj carries a resource version, only that version.
func (c *Client) Update(ctx context.Context, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	ref := object.Of(obj)
	r, err := c.resourceOf(ref)
	if err != nil {
		return nil, err
	}
	out, err := c.settle(ctx, obj, func() (*unstructured.Unstructured, error) {
		return r.Update(ctx, obj, metav1.UpdateOptions{FieldManager: FieldManager})
	})
	return out, c.explain("update", ref, err)
}

// Delete removes one object, and what it owns in the background. One that is gone already is no error.
// A uid restricts it to that very object. Without one there is nothing that a conflict could be about but a change
// at the same moment: then it is sent again.
func (c *Client) Delete(ctx context.Context, ref object.Ref, uid types.UID) error {
	r, err := c.resourceOf(ref)
	if err != nil {
		return err
	}
	background := metav1.DeletePropagationBackground
	opts := metav1.DeleteOptions{PropagationPolicy: &background}
	if uid != "" {
		opts.Preconditions = &metav1.Preconditions{UID: &uid}
	}
	wait := firstWait
	for attempt := 1; ; attempt++ {
		err = c.explain("delete", ref, r.Delete(ctx, ref.Name, opts))
		if uid != "" || !IsConflict(err) || attempt == attempts {
			break
		}
		pause(ctx, wait)
		wait = min(2*wait, mostWait)
	}
	if IsNotFound(err) {
		return nil
	}
	return err
}

// List reads the objects of a selection.
func (c *Client) List(ctx context.Context, sel Selection) ([]*unstructured.Unstructured, error) {
	sel.Kind.Namespace = sel.Namespace
	r, err := c.resourceOf(sel.Kind)
	if err != nil {
		return nil, err
	}
	list, err := r.List(ctx, metav1.ListOptions{LabelSelector: sel.Labels, FieldSelector: sel.Fields})
	if err != nil {
		return nil, c.explain("list", sel.Kind, err)
	}
	return pointers(list), nil
}

func pointers(list *unstructured.UnstructuredList) []*unstructured.Unstructured {
	out := make([]*unstructured.Unstructured, len(list.Items))
	for i := range list.Items {
		out[i] = &list.Items[i]
	}
	return out
}

// ListMetadata reads the metadata only of the objects of a selection, in one request.
func (c *Client) ListMetadata(ctx context.Context, sel Selection) ([]metav1.PartialObjectMetadata, error) {
	gvr, err := c.gvr(sel.Kind.GVK())
	if err != nil {
		return nil, err
	}
	list, err := c.meta.Resource(gvr).Namespace(sel.Namespace).List(ctx, metav1.ListOptions{LabelSelector: sel.Labels, FieldSelector: sel.Fields})
	if err != nil {
		return nil, c.explain("list", sel.Kind, err)
	}
	for i := range list.Items {
		list.Items[i].SetGroupVersionKind(sel.Kind.GVK())
	}
	return list.Items, nil
}

// TakeOver makes the fields that the managers own by client-side apply our own, so that the next
// apply neither conflicts nor leaves removed fields behind.
func (c *Client) TakeOver(ctx context.Context, live *unstructured.Unstructured, managers []string) error {
	ref := object.Of(live)
	patch, err := csaupgrade.UpgradeManagedFieldsPatch(live, sets.New(managers...), FieldManager)
	if err != nil {
		return fmt.Errorf("take over fields of %s: %w", ref, err)
	}
	if len(patch) == 0 {
		return nil
	}
	r, err := c.resourceOf(ref)
	if err != nil {
		return err
	}
	_, err = r.Patch(ctx, ref.Name, types.JSONPatchType, patch, metav1.PatchOptions{FieldManager: FieldManager})
	return c.explain("patch", ref, err)
}

// resourceOf returns the client of the resource that ref names.
func (c *Client) resourceOf(ref object.Ref) (dynamic.ResourceInterface, error) {
	gvr, err := c.gvr(ref.GVK())
	if err != nil {
		return nil, err
	}
	if ref.Namespace == "" {
		return c.dynamic.Resource(gvr), nil
	}
	return c.dynamic.Resource(gvr).Namespace(ref.Namespace), nil
}

// gvr returns the resource of a kind, from the table of known ones or by one discovery request.
func (c *Client) gvr(gvk schema.GroupVersionKind) (schema.GroupVersionResource, error) {
	if gvr, ok := object.Resource(gvk); ok {
		return gvr, nil
	}
	c.mu.Lock()
	gvr, ok := c.resource[gvk]
	c.mu.Unlock()
	if ok {
		return gvr, nil
	}
	disco, err := discovery.NewDiscoveryClientForConfigAndClient(c.config, c.limited(30*time.Second))
	if err != nil {
		return gvr, fmt.Errorf("discover %s: %w", gvk.Kind, err)
	}
	list, err := disco.ServerResourcesForGroupVersion(gvk.GroupVersion().String())
	if err != nil && !IsNotFound(err) {
		return gvr, c.explain("discover", object.Ref{Kind: gvk.Kind}, err)
	}
	if list != nil {
		for _, r := range list.APIResources {
			if r.Kind == gvk.Kind {
				gvr = gvk.GroupVersion().WithResource(r.Name)
				c.mu.Lock()
				c.resource[gvk] = gvr
				c.mu.Unlock()
				return gvr, nil
			}
		}
	}
	return gvr, &NoKindError{Kind: gvk.Kind, APIVersion: gvk.GroupVersion().String()}
}
