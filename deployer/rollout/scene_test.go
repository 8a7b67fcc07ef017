package rollout_test

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

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
	s := &scene{rollout.Snapshot{
		Now: start.Add(after), Name: "shop", Generation: 2, Since: map[string]time.Time{},
		Known: map[rollout.Fact]bool{rollout.Claims: false, rollout.Endpoints: false, rollout.Namespace: false},
	}}
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
			Type:           "Warning", Reason: reason, Message: message, FirstTimestamp: at(when), LastTimestamp: at(when), Count: 1,
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

func deadline(s *scene) {
	s.Deployment.Status.Conditions = []appsv1.DeploymentCondition{{
		Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ProgressDeadlineExceeded",
	}}
}

// seen makes every mark of the snapshot old: it was there at the start.
func seen(s *rollout.Snapshot) *rollout.Snapshot {
	for _, m := range rollout.Judge(s).Marks {
		s.Since[m] = start
	}
	return s
}

// of makes the last event one about another object.
func of(uid types.UID) func(*scene) {
	return func(s *scene) { s.Events[len(s.Events)-1].InvolvedObject.UID = uid }
}

// gatewayReady makes the new pod's container ready; the pod need not be.
func gatewayReady(s *scene) {
	running(0, 0)(s)
	s.status().Ready = true
}

func readyCondition(status corev1.ConditionStatus, since time.Duration) func(*scene) {
	return func(s *scene) {
		s.pod().Status.Conditions[0].Status, s.pod().Status.Conditions[0].LastTransitionTime = status, at(since)
	}
}

// tolerates says how long the new pod stays on a node that is away.
func tolerates(seconds int64) func(*scene) {
	return func(s *scene) {
		for _, key := range []string{corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable} {
			s.pod().Spec.Tolerations = append(s.pod().Spec.Tolerations, corev1.Toleration{
				Key: key, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: &seconds,
			})
		}
	}
}

// nodeSays makes the new pod's node known.
func nodeSays(ready corev1.ConditionStatus, since time.Duration) func(*scene) {
	return func(s *scene) {
		s.Known[rollout.NodeFact("node-1")] = true
		s.Nodes = []*corev1.Node{{
			ObjectMeta: metav1.ObjectMeta{Name: "node-1"},
			Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{
				Type: corev1.NodeReady, Status: ready, Message: "Kubelet stopped posting node status.", LastTransitionTime: at(since),
			}}},
		}}
	}
}

// claims makes the new pod mount a claim, which is as given; nil: it is not there.
func claims(claim *corev1.PersistentVolumeClaim) func(*scene) {
	return func(s *scene) {
		s.pod().Spec.NodeName, s.pod().Status.ContainerStatuses = "", nil
		s.pod().Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"},
		}}}
		s.Known[rollout.Claims] = true
		if claim != nil {
			s.Claims = []*corev1.PersistentVolumeClaim{claim}
		}
	}
}

func pending(class string) *corev1.PersistentVolumeClaim {
	c := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: "data", Namespace: "n", UID: "claim"}, Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimPending},
	}
	if class != "" {
		c.Spec.StorageClassName = &class
	}
	return c
}

// ended adds pods that their nodes have ended.
func ended(reason, message string, pods int) func(*scene) {
	return func(s *scene) {
		for i := range pods {
			p := s.pod().DeepCopy()
			p.Name, p.UID = fmt.Sprintf("shop-new-e%d", i), types.UID(fmt.Sprintf("e%d", i))
			p.Status.Phase, p.Status.Reason, p.Status.Message = corev1.PodFailed, reason, message
			s.Pods = append(s.Pods, p)
		}
	}
}

// allReady is the end of the rollout: two new pods are ready, no old one is left.
func allReady(s *scene) {
	s.Deployment.Status = appsv1.DeploymentStatus{ObservedGeneration: 2, Replicas: 2, UpdatedReplicas: 2, ReadyReplicas: 2, AvailableReplicas: 2}
	s.ReplicaSets[1].Status.ReadyReplicas = 2
	s.pod().Status.Conditions[0].Status = corev1.ConditionTrue
	s.pod().Status.PodIP = "10.0.0.7"
	s.pod().Labels = map[string]string{"app": "shop"}
	second := s.pod().DeepCopy()
	second.Name, second.UID, second.Status.PodIP = "shop-new-b", "second", "10.0.0.8"
	s.Pods = append(s.Pods[1:], second)
}

// serviceOf makes a Service with one port known; its one EndpointSlice holds a ready endpoint or none, with
// the port's name or none.
func serviceOf(selector string, endpoint bool, port string) func(*scene) {
	return func(s *scene) {
		allReady(s)
		s.Known[rollout.Endpoints] = true
		s.Service = &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "shop", UID: "svc"}, Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app": selector}, Ports: []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromString("web")}},
		}}
		slice := &discovery.EndpointSlice{Endpoints: []discovery.Endpoint{{Addresses: []string{"10.0.0.7"}, Conditions: discovery.EndpointConditions{Ready: &endpoint}}}}
		if port != "" {
			slice.Ports = []discovery.EndpointPort{{Name: &port}}
		}
		s.Slices = []*discovery.EndpointSlice{slice}
	}
}

func answers(a rollout.Answer) func(*scene) {
	return func(s *scene) {
		s.Known[rollout.AnswerFact("shop-new-a")], s.Answers = true, map[string]rollout.Answer{"shop-new-a": a}
	}
}

func deleted(s *scene) { s.Deployment = nil }

// oldPodLost lets the node controller take the old pod's readiness away.
func oldPodLost(since time.Duration) func(*scene) {
	return func(s *scene) {
		old := &s.Pods[0].Status
		old.ContainerStatuses[0].Ready, old.ContainerStatuses[0].State.Running = true, &corev1.ContainerStateRunning{StartedAt: at(-time.Hour)}
		old.Conditions[0].Status, old.Conditions[0].LastTransitionTime = corev1.ConditionFalse, at(since)
	}
}

// given is a pod that a scheduler has given to a node, which says nothing of it.
func given(s *scene) {
	s.pod().Status = corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{{
		Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: at(0),
	}}}
}
