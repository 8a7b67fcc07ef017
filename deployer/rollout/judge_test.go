package rollout_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"egk8s.dev/egk8s/deployer/rollout"
)

// TestBefore: what was wrong before the rollout began proves nothing about it.
func TestBefore(t *testing.T) {
	t.Parallel()
	begun := func(s *scene) {
		s.Begun, s.Before = start.Add(time.Minute), map[types.UID]int32{s.pod().UID: 4}
	}
	cases := map[string]struct {
		snapshot *rollout.Snapshot
		want     rollout.Phase
	}{
		"a crash loop of before":            {newScene(62*time.Second, exited(1, "Error", 4), begun), rollout.Progressing},
		"the config refused before":         {newScene(62*time.Second, exited(3, "Error", 4), begun), rollout.Progressing},
		"a further crash":                   {newScene(62*time.Second, exited(1, "Error", 5), begun), rollout.Failed},
		"not ready for long":                {newScene(62*time.Second, running(0, 0), told("Unhealthy", "503", 61*time.Second), begun), rollout.Progressing},
		"not ready for long since":          {newScene(121*time.Second, running(0, 0), told("Unhealthy", "503", 119*time.Second), begun), rollout.Failed},
		"a deadline that passed before":     {newScene(62*time.Second, deadline, begun), rollout.Progressing},
		"no image, as before":               {seen(newScene(62*time.Second, waiting("ImagePullBackOff", "not found"), begun)), rollout.Progressing},
		"no image, and not after a while":   {seen(newScene(65*time.Second, waiting("ImagePullBackOff", "not found"), begun)), rollout.Failed},
		"no node, and none for a while yet": {newScene(62*time.Second, unschedulable("0/2 nodes are available"), begun), rollout.Progressing},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if v := rollout.Judge(c.snapshot); v.Phase != c.want {
				t.Errorf("phase %v, want %v; causes %v, waiting %v", v.Phase, c.want, v.Causes, v.Waiting)
			}
		})
	}
}

// TestAlike: what two pods suffer from alike is one cause, also while it is proven for one only.
func TestAlike(t *testing.T) {
	t.Parallel()
	twin := func(s *scene) {
		p := s.pod().DeepCopy()
		p.Name, p.UID = "shop-new-b", "shop-new-b"
		s.Pods = append(s.Pods, p)
	}
	missing := waiting("ErrImagePull", `"r.example/shop:1": not found`)
	both := seen(newScene(5*time.Second, missing, twin))
	one := seen(newScene(5*time.Second, missing, twin))
	delete(one.Since, "shop-new-b/gateway/image")
	for name, s := range map[string]*rollout.Snapshot{"both proven": both, "one proven": one} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := rollout.Judge(s)
			if len(v.Causes) != 1 || v.Causes[0].Pods != 2 || v.Causes[0].OfPods != 2 {
				t.Errorf("causes %+v, want one of 2 of 2 pods", v.Causes)
			}
		})
	}
}

// TestComplete: the rollout is complete when every replica is new, ready and available, and no old
// one is left.
func TestComplete(t *testing.T) {
	t.Parallel()
	done := allReady
	v := rollout.Judge(newScene(0, done))
	if v.Phase != rollout.Complete || v.Ready != 2 || v.Wanted != 2 {
		t.Errorf("%+v", v)
	}
	want := []rollout.Replica{
		{Name: "shop-new-a", IP: "10.0.0.7", Node: "node-1", Image: "r.example/shop:1"},
		{Name: "shop-new-b", IP: "10.0.0.8", Node: "node-1", Image: "r.example/shop:1"},
	}
	if d := cmp.Diff(want, v.Pods); d != "" {
		t.Error(d)
	}
	for name, change := range map[string]func(*scene){
		"a pod is not seen yet":  func(s *scene) { s.Pods = s.Pods[:1] },
		"an old replica is left": func(s *scene) { s.Deployment.Status.Replicas = 3 },
		"one is not available":   func(s *scene) { s.Deployment.Status.AvailableReplicas = 1 },
		"the change is not seen": func(s *scene) { s.Deployment.Status.ObservedGeneration = 1 },
		"the apply is not seen":  func(s *scene) { s.Generation = 3 },
	} {
		if v := rollout.Judge(newScene(0, done, change)); v.Phase != rollout.Progressing {
			t.Errorf("%s: phase %v", name, v.Phase)
		}
	}
}

// TestEventsOfASecond: events carry whole seconds; their order is their names' then, however a watch
// delivers them.
func TestEventsOfASecond(t *testing.T) {
	t.Parallel()
	for _, order := range [][]int{{0, 1}, {1, 0}} {
		s := newScene(time.Second, waiting("ContainerCreating", ""), told("Pulling", "", 0), told("Pulled", "", 0))
		s.Events[0].Name, s.Events[1].Name = "shop-new-a.18a1", "shop-new-a.18a2"
		s.Events = []*corev1.Event{s.Events[order[0]], s.Events[order[1]]}
		for _, v := range rollout.Judge(s).Views {
			if v.Object == "Pod/shop-new-a" && v.Message != "starting" {
				t.Errorf("%v: %q, want starting: the image is there", order, v.Message)
			}
		}
	}
}

// TestTree: every view has its parent, and states that a person can read.
func TestTree(t *testing.T) {
	t.Parallel()
	var got []string
	for _, v := range rollout.Judge(newScene(time.Second, waiting("ContainerCreating", ""), told("Pulling", "", 0))).Views {
		got = append(got, fmt.Sprintf("%s < %s: %s %s", v.Object, v.Parent, v.State, v.Message))
	}
	want := []string{
		"Deployment/shop < : progressing ",
		"ReplicaSet/shop-new < Deployment/shop: progressing new",
		"Pod/shop-new-a < ReplicaSet/shop-new: progressing pulling image",
		"ReplicaSet/shop-old < Deployment/shop: ready old",
		"Pod/shop-old-a < ReplicaSet/shop-old: ready ",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
