package rollout_test

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"egk8s.dev/egk8s/deployer/rollout"
)

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
		"nobody makes a volume, for there is no class": {
			seen(newScene(11*time.Second, claims(pending("")), told("FailedBinding", "no persistent volumes available for this claim and no storage class is set", 0), of("claim"))),
			"volume-claim", "no default one",
		},
		"a claim of a class that is not there": {
			seen(newScene(9*time.Second, claims(pending("fast")), told("ProvisioningFailed", `storageclass.storage.k8s.io "fast" not found`, 0), of("claim"))),
			"volume-claim", "a storage class that does not exist",
		},
		"a claim whose provisioner never answers": {
			seen(newScene(61*time.Second, claims(pending("fast")), told("ExternalProvisioning", `Waiting for a volume to be created by the external provisioner 'ebs.csi.aws.com'`, 50*time.Second), of("claim"))),
			"volume-claim", "ebs.csi.aws.com",
		},
		"a claim whose provisioner fails for a minute": {
			newScene(61*time.Second, claims(pending("fast")), told("Provisioning", "", 0), of("claim"), told("ProvisioningFailed", "rpc error: quota of disks is used up", 0), of("claim")),
			"volume-claim", "quota of disks",
		},
		"a claim that is not there": {
			seen(newScene(9*time.Second, claims(nil), unschedulable(`0/2 nodes are available: persistentvolumeclaim "data" not found.`))), "volume-claim", "does not exist",
		},
		"a claim whose volume is lost": {
			newScene(0, claims(&corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: "data", UID: "claim"}, Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimLost}})),
			"volume-claim", "is lost",
		},
		"a claim that nobody may look at, not there": {
			seen(newScene(11*time.Second, claims(nil), unschedulable(`persistentvolumeclaim "data" not found`), func(s *scene) { s.Known[rollout.Claims] = false })), "volume-claim", "not found",
		},
		"a volume that is bound to a node without room": {
			newScene(11*time.Second, unschedulable("0/2 nodes are available: 1 node(s) had volume node affinity conflict, 1 Insufficient cpu.")), "unschedulable", "affinity conflict",
		},
		"a volume that another node holds for good": {
			seen(newScene(11*time.Second, waiting("ContainerCreating", ""), told("FailedAttachVolume", `Multi-Attach error for volume "pvc-1"`, 0))), "volume", "still attached",
		},
		"a mounted Secret without the key": {
			seen(newScene(11*time.Second, waiting("ContainerCreating", ""), told("FailedMount", `MountVolume.SetUp failed for volume "files" : references non-existent secret key: ca.crt`, 0))), "missing-key", "ca.crt",
		},
		"a mounted ConfigMap that is not there": {
			seen(newScene(11*time.Second, waiting("ContainerCreating", ""), told("FailedMount", `MountVolume.SetUp failed for volume "x" : configmap "shop-config" not found`, 0))), "volume", `ConfigMap "shop-config"`,
		},
		"a node without a network": {
			newScene(31*time.Second, waiting("ContainerCreating", ""), told("FailedCreatePodSandBox", "no addresses left in 10.244.1.0/24", 0)), "sandbox", "no addresses left",
		},
		"a lost node, told by the pod alone": {newScene(40*time.Second, gatewayReady, readyCondition("False", 24*time.Second), tolerates(300)), "node-lost", "node-1"},
		"a lost node under a pod that never ran": {
			newScene(40*time.Second, waiting("ContainerCreating", ""), nodeSays("Unknown", 20*time.Second), tolerates(300)), "node-lost", "Kubelet stopped posting",
		},
		"a lost node, told by the old pod beside": {
			newScene(40*time.Second, waiting("ContainerCreating", ""), tolerates(300), oldPodLost(20*time.Second)), "node-lost", "node-1",
		},
		"a node that never takes the pod up": {newScene(31*time.Second, given, tolerates(300)), "node-lost", "node-1"},
		"a lost node that keeps its pods for ever": {
			newScene(40*time.Second, gatewayReady, readyCondition("Unknown", 20*time.Second), func(s *scene) {
				s.pod().Spec.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
			}), "node-lost", "node-1",
		},
		"only nodes that do not answer": {
			newScene(11*time.Second, unschedulable("0/2 nodes are available: 2 node(s) had untolerated taint {node.kubernetes.io/unreachable: }.")), "unschedulable", "unreachable",
		},
		"pods that nodes throw out, again and again": {newScene(time.Minute, ended("Evicted", "The node was low on resource: ephemeral-storage.", 3)), "evicted", "ephemeral-storage"},
		"pods that the kubelet does not admit":       {newScene(time.Minute, ended("OutOfmemory", "Node didn't have enough resource: memory", 2)), "evicted", "enough resource"},
		"a scheduler that does not exist": {newScene(46*time.Second, func(s *scene) {
			s.pod().Spec.NodeName, s.pod().Spec.SchedulerName, s.pod().Status.ContainerStatuses = "", "fancy", nil
		}), "no-scheduler", "fancy"},
		"pods that must stand apart": {newScene(11*time.Second, unschedulable("0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules.")), "unschedulable", "anti-affinity"},
		"an autoscaler that gave up": {
			newScene(4*time.Second, unschedulable("0/2 nodes are available"), told("TriggeredScaleUp", "", 0), told("NotTriggerScaleUp", "max node group size reached", time.Second)), "unschedulable", "no node",
		},
		"the namespace is being deleted":     {newScene(0, noPods(`pods "x" is forbidden: unable to create new content in namespace n because it is being terminated`)), "namespace-terminating", "is being deleted"},
		"a quota that wants limits":          {newScene(4*time.Second, noPods(`pods "x" is forbidden: failed quota: q: must specify limits.cpu for: gateway`)), "quota", "name its resources"},
		"an admission policy refuses":        {newScene(4*time.Second, noPods(`pods "x" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no latest tag`)), "policy", "no latest tag"},
		"a webhook that nobody serves":       {newScene(13*time.Second, noPods(`Internal error occurred: failed calling webhook "w": Post "https://w.ns.svc:443/": service "w" not found`)), "webhook", "does not answer"},
		"the priority class is gone":         {newScene(7*time.Second, noPods(`pods "x" is forbidden: no PriorityClass with name high was found`)), "priority-class", "high"},
		"the runtime class is gone":          {newScene(7*time.Second, noPods(`pods "x" is forbidden: pod rejected: RuntimeClass "gvisor" not found`)), "runtime-class", "gvisor"},
		"a registry with an own certificate": {seen(newScene(5*time.Second, waiting("ErrImagePull", "tls: failed to verify certificate: x509: certificate signed by unknown authority"))), "image-pull", "certificate"},
		"a node whose disk is full":          {seen(newScene(16*time.Second, waiting("ImagePullBackOff", "write /var/lib/containerd: no space left on device"))), "image-pull", "disk is full"},
		"a hook of a side container fails":   {seen(newScene(9*time.Second, waiting("PostStartHookError", "exit 1"))), "start-failed", "exit 1"},
		"a reason that nobody knows yet":     {seen(newScene(21*time.Second, waiting("QuantumDecoherence", ""))), "start-failed", "QuantumDecoherence"},
		"a replica with another config": {
			newScene(16*time.Second, running(0, 0), told("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", 15*time.Second), answers(rollout.Answer{Loaded: "aaaaaaaaaaaa", Expected: "bbbbbbbbbbbb"})),
			"digest-differs", "aaaaaaaaaa, not bbbbbbbbbb",
		},
		"a gate that nobody opens":             {newScene(181*time.Second, gatewayReady, balancerGate), "readiness-gate", "target-health"},
		"a Service that selects other pods":    {seen(newScene(9*time.Second, serviceOf("shopp", false, "http"))), "no-endpoints", `app=shopp, they have "shop"`},
		"a Service whose port no pod has":      {seen(newScene(9*time.Second, serviceOf("shop", true, ""))), "no-endpoints", "the port web"},
		"a Service that somebody deleted":      {seen(newScene(9*time.Second, serviceOf("shop", true, "http"), func(s *scene) { s.Service, s.Slices = nil, nil })), "no-endpoints", "not there"},
		"a Deployment that somebody deleted":   {seen(newScene(3*time.Second, deleted)), "deleted", "somebody deleted"},
		"a Deployment gone with its namespace": {seen(newScene(3*time.Second, deleted, func(s *scene) { s.Known[rollout.Namespace] = true })), "namespace-terminating", "is being deleted"},
		"a control plane that stands still":    {seen(newScene(46*time.Second, func(s *scene) { s.Deployment.Status.ObservedGeneration = 1 })), "controller-silent", "has not looked"},
		"paused by hand":                       {seen(newScene(6*time.Second, func(s *scene) { s.Deployment.Spec.Paused = true })), "paused", "paused"},
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
			if want := "1 old replica is still serving"; v.Old > 0 && v.Causes[0].Serving != want {
				t.Errorf("serving %q, want %q", v.Causes[0].Serving, want)
			}
		})
	}
}
