package rollout_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"egk8s.dev/egk8s/deployer/rollout"
)

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
		"a claim that waits for its first consumer":    seen(newScene(5*time.Minute, claims(pending("fast")), told("WaitForFirstConsumer", "waiting for first consumer to be created before binding", 0), of("claim"))),
		"a volume that takes three minutes to make":    seen(newScene(3*time.Minute, claims(pending("fast")), told("Provisioning", "", 0), of("claim"), told("ExternalProvisioning", "", 170*time.Second), of("claim"))),
		"a provisioner that starts with the cluster":   seen(newScene(40*time.Second, claims(pending("fast")), told("ExternalProvisioning", "Waiting for a volume", 30*time.Second), of("claim"))),
		"a claim that got its default class late":      seen(newScene(30*time.Second, claims(pending("standard")), told("FailedBinding", "no storage class is set", 0), of("claim"))),
		"a provisioner that fails at first":            newScene(40*time.Second, claims(pending("fast")), told("ProvisioningFailed", "rpc error: deadline exceeded", 0), of("claim")),
		"a claim that nobody may look at":              seen(newScene(80*time.Second, claims(nil), unschedulable("pod has unbound immediate PersistentVolumeClaims"), func(s *scene) { s.Known[rollout.Claims] = false })),
		"a claim that is not read yet":                 seen(newScene(80*time.Second, claims(nil), func(s *scene) { delete(s.Known, rollout.Claims) })),
		"a volume that the old pod still holds":        seen(newScene(time.Minute, waiting("ContainerCreating", ""), told("FailedAttachVolume", "Multi-Attach error", 0), leaving)),
		"a mount that failed before the container ran": newScene(time.Minute, running(30*time.Second, 0), told("FailedMount", `secret "x" not found`, 0)),
		"a node whose network comes up":                newScene(20*time.Second, waiting("ContainerCreating", ""), told("FailedCreatePodSandBox", "cni plugin not initialized", 0)),
		"a network that failed once":                   newScene(time.Minute, waiting("ContainerCreating", ""), told("FailedCreatePodSandBox", "timeout", 0), told("Pulling", "", 5*time.Second)),
		"a node that starts anew":                      newScene(30*time.Second, gatewayReady, readyCondition("False", 20*time.Second), tolerates(300)),
		"a lost node whose pods are replaced soon":     newScene(50*time.Second, gatewayReady, readyCondition("Unknown", 20*time.Second), tolerates(30)),
		"a lost node whose pod is leaving":             newScene(10*time.Minute, gatewayReady, nodeSays("Unknown", 20*time.Second), func(s *scene) { now := at(0); s.pod().DeletionTimestamp = &now }),
		"a node that takes its time to begin":          newScene(25*time.Second, given, tolerates(300)),
		"a node beside one that is lost": newScene(40*time.Second, waiting("ContainerCreating", ""), tolerates(300), oldPodLost(20*time.Second), func(s *scene) {
			s.pod().Spec.NodeName = "node-2"
		}),
		"nodes that have just joined":                    newScene(30*time.Second, unschedulable("0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }.")),
		"a node that Karpenter makes":                    newScene(3*time.Minute, unschedulable("0/2 nodes are available"), told("Nominated", "Pod should schedule on: nodeclaim/x", 0)),
		"an autoscaler that found a way after all":       newScene(time.Minute, unschedulable("0/2 nodes are available"), told("NotTriggerScaleUp", "", 0), told("TriggeredScaleUp", "", time.Second)),
		"a scheduling gate":                              seen(newScene(4*time.Minute, gated)),
		"a scheduler that is busy":                       newScene(20*time.Second, func(s *scene) { s.pod().Spec.NodeName, s.pod().Status.ContainerStatuses = "", nil }),
		"one pod that a node threw out":                  newScene(time.Minute, ended("Evicted", "The node was low on resource: memory.", 1)),
		"pods that nodes threw out before":               newScene(time.Minute, ended("Evicted", "", 3), func(s *scene) { s.Begun = start.Add(30 * time.Second) }),
		"a load balancer that checks the pod":            newScene(2*time.Minute, gatewayReady, balancerGate),
		"a gateway that says that it is starting":        newScene(30*time.Second, running(0, 0), told("Unhealthy", "503", 29*time.Second), answers(rollout.Answer{Expected: "b", Reason: "the gateway is starting"})),
		"endpoints that follow a moment later":           seen(newScene(3*time.Second, serviceOf("shop", false, "http"))),
		"endpoints that nobody has read yet":             newScene(time.Minute, allReady, func(s *scene) { delete(s.Known, rollout.Endpoints) }),
		"a quota that is just being raised":              newScene(2*time.Second, noPods("failed quota: q: must specify limits.cpu for: gateway")),
		"a webhook that is being rolled out":             newScene(8*time.Second, noPods(`failed calling webhook "w": connection refused`)),
		"a service account that comes after":             newScene(3*time.Second, noPods(`error looking up service account n/shop: serviceaccount "shop" not found`)),
		"a control plane that is busy":                   seen(newScene(20*time.Second, func(s *scene) { s.Deployment.Status.ObservedGeneration = 1 })),
		"a Deployment that is not seen yet":              newScene(time.Second, deleted),
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

func gated(s *scene) {
	s.pod().Spec.NodeName, s.pod().Status.ContainerStatuses = "", nil
	s.pod().Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: "kueue.x-k8s.io/admission"}}
	s.pod().Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonSchedulingGated}}
}

func balancerGate(s *scene) {
	s.pod().Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "target-health.elbv2.k8s.aws/shop"}}
	s.pod().Status.Conditions = append(s.pod().Status.Conditions, corev1.PodCondition{Type: corev1.ContainersReady, Status: corev1.ConditionTrue, LastTransitionTime: at(0)})
}
