package cluster

import (
	"context"
	"math/rand/v2"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
)

// Observer receives the objects of a selection as they are and as they change. Its methods are
// called by one goroutine at a time.
type Observer interface {
	// Reset replaces all that was known: at the start, and after a watch lost its place.
	Reset([]*unstructured.Unstructured)
	Set(*unstructured.Unstructured)
	Remove(*unstructured.Unstructured)
}

// Follow lists the selection and watches it until ctx ends, over lost connections and expired
// versions. It returns nil at the end of ctx, or the error that makes following senseless: no
// rights, or no such kind.
func (c *Client) Follow(ctx context.Context, sel Selection, o Observer) error {
	sel.Kind.Namespace = sel.Namespace
	r, err := c.resourceOf(sel.Kind)
	if err != nil {
		return err
	}
	f := follower{resource: r, sel: sel, observer: o}
	for delay := 50 * time.Millisecond; ctx.Err() == nil; {
		err := f.once(ctx)
		switch {
		case err == nil:
			delay = 50 * time.Millisecond
			continue
		case ctx.Err() != nil:
			return nil //nolint:nilerr // the end of ctx is the end of following
		case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err), apierrors.IsNotFound(err), apierrors.IsMethodNotSupported(err):
			return c.explain("watch", sel.Kind, err)
		}
		pause(ctx, delay+rand.N(delay)) //nolint:gosec // jitter, not a secret
		delay = min(2*delay, 5*time.Second)
	}
	return nil
}

// follower is one list-and-watch loop; version is empty when it must list again.
type follower struct {
	resource dynamic.ResourceInterface
	sel      Selection
	observer Observer
	version  string
}

// once lists if needed and watches until the watch ends; nil means: go on at once.
func (f *follower) once(ctx context.Context) error {
	if f.version == "" {
		list, err := f.resource.List(ctx, metav1.ListOptions{LabelSelector: f.sel.Labels, FieldSelector: f.sel.Fields})
		if err != nil {
			return err
		}
		f.observer.Reset(pointers(list))
		f.version = list.GetResourceVersion()
	}
	w, err := f.resource.Watch(ctx, metav1.ListOptions{
		LabelSelector: f.sel.Labels, FieldSelector: f.sel.Fields,
		ResourceVersion: f.version, AllowWatchBookmarks: true,
	})
	if err != nil {
		if lost(err) {
			f.version = ""
			return nil
		}
		return err
	}
	defer w.Stop()
	return f.drain(ctx, w)
}

func (f *follower) drain(ctx context.Context, w watch.Interface) error {
	for got := false; ; got = true {
		var e watch.Event
		var open bool
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e, open = <-w.ResultChan():
		}
		if !open {
			if got {
				return nil
			}
			return errWatchEnded
		}
		u, ok := e.Object.(*unstructured.Unstructured)
		if e.Type == watch.Error || !ok {
			err := apierrors.FromObject(e.Object)
			f.version = ""
			if lost(err) {
				return nil
			}
			return err
		}
		f.version = u.GetResourceVersion()
		switch e.Type { //nolint:exhaustive // a bookmark moves the version only; errors are handled above
		case watch.Added, watch.Modified:
			f.observer.Set(u)
		case watch.Deleted:
			f.observer.Remove(u)
		}
	}
}

var errWatchEnded = apierrors.NewServiceUnavailable("the watch ended at once")

// lost tells whether the version that a watch starts from is too old.
func lost(err error) bool {
	return apierrors.IsResourceExpired(err) || apierrors.IsGone(err)
}

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
