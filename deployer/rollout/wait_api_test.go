//go:build api

package rollout_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/rollout"
)

// lab is a namespace of a real API server, where a goroutine plays the kubelet.
type lab struct {
	t         *testing.T
	kube      kubernetes.Interface
	client    *cluster.Client
	namespace string
}

func newLab(t *testing.T, labels map[string]string) *lab {
	t.Helper()
	file := os.Getenv("KUBECONFIG")
	if file == "" {
		t.Fatal("KUBECONFIG names no API server: run make test-api")
	}
	config, err := clientcmd.BuildConfigFromFlags("", file)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	l := &lab{t: t, kube: kubernetes.NewForConfigOrDie(config)}
	if l.client, err = cluster.Connect(cluster.Config{Kubeconfig: file}); err != nil {
		t.Fatal(err)
	}
	ns, err := l.kube.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "t-", Labels: labels}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	l.namespace = ns.Name
	t.Cleanup(func() {
		_ = l.kube.CoreV1().Namespaces().Delete(context.Background(), ns.Name, metav1.DeleteOptions{})
	})
	return l
}

// deploy makes a Deployment of two pods that no scheduler looks at.
func (l *lab) deploy(change func(*corev1.PodSpec)) int64 {
	l.t.Helper()
	two, labels := int32(2), map[string]string{"app": "shop"}
	spec := corev1.PodSpec{SchedulerName: "none", Containers: []corev1.Container{{Name: "gateway", Image: "r.example/shop:1"}}}
	if change != nil {
		change(&spec)
	}
	d, err := l.kube.AppsV1().Deployments(l.namespace).Create(l.t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "shop"},
		Spec: appsv1.DeploymentSpec{
			Replicas: &two, Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: spec},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		l.t.Fatal(err)
	}
	return d.Generation
}

// expose makes the Service of the Deployment.
func (l *lab) expose(selector map[string]string) {
	l.t.Helper()
	_, err := l.kube.CoreV1().Services(l.namespace).Create(l.t.Context(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "shop"},
		Spec:       corev1.ServiceSpec{Selector: selector, Ports: []corev1.ServicePort{{Name: "http", Port: 8080}}},
	}, metav1.CreateOptions{})
	if err != nil {
		l.t.Fatal(err)
	}
}

// kubelet gives every pod that comes the status that play says.
func (l *lab) kubelet(ctx context.Context, play func(*corev1.PodStatus)) {
	pods := l.kube.CoreV1().Pods(l.namespace)
	w, err := pods.Watch(ctx, metav1.ListOptions{})
	if err != nil {
		l.t.Error(err)
		return
	}
	var all sync.WaitGroup
	all.Go(func() {
		for e := range w.ResultChan() {
			p, ok := e.Object.(*corev1.Pod)
			if !ok || e.Type != watch.Added {
				continue
			}
			play(&p.Status)
			if _, err := pods.UpdateStatus(ctx, p, metav1.UpdateOptions{}); err != nil && ctx.Err() == nil {
				l.t.Error(err)
			}
		}
	})
	l.t.Cleanup(func() { w.Stop(); all.Wait() })
}

func (l *lab) wait(generation int64, seen func(rollout.View)) (rollout.Verdict, time.Duration, error) {
	ctx, cancel := context.WithTimeout(l.t.Context(), 40*time.Second)
	defer cancel()
	begun := time.Now()
	v, err := rollout.Wait(ctx, l.client, rollout.Options{
		Namespace: l.namespace, Deployment: "shop", Selector: "app=shop", Generation: generation, Now: time.Now, Seen: seen,
	})
	return v, time.Since(begun), err
}

func ready(s *corev1.PodStatus) {
	s.Phase, s.PodIP, s.PodIPs = corev1.PodRunning, "10.1.2.3", []corev1.PodIP{{IP: "10.1.2.3"}}
	s.Conditions = append(s.Conditions, corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionTrue})
	s.ContainerStatuses = []corev1.ContainerStatus{{
		Name: "gateway", Image: "r.example/shop:1", ImageID: "sha256:abc", Ready: true,
		State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}},
	}}
}

// TestWaitComplete: the rollout is seen to complete, with its tree and its replicas.
func TestWaitComplete(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.node()
	l.expose(map[string]string{"app": "shop"})
	l.kubelet(t.Context(), ready)
	parents, states := map[string]string{}, map[string]event.State{}
	v, _, err := l.wait(l.deploy(l.bound), func(view rollout.View) {
		kind, _, _ := strings.Cut(view.Object, "/")
		parent, _, _ := strings.Cut(view.Parent, "/")
		parents[kind], states[kind] = parent, view.State
	})
	if err != nil || v.Phase != rollout.Complete || v.Ready != 2 || len(v.Pods) != 2 || v.Pods[0].ImageID != "sha256:abc" {
		t.Fatalf("%+v, %v", v, err)
	}
	if parents["Pod"] != "ReplicaSet" || parents["ReplicaSet"] != "Deployment" || states["Deployment"] != event.Ready {
		t.Errorf("parents %v, states %v", parents, states)
	}
}

// TestWaitFails: what a kubelet, the quota, PodSecurity and admission say becomes one cause, well before any time-out.
func TestWaitFails(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		labels  map[string]string
		prepare func(*lab)
		spec    func(*corev1.PodSpec)
		play    func(*corev1.PodStatus)
		code    string
	}{
		"config refused": {
			play: func(s *corev1.PodStatus) {
				s.ContainerStatuses = []corev1.ContainerStatus{{
					Name: "gateway", Image: "x", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 3, Reason: "Error"}},
				}}
			}, code: "config-refused",
		},
		"image": {
			play: func(s *corev1.PodStatus) {
				s.ContainerStatuses = []corev1.ContainerStatus{{
					Name: "gateway", Image: "r.example/shop:1", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ErrImagePull", Message: "not found"}},
				}}
			}, code: "image-pull",
		},
		"quota": {prepare: func(l *lab) {
			_, err := l.kube.CoreV1().ResourceQuotas(l.namespace).Create(l.t.Context(), &corev1.ResourceQuota{
				ObjectMeta: metav1.ObjectMeta{Name: "q"}, Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{"pods": resource.MustParse("0")}},
			}, metav1.CreateOptions{})
			if err != nil {
				l.t.Fatal(err)
			}
			time.Sleep(time.Second) // until the quota controller has counted
		}, code: "quota"},
		"pod security":    {labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}, code: "pod-security"},
		"service account": {spec: func(s *corev1.PodSpec) { s.ServiceAccountName = "nobody" }, code: "service-account"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, c.labels)
			if c.prepare != nil {
				c.prepare(l)
			}
			if c.play != nil {
				l.kubelet(t.Context(), c.play)
			}
			v, took, err := l.wait(l.deploy(c.spec), nil)
			if err != nil || v.Phase != rollout.Failed || v.Causes[0].Code != c.code {
				t.Fatalf("%v; %+v; waiting %+v", err, v.Causes, v.Waiting)
			}
			if took > 15*time.Second {
				t.Errorf("the verdict took %s", took)
			}
		})
	}
}

// TestWaitEnds: the end of the context ends the wait, with what was still missing.
func TestWaitEnds(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	generation := l.deploy(nil)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	v, err := rollout.Wait(ctx, l.client, rollout.Options{Namespace: l.namespace, Deployment: "shop", Selector: "app=shop", Generation: generation, Now: time.Now})
	if !errors.Is(err, context.DeadlineExceeded) || v.Phase != rollout.Progressing || v.Wanted != 2 {
		t.Errorf("%v, %+v", err, v)
	}
}
