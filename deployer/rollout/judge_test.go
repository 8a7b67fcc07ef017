package rollout_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"egk8s.dev/egk8s/deployer/rollout"
)

// start is when every rollout of these tests began.
var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func at(d time.Duration) metav1.Time { return metav1.NewTime(start.Add(d)) }

// scene is a Deployment of two replicas whose second template is rolled out: one old pod serves, one
// new pod is as the case says.
type scene struct{ rollout.Snapshot }

func owner(kind, name string, uid types.UID) []metav1.OwnerReference {
	yes := true
	return []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: kind, Name: name, UID: uid, Controller: &yes}}
}

func newScene(after time.Duration, change ...func(*scene)) *rollout.Snapshot {
	two := int32(2)
	s := &scene{rollout.Snapshot{Now: start.Add(after), Generation: 2, Since: map[string]time.Time{}}}
	s.Deployment = &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "shop", Namespace: "n", UID: "d", Generation: 2, Annotations: map[string]string{"deployment.kubernetes.io/revision": "2"}},
		Spec:       appsv1.DeploymentSpec{Replicas: &two},
		Status:     appsv1.DeploymentStatus{ObservedGeneration: 2, Replicas: 3, UpdatedReplicas: 1, AvailableReplicas: 2},
	}
	for i, name := range []string{"shop-old", "shop-new"} {
		s.ReplicaSets = append(s.ReplicaSets, &appsv1.ReplicaSet{
			ObjectMeta: metav1.ObjectMeta{
				Name: name, UID: types.UID(name), OwnerReferences: owner("Deployment", "shop", "d"),
				Annotations: map[string]string{"deployment.kubernetes.io/revision": fmt.Sprint(i + 1)},
			},
			Spec: appsv1.ReplicaSetSpec{Replicas: &two}, Status: appsv1.ReplicaSetStatus{Replicas: 1, ReadyReplicas: int32(1 - i)},
		})
		s.Pods = append(s.Pods, &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name + "-a", UID: types.UID(name + "-a"), CreationTimestamp: at(0), OwnerReferences: owner("ReplicaSet", name, types.UID(name))},
			Spec:       corev1.PodSpec{NodeName: "node-1"},
			Status: corev1.PodStatus{
				ContainerStatuses: []corev1.ContainerStatus{{Name: "gateway", Image: "r.example/shop:1"}},
				Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionStatus(map[bool]string{true: "True", false: "False"}[i == 0])}},
			},
		})
	}
	for _, c := range change {
		c(s)
	}
	return &s.Snapshot
}

// pod is the new pod; status its container's.
func (s *scene) pod() *corev1.Pod                { return s.Pods[1] }
func (s *scene) status() *corev1.ContainerStatus { return &s.pod().Status.ContainerStatuses[0] }

func waiting(reason, message string) func(*scene) {
	return func(s *scene) {
		s.status().State.Waiting = &corev1.ContainerStateWaiting{Reason: reason, Message: message}
	}
}

func exited(code int32, reason string, restarts int32) func(*scene) {
	return func(s *scene) {
		end := &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason}
		s.status().RestartCount = restarts
		if restarts > 0 {
			s.status().LastTerminationState.Terminated = end
			s.status().State.Waiting = &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}
			return
		}
		s.status().State.Terminated = end
	}
}

func running(since time.Duration, restarts int32) func(*scene) {
	return func(s *scene) {
		s.status().State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: at(since)}}
		s.status().RestartCount = restarts
	}
}

func told(reason, message string, when time.Duration) func(*scene) {
	return func(s *scene) {
		s.Events = append(s.Events, &corev1.Event{
			ObjectMeta:     metav1.ObjectMeta{UID: types.UID(fmt.Sprint(len(s.Events)))},
			InvolvedObject: corev1.ObjectReference{Kind: "Pod", Name: s.pod().Name, UID: s.pod().UID},
			Type:           "Warning", Reason: reason, Message: message, LastTimestamp: at(when), Count: 1,
		})
	}
}

func unschedulable(message string) func(*scene) {
	return func(s *scene) {
		s.pod().Spec.NodeName = ""
		s.pod().Status.ContainerStatuses = nil
		s.pod().Status.Conditions = append(s.pod().Status.Conditions, corev1.PodCondition{
			Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: message, LastTransitionTime: at(0),
		})
	}
}

func noPods(message string) func(*scene) {
	return func(s *scene) {
		s.Pods = s.Pods[:1]
		s.ReplicaSets[1].Status.Conditions = []appsv1.ReplicaSetCondition{{
			Type: appsv1.ReplicaSetReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: message, LastTransitionTime: at(0),
		}}
	}
}

func leaving(s *scene) {
	now := at(0)
	s.Pods[0].DeletionTimestamp = &now
}

// TestBroken: what cannot become well is called so, by its first cause.
func TestBroken(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		snapshot *rollout.Snapshot
		code     string
		says     string // part of the message
	}{
		"the gateway refuses its config, at its first exit": {newScene(time.Second, exited(3, "Error", 0)), "config-refused", "refuses its configuration"},
		"a container that ended twice":                      {newScene(time.Second, exited(1, "Error", 1)), "crash-loop", "exit code 1"},
		"a container that ends well instead of serving":     {newScene(time.Second, exited(0, "Completed", 2)), "crash-loop", "ends by itself"},
		"out of memory twice":                               {newScene(time.Second, exited(137, "OOMKilled", 1)), "out-of-memory", "memory"},
		"killed for its liveness probe": {
			newScene(time.Minute, exited(137, "Error", 1), told("Unhealthy", "Liveness probe failed: timeout", time.Second)), "probe-failed", "Liveness probe failed",
		},
		"an image that does not exist": {seen(newScene(5*time.Second, waiting("ErrImagePull", `"r.example/shop:1": not found`))), "image-pull", "does not exist"},
		"an image behind a login":      {seen(newScene(5*time.Second, waiting("ErrImagePull", "401 Unauthorized"))), "image-pull", "does not let the node pull"},
		"a back-off, explained by the event before it": {
			seen(newScene(5*time.Second, waiting("ImagePullBackOff", "Back-off pulling image"), told("Failed", `Failed to pull image "x": not found`, 0))), "image-pull", "does not exist",
		},
		"a registry that stays silent":      {seen(newScene(46*time.Second, waiting("ImagePullBackOff", "dial tcp: i/o timeout"))), "image-pull", "i/o timeout"},
		"an image for another processor":    {newScene(0, waiting("ErrImagePull", "no match for platform in manifest")), "wrong-platform", "processor"},
		"an image name that is none":        {newScene(0, waiting("InvalidImageName", "")), "image-name", "not valid"},
		"an image that may not be pulled":   {newScene(0, waiting("ErrImageNeverPull", "")), "image-pull", "not on the node"},
		"a Secret that is not there":        {seen(newScene(9*time.Second, waiting("CreateContainerConfigError", `secret "s" not found`))), "missing-key", `secret "s" not found`},
		"a Secret without the key":          {seen(newScene(9*time.Second, waiting("CreateContainerConfigError", "couldn't find key k in Secret n/s"))), "missing-key", "couldn't find key"},
		"a volume from a Secret not there":  {seen(newScene(11*time.Second, waiting("ContainerCreating", ""), told("FailedMount", `MountVolume.SetUp failed for volume "x" : secret "tls" not found`, 0))), "volume", `Secret "tls"`},
		"no node is big enough":             {newScene(11*time.Second, unschedulable("0/2 nodes are available: 2 Insufficient cpu.")), "unschedulable", "Insufficient cpu"},
		"no node, and none will be added":   {newScene(4*time.Second, unschedulable("0/2 nodes are available"), told("NotTriggerScaleUp", "", 0)), "unschedulable", "no node"},
		"the quota is used up":              {newScene(9*time.Second, noPods(`pods "x" is forbidden: exceeded quota: q, requested: pods=1`)), "quota", "exceeded quota"},
		"PodSecurity refuses":               {newScene(0, noPods(`pods "x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot`)), "pod-security", "violates PodSecurity"},
		"a LimitRange refuses":              {newScene(0, noPods(`pods "x" is forbidden: maximum memory usage per Container is 64Mi`)), "limit-range", "64Mi"},
		"a webhook refuses":                 {newScene(4*time.Second, noPods(`admission webhook "w" denied the request: no`)), "webhook", "denied the request"},
		"the service account is gone":       {newScene(7*time.Second, noPods(`pods "x" is forbidden: error looking up service account n/shop: serviceaccount "shop" not found`)), "service-account", "not found"},
		"readiness says no for a minute":    {newScene(61*time.Second, running(0, 0), told("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", 60*time.Second)), "probe-failed", "503"},
		"the program cannot be started":     {newScene(time.Second, exited(128, "StartError", 1)), "start-failed", "cannot be started"},
		"the deadline passed, why is known": {newScene(700*time.Second, deadline, told("Pulling", "", 0), waiting("ImagePullBackOff", "connection reset by peer")), "image-pull", "connection reset"},
		"the deadline passed":               {newScene(700*time.Second, deadline), "progress-deadline", "no progress"},
		"paused by hand":                    {seen(newScene(6*time.Second, func(s *scene) { s.Deployment.Spec.Paused = true })), "paused", "paused"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := rollout.Judge(c.snapshot)
			if v.Phase != rollout.Failed || len(v.Causes) == 0 {
				t.Fatalf("not called broken; waiting for %v", v.Waiting)
			}
			if v.Causes[0].Code != c.code || !strings.Contains(v.Causes[0].Message, c.says) {
				t.Errorf("cause %s: %q, want %s with %q", v.Causes[0].Code, v.Causes[0].Message, c.code, c.says)
			}
			if want := "1 old replica is still serving"; v.Causes[0].Serving != want && !strings.Contains(name, "old") {
				t.Errorf("serving %q, want %q", v.Causes[0].Serving, want)
			}
		})
	}
}

func deadline(s *scene) {
	s.Deployment.Status.Conditions = []appsv1.DeploymentCondition{{
		Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ProgressDeadlineExceeded",
	}}
}

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

// seen makes every mark of the snapshot old: it was there at the start.
func seen(s *rollout.Snapshot) *rollout.Snapshot {
	for _, m := range rollout.Judge(s).Marks {
		s.Since[m] = start
	}
	return s
}

// TestSlow: what may still become well is not called broken.
func TestSlow(t *testing.T) {
	t.Parallel()
	cases := map[string]*rollout.Snapshot{
		"nothing of the new template yet":             newScene(0, func(s *scene) { s.Pods, s.ReplicaSets = s.Pods[:1], s.ReplicaSets[:1] }),
		"a big image, pulled for four minutes":        newScene(4*time.Minute, waiting("ContainerCreating", ""), told("Pulling", "Pulling image", 0)),
		"a registry that failed once":                 newScene(time.Second, waiting("ErrImagePull", "dial tcp: i/o timeout")),
		"a registry that is silent for half a minute": seen(newScene(30*time.Second, waiting("ImagePullBackOff", "dial tcp: i/o timeout"))),
		"a container that ended once":                 newScene(time.Minute, exited(1, "Error", 0)),
		"a container that runs again":                 newScene(time.Minute, running(30*time.Second, 3)),
		"a gateway that takes half a minute":          newScene(30*time.Second, running(0, 0), told("Unhealthy", "Readiness probe failed", 29*time.Second)),
		"a Secret that another tool makes":            seen(newScene(5*time.Second, waiting("CreateContainerConfigError", `secret "s" not found`))),
		"a node that is being added":                  newScene(5*time.Minute, unschedulable("0/2 nodes are available"), told("TriggeredScaleUp", "", 0)),
		"room that old pods still hold":               newScene(30*time.Second, unschedulable("Insufficient cpu"), leaving),
		"quota that old pods still hold":              newScene(30*time.Second, noPods("exceeded quota"), leaving),
		"pods that cannot be scheduled this second":   newScene(2*time.Second, unschedulable("Insufficient cpu")),
		"an old pod that crashes": newScene(time.Minute, func(s *scene) {
			s.Pods[0].Status.ContainerStatuses[0].RestartCount = 9
			s.Pods[0].Status.ContainerStatuses[0].State.Waiting = &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}
			s.Pods[0].Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 1}
		}),
		"a failing pod of a template that is not seen yet": newScene(time.Second, exited(3, "Error", 2), func(s *scene) { s.Deployment.Generation = 3 }),
		"a failing pod that is leaving": newScene(time.Second, exited(3, "Error", 2), func(s *scene) {
			now := at(0)
			s.pod().DeletionTimestamp = &now
		}),
		"a deadline that passed for the template before": newScene(0, deadline, func(s *scene) { s.Deployment.Generation = 3 }),
	}
	for name, snapshot := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if v := rollout.Judge(snapshot); v.Phase != rollout.Progressing {
				t.Errorf("phase %v, causes %+v", v.Phase, v.Causes)
			}
		})
	}
}

// TestComplete: the rollout is complete when every replica is new, ready and available, and no old
// one is left.
func TestComplete(t *testing.T) {
	t.Parallel()
	done := func(s *scene) {
		s.Deployment.Status = appsv1.DeploymentStatus{ObservedGeneration: 2, Replicas: 2, UpdatedReplicas: 2, ReadyReplicas: 2, AvailableReplicas: 2}
		s.ReplicaSets[1].Status.ReadyReplicas = 2
		s.pod().Status.Conditions[0].Status = corev1.ConditionTrue
		s.pod().Status.PodIP = "10.0.0.7"
		second := s.pod().DeepCopy()
		second.Name, second.UID, second.Status.PodIP = "shop-new-b", "second", "10.0.0.8"
		s.Pods = append(s.Pods[1:], second)
	}
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
