//go:build api

package rollout_test

import (
	"context"
	"strings"
	"testing"
	"time"

	admission "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"egk8s.dev/egk8s/deployer/rollout"
)

// here selects the lab's namespace in what is made for the whole cluster.
func (l *lab) here() *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: l.namespace}}
}

func (l *lab) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// deadWebhook makes a webhook that must be asked about pods and that nobody serves.
func (l *lab) deadWebhook() {
	l.t.Helper()
	fail, none, url, seconds := admission.Fail, admission.SideEffectClassNone, "https://127.0.0.1:1/", int32(1)
	hooks := l.kube.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	_, err := hooks.Create(l.t.Context(), &admission.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: l.namespace},
		Webhooks: []admission.ValidatingWebhook{{
			Name: "dead.example.com", FailurePolicy: &fail, SideEffects: &none, TimeoutSeconds: &seconds, NamespaceSelector: l.here(),
			AdmissionReviewVersions: []string{"v1"}, ClientConfig: admission.WebhookClientConfig{URL: &url}, Rules: podRules(),
		}},
	}, metav1.CreateOptions{})
	l.must(err)
	l.t.Cleanup(func() { _ = hooks.Delete(context.Background(), l.namespace, metav1.DeleteOptions{}) })
}

func podRules() []admission.RuleWithOperations {
	return []admission.RuleWithOperations{{
		Operations: []admission.OperationType{admission.Create},
		Rule:       admission.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
	}}
}

// policy makes an admission policy that refuses every pod of the lab.
func (l *lab) policy() {
	l.t.Helper()
	fail := admission.Fail
	policies, bindings := l.kube.AdmissionregistrationV1().ValidatingAdmissionPolicies(), l.kube.AdmissionregistrationV1().ValidatingAdmissionPolicyBindings()
	var rules []admission.NamedRuleWithOperations
	for _, r := range podRules() {
		rules = append(rules, admission.NamedRuleWithOperations{RuleWithOperations: r})
	}
	_, err := policies.Create(l.t.Context(), &admission.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: l.namespace},
		Spec: admission.ValidatingAdmissionPolicySpec{
			FailurePolicy: &fail, MatchConstraints: &admission.MatchResources{ResourceRules: rules},
			Validations: []admission.Validation{{Expression: "false", Message: "no pods on Sundays"}},
		},
	}, metav1.CreateOptions{})
	l.must(err)
	_, err = bindings.Create(l.t.Context(), &admission.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: l.namespace},
		Spec: admission.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: l.namespace, ValidationActions: []admission.ValidationAction{admission.Deny}, MatchResources: &admission.MatchResources{NamespaceSelector: l.here()},
		},
	}, metav1.CreateOptions{})
	l.must(err)
	l.t.Cleanup(func() {
		_ = bindings.Delete(context.Background(), l.namespace, metav1.DeleteOptions{})
		_ = policies.Delete(context.Background(), l.namespace, metav1.DeleteOptions{})
	})
	l.untilRefused()
}

// untilRefused waits until the API server knows of a policy that was just made.
func (l *lab) untilRefused() {
	l.t.Helper()
	for range 100 {
		_, err := l.kube.CoreV1().Pods(l.namespace).Create(l.t.Context(), &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{GenerateName: "try-"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "x"}}},
		}, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err != nil && strings.Contains(err.Error(), "ValidatingAdmissionPolicy") {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	l.t.Fatal("the policy refuses nothing")
}

// claim makes a claim of a storage class; empty: of none.
func (l *lab) claim(class string) {
	l.t.Helper()
	spec := corev1.PersistentVolumeClaimSpec{
		AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
		Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{"storage": resource.MustParse("1Gi")}},
	}
	if class != "" {
		spec.StorageClassName = &class
	}
	_, err := l.kube.CoreV1().PersistentVolumeClaims(l.namespace).Create(l.t.Context(), &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: "data"}, Spec: spec,
	}, metav1.CreateOptions{})
	l.must(err)
}

func mounts(s *corev1.PodSpec) {
	s.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}}}
}

// TestWaitFailsByControllers: the words of the real admission plug-ins and controllers lead to the cause, within 15 s.
func TestWaitFailsByControllers(t *testing.T) {
	t.Parallel()
	missing := "not-there"
	cases := map[string]struct {
		prepare    func(*lab)
		spec       func(*corev1.PodSpec)
		play       func(*corev1.PodStatus)
		code, says string
	}{
		"limit range": {prepare: func(l *lab) {
			_, err := l.kube.CoreV1().LimitRanges(l.namespace).Create(l.t.Context(), &corev1.LimitRange{
				ObjectMeta: metav1.ObjectMeta{Name: "small"}, Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{{
					Type: corev1.LimitTypeContainer, Max: corev1.ResourceList{"memory": resource.MustParse("32Mi")},
				}}},
			}, metav1.CreateOptions{})
			l.must(err)
			time.Sleep(time.Second) // until the plug-in has seen it
		}, spec: func(s *corev1.PodSpec) {
			s.Containers[0].Resources.Limits = corev1.ResourceList{"memory": resource.MustParse("256Mi")}
		}, code: "limit-range", says: "32Mi"},
		"quota that wants limits": {prepare: func(l *lab) {
			_, err := l.kube.CoreV1().ResourceQuotas(l.namespace).Create(l.t.Context(), &corev1.ResourceQuota{
				ObjectMeta: metav1.ObjectMeta{Name: "q"}, Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{"limits.cpu": resource.MustParse("4")}},
			}, metav1.CreateOptions{})
			l.must(err)
			time.Sleep(time.Second) // until the quota controller has counted
		}, code: "quota", says: "limits.cpu"},
		"webhook that nobody serves": {prepare: (*lab).deadWebhook, code: "webhook", says: "dead.example.com"},
		"admission policy":           {prepare: (*lab).policy, code: "policy", says: "no pods on Sundays"},
		"priority class":             {spec: func(s *corev1.PodSpec) { s.PriorityClassName = missing }, code: "priority-class", says: missing},
		"runtime class":              {spec: func(s *corev1.PodSpec) { s.RuntimeClassName = &missing }, code: "runtime-class", says: missing},
		"claim without a class":      {prepare: func(l *lab) { l.claim("") }, spec: mounts, code: "volume-claim", says: "no default one"},
		"claim of no class":          {prepare: func(l *lab) { l.claim(missing) }, spec: mounts, code: "volume-claim", says: missing},
		"no claim":                   {spec: mounts, code: "volume-claim", says: "does not exist"},
		"selector":                   {prepare: func(l *lab) { l.expose(map[string]string{"app": "shopp"}) }, play: ready, code: "no-endpoints", says: "app=shopp"},
		"no service":                 {play: ready, code: "no-endpoints", says: "not there"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, nil)
			if c.prepare != nil {
				c.prepare(l)
			}
			if c.play != nil {
				l.kubelet(t.Context(), c.play)
			}
			v, took, err := l.wait(l.deploy(c.spec), nil)
			if err != nil || v.Phase != rollout.Failed || v.Causes[0].Code != c.code || !strings.Contains(v.Causes[0].Message, c.says) {
				t.Fatalf("%v; %+v; waiting %+v", err, v.Causes, v.Waiting)
			}
			if took > 15*time.Second {
				t.Errorf("the verdict took %s", took)
			}
		})
	}
}

// TestWaitDeleted: what somebody deletes under a rollout is not waited for, alone or with its namespace.
func TestWaitDeleted(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		remove func(*lab) error
		code   string
	}{
		"deployment": {func(l *lab) error {
			return l.kube.AppsV1().Deployments(l.namespace).Delete(context.Background(), "shop", metav1.DeleteOptions{})
		}, "deleted"},
		"namespace": {func(l *lab) error {
			return l.kube.CoreV1().Namespaces().Delete(context.Background(), l.namespace, metav1.DeleteOptions{})
		}, "namespace-terminating"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, nil)
			generation := l.deploy(nil)
			var once bool
			v, took, err := l.wait(generation, func(rollout.View) {
				if !once {
					once = true
					l.must(c.remove(l))
				}
			})
			if err != nil || v.Phase != rollout.Failed || v.Causes[0].Code != c.code {
				t.Fatalf("%v; %+v; waiting %+v", err, v.Causes, v.Waiting)
			}
			if took > 15*time.Second {
				t.Errorf("the verdict took %s", took)
			}
		})
	}
}

// node makes a node that nobody stands behind and no other pod may use: the node controller calls it lost
// after its grace period. It bears the name of the lab's namespace.
func (l *lab) node() {
	l.t.Helper()
	nodes, now := l.kube.CoreV1().Nodes(), metav1.Now()
	_, err := nodes.Create(l.t.Context(), &corev1.Node{ // with its status, as a kubelet registers
		ObjectMeta: metav1.ObjectMeta{Name: l.namespace},
		Spec:       corev1.NodeSpec{Taints: []corev1.Taint{{Key: "test", Value: l.namespace, Effect: corev1.TaintEffectNoSchedule}}},
		Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{
			Type: corev1.NodeReady, Status: corev1.ConditionTrue, LastHeartbeatTime: now, LastTransitionTime: now,
		}}},
	}, metav1.CreateOptions{})
	l.must(err)
	l.t.Cleanup(func() { _ = nodes.Delete(context.Background(), l.namespace, metav1.DeleteOptions{}) })
}

// bound binds pods to the lab's node.
func (l *lab) bound(s *corev1.PodSpec) { s.NodeName = l.namespace }

// TestWaitNodeLost: the node controller, not a test, takes the node and its pods' readiness away.
func TestWaitNodeLost(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.node()
	v, _, err := l.wait(l.deploy(l.bound), nil)
	if err != nil || v.Phase != rollout.Failed || v.Causes[0].Code != "node-lost" || !strings.Contains(v.Causes[0].Message, "stopped posting") {
		t.Fatalf("%v; %+v; waiting %+v", err, v.Causes, v.Waiting)
	}
}
