//go:build api

package deployer_test

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/object"
)

// TestAutoscaler: a fixed number is left to an autoscaler without a fall to one replica on the way, and a new release
// begins with the least.
func TestAutoscaler(t *testing.T) {
	t.Parallel()
	deployment := object.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Name: "shop"}
	replicas := func(p *place) int64 {
		t.Helper()
		n, _, err := unstructured.NestedInt64(p.get(deployment).Object, "spec", "replicas")
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	t.Run("from a fixed number", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t)
		p.deploy("{replicas: 4}")
		before := p.get(deployment)
		p.deploy("{replicas: {min: 2, max: 6, cpu: 60}}")
		if n := replicas(p); n != 4 {
			t.Errorf("%d replicas after the autoscaler took over from 4", n)
		}
		if was, is := before.GetGeneration(), p.get(deployment).GetGeneration(); is != was {
			t.Errorf("generation %d, then %d: the number was changed on the way", was, is)
		}
		p.get(object.Ref{Group: "autoscaling", Version: "v2", Kind: "HorizontalPodAutoscaler", Name: "shop"})
	})
	t.Run("new", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t)
		p.deploy("{replicas: {min: 3, max: 6, cpu: 60}}")
		for deadline := time.Now().Add(10 * time.Second); replicas(p) != 3; time.Sleep(100 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d replicas, want the least: 3", replicas(p))
			}
		}
	})
}
