//go:build api

package deployer_test

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"regexp"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

var discardLog = log.New(io.Discard, "", 0)

// kubelet plays the nodes for one namespace: every pod runs and is ready at once, gateways say that they have
// loaded what their pod template asks for, and probers that all their requests were answered. What is deployed is
// thereby taken for healthy; whether it is, only the tests on real nodes can tell.
type kubelet struct {
	kube      kubernetes.Interface
	namespace string
}

func newKubelet(t *testing.T, kube kubernetes.Interface, namespace string) *kubelet {
	t.Helper()
	k := &kubelet{kube: kube, namespace: namespace}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			k.watch(ctx)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return k
}

func (k *kubelet) watch(ctx context.Context) {
	w, err := k.kube.CoreV1().Pods(k.namespace).Watch(ctx, metav1.ListOptions{})
	if err != nil {
		return
	}
	defer w.Stop()
	for e := range w.ResultChan() {
		if pod, ok := e.Object.(*corev1.Pod); ok && pod.DeletionTimestamp == nil && !runs(pod) {
			run(pod)
			_, err := k.kube.CoreV1().Pods(k.namespace).UpdateStatus(ctx, pod, metav1.UpdateOptions{})
			if err == nil { // a conflict comes back as an event
				k.stand(ctx, pod)
			}
		}
	}
}

// stand puts a pod behind its Service: the controller of the EndpointSlices wants a Node for that.
func (k *kubelet) stand(ctx context.Context, pod *corev1.Pod) {
	var ports []discovery.EndpointPort
	for _, c := range pod.Spec.Containers {
		for _, p := range c.Ports { // the ports of the Service have the names of those that they lead to
			ports = append(ports, discovery.EndpointPort{Name: &p.Name, Port: &p.ContainerPort})
		}
	}
	ready := true
	_, _ = k.kube.DiscoveryV1().EndpointSlices(k.namespace).Create(ctx, &discovery.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Name: pod.Name, Labels: map[string]string{discovery.LabelServiceName: pod.Labels["app.kubernetes.io/instance"]},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID}},
		},
		AddressType: discovery.AddressTypeIPv4,
		Endpoints:   []discovery.Endpoint{{Addresses: []string{pod.Status.PodIP}, Conditions: discovery.EndpointConditions{Ready: &ready}}},
		Ports:       ports,
	}, metav1.CreateOptions{})
}

func runs(p *corev1.Pod) bool {
	scheduled, ready := false, false
	for _, c := range p.Status.Conditions {
		scheduled = scheduled || c.Type == corev1.PodScheduled && c.Status == corev1.ConditionTrue
		ready = ready || c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	}
	return scheduled && ready
}

func run(p *corev1.Pod) {
	s, now := &p.Status, metav1.Now()
	s.Phase, s.PodIP, s.PodIPs, s.StartTime = corev1.PodRunning, "10.1.2.3", []corev1.PodIP{{IP: "10.1.2.3"}}, &now
	s.Conditions = []corev1.PodCondition{
		{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: now},
		{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: now},
	}
	s.ContainerStatuses = nil
	for _, c := range p.Spec.Containers {
		started := true
		s.ContainerStatuses = append(s.ContainerStatuses, corev1.ContainerStatus{
			Name: c.Name, Image: c.Image, ImageID: "sha256:abc", Ready: true, Started: &started,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
		})
	}
}

var (
	statusPath = regexp.MustCompile(`^/api/v1/namespaces/[^/]+/pods/([^/:]+):\d+/proxy/egk8s/status$`)
	logPath    = regexp.MustCompile(`^/api/v1/namespaces/[^/]+/pods/([^/]+)/log$`)
)

// answer answers what only a pod can; false: the request is the API server's.
func (k *kubelet) answer(w http.ResponseWriter, r *http.Request) bool {
	if m := statusPath.FindStringSubmatch(r.URL.Path); m != nil {
		k.status(w, r, m[1])
		return true
	}
	if m := logPath.FindStringSubmatch(r.URL.Path); m != nil {
		k.log(w, r, m[1])
		return true
	}
	return false
}

func (k *kubelet) status(w http.ResponseWriter, r *http.Request, name string) {
	pod, err := k.kube.CoreV1().Pods(k.namespace).Get(r.Context(), name, metav1.GetOptions{})
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, "ServiceUnavailable", err.Error())
		return
	}
	_, _ = w.Write(loaded(pod))
}

// loaded is what a gateway says that has loaded what its template asks for.
func loaded(pod *corev1.Pod) []byte {
	digest := ""
	for _, c := range pod.Spec.Containers {
		for _, e := range c.Env {
			if e.Name == "EGK8S_CONFIG_DIGEST" {
				digest = e.Value
			}
		}
	}
	raw, _ := json.Marshal(map[string]any{"version": "test", "loadedDigest": digest, "expectedDigest": digest})
	return raw
}

// log is that of a prober whose requests were all answered.
func (k *kubelet) log(w http.ResponseWriter, r *http.Request, name string) {
	secret, err := k.kube.CoreV1().Secrets(k.namespace).Get(r.Context(), name, metav1.GetOptions{})
	if err != nil {
		refuse(w, http.StatusNotFound, "NotFound", err.Error())
		return
	}
	var spec struct {
		Config   string `json:"config"`
		Requests []struct {
			ID  string `json:"id"`
			URL string `json:"url"`
		} `json:"requests"`
	}
	_ = json.Unmarshal(secret.Data["spec.json"], &spec)
	out := json.NewEncoder(w)
	for _, q := range spec.Requests {
		answer := map[string]any{"id": q.ID, "attempt": 1, "status": 200, "by": "gateway", "config": spec.Config, "final": true}
		if strings.HasSuffix(q.URL, "/egk8s/status") { // a pod that did not answer through the API server
			if pod, err := k.kube.CoreV1().Pods(k.namespace).Get(r.Context(), q.ID, metav1.GetOptions{}); err == nil {
				answer["body"] = string(loaded(pod))
			}
		}
		_ = out.Encode(answer)
	}
	_ = out.Encode(map[string]any{"end": true})
}
