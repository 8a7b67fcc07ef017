package render_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"egk8s.dev/egk8s/deployer/project"
)

// decode reads an object strictly, as the API server does.
func decode(t *testing.T, object map[string]any, into any) {
	t.Helper()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object, into, true); err != nil {
		t.Fatal(err)
	}
}

func TestPodOfTheProject(t *testing.T) {
	t.Parallel()
	in := newTestInput(t, "generic")
	spec := &in.Project.Spec
	spec.Labels = map[string]string{"team": "web"}
	spec.Pod = project.Pod{
		Labels: map[string]string{"tier": "edge"}, Annotations: map[string]string{"x.test/y": "z"}, NodeSelector: map[string]string{"disk": "ssd"},
		Tolerations: []map[string]any{{"key": "a", "operator": "Exists", "tolerationSeconds": int64(5)}}, PriorityClassName: "high",
		Affinity: map[string]any{"podAntiAffinity": map[string]any{}},
		Volumes: []project.Volume{
			{Name: "data", MountPath: "/data", ReadOnly: true, Source: map[string]any{"configMap": map[string]any{"name": "d"}}},
			{Name: "tmp", MountPath: "/tmp", Source: map[string]any{"emptyDir": map[string]any{}}},
		},
	}
	spec.TrustedCAs = project.CABundle{ConfigMap: "corp", Key: "bundle.pem"}
	spec.NetworkPolicy = project.NetworkPolicy{Enabled: true, From: []map[string]any{{"podSelector": map[string]any{}}}, Egress: []map[string]any{{}}}
	r := mustRender(t, in)
	for _, o := range append(r.Objects, r.Config...) {
		if o.GetLabels()["team"] != "web" || o.GetLabels()["app.kubernetes.io/part-of"] != "egk8s" {
			t.Errorf("%s %s: labels %v", o.GetKind(), o.GetName(), o.GetLabels())
		}
	}
	var d appsv1.Deployment
	decode(t, find(t, r.Objects, "Deployment", "shop"), &d)
	pod := d.Spec.Template
	if pod.Labels["tier"] != "edge" || pod.Labels["team"] != "web" || pod.Annotations["x.test/y"] != "z" || d.Spec.Selector.MatchLabels["tier"] != "" {
		t.Errorf("labels %v, annotations %v, selector %v", pod.Labels, pod.Annotations, d.Spec.Selector.MatchLabels)
	}
	seconds := int64(5)
	want := corev1.PodSpec{
		NodeSelector: spec.Pod.NodeSelector, PriorityClassName: "high",
		Tolerations: []corev1.Toleration{{Key: "a", Operator: corev1.TolerationOpExists, TolerationSeconds: &seconds}},
		Affinity:    &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{}},
	}
	got := corev1.PodSpec{
		NodeSelector: pod.Spec.NodeSelector, PriorityClassName: pod.Spec.PriorityClassName, Tolerations: pod.Spec.Tolerations, Affinity: pod.Spec.Affinity,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	mounts, volumes := map[string]string{}, map[string]corev1.Volume{}
	for _, m := range pod.Spec.Containers[0].VolumeMounts {
		mounts[m.Name] = m.MountPath
	}
	for _, v := range pod.Spec.Volumes {
		volumes[v.Name] = v
	}
	if mounts["data"] != "/data" || mounts["tmp"] != "/tmp" || mounts["trusted-cas"] != project.PodCADir {
		t.Errorf("mounts %v", mounts)
	}
	if volumes["data"].ConfigMap == nil || volumes["tmp"].EmptyDir == nil || volumes["trusted-cas"].Projected.Sources[0].ConfigMap.Items[0].Key != "bundle.pem" {
		t.Errorf("volumes %v", volumes)
	}
	found := false
	for _, e := range pod.Spec.Containers[0].Env {
		found = found || e.Name == "SSL_CERT_DIR" && e.Value == project.PodCADir
	}
	if !found {
		t.Error("the bundle is not named to the gateway")
	}
	var policy networkingv1.NetworkPolicy
	decode(t, find(t, r.Objects, "NetworkPolicy", "shop"), &policy)
	if n := len(policy.Spec.Ingress); n != 2 || len(policy.Spec.Ingress[0].From) != 2 || len(policy.Spec.Egress) != 1 || policy.Spec.PodSelector.MatchLabels["app.kubernetes.io/instance"] != "shop" {
		t.Errorf("policy %+v", policy.Spec)
	}
}
