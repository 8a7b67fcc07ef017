package deployer

// Diagnosis explains a code of a failed deploy's causes.
type Diagnosis struct {
	Code    string
	Meaning string
	Named   string // when it is named
}

// Diagnoses are the codes in failures[].code of a result. They are stable.
func Diagnoses() []Diagnosis {
	return []Diagnosis{
		{"config-refused", "the gateway ends with exit code 3: it does not accept its configuration; the log line leads to your file", "at its first exit"},
		{"crash-loop", "the container ended at least twice", "at its second exit"},
		{"out-of-memory", "the container was ended at its memory limit, twice", "at its second exit"},
		{"start-failed", "the container cannot be created or started", "8 s, or at its second exit"},
		{"wrong-platform", "the image is not built for the node's processor", "at once"},
		{"image-name", "the image's name is not valid", "at once"},
		{"image-pull", "the image does not exist, or the node may not pull it", "4 s; 45 s where the registry only does not answer"},
		{"missing-key", "a Secret, ConfigMap or key that the container needs is not there", "8 s"},
		{"volume", "a volume cannot be mounted", "10 s"},
		{"volume-claim", "a PersistentVolumeClaim is missing, or gets no volume: no storage class, no provisioner, or one that fails; a claim that waits for its first pod is no failure", "8 to 10 s; one minute where a provisioner might still come"},
		{"sandbox", "the node cannot set the pod up, mostly for its network", "30 s"},
		{"pod-security", "PodSecurity or a security context constraint refuses the pod", "at once"},
		{"limit-range", "the namespace's LimitRange refuses the pod", "at once"},
		{"quota", "the namespace's quota is used up, and no old pod is leaving", "8 s"},
		{"service-account", "the pod's service account is missing", "6 s"},
		{"priority-class", "the pod names a priority class that is not there", "6 s"},
		{"runtime-class", "the pod names a runtime class that is not there", "6 s"},
		{"webhook", "an admission webhook refuses the pod, or must be asked and does not answer", "3 s, 12 s"},
		{"policy", "a ValidatingAdmissionPolicy refuses the pod", "3 s"},
		{"failed-create", "the pod is refused for another reason", "10 s"},
		{"namespace-terminating", "the namespace is being deleted", "at once"},
		{"node-lost", "the node of a new pod does not answer, and the cluster does not replace the pod within a minute", "15 s after the cluster has noticed"},
		{"evicted", "nodes refuse the pods or throw them out", "at the second one"},
		{"unschedulable", "no node takes the pod; no node is being added and no old pod is leaving", "10 s; 3 s when the autoscaler says no"},
		{"no-scheduler", "no scheduler has looked at the pod", "45 s"},
		{"probe-failed", "the kubelet restarts the container for its probe; or the container runs and is not ready", "at its second exit; one minute after its start"},
		{"readiness-gate", "every container is ready, and something outside the pod, such as a load balancer, does not say so", "3 minutes"},
		{"no-endpoints", "the pods are ready, and the Service leads to none of them: its selector or its port", "8 s"},
		{"paused", "somebody paused the Deployment", "5 s"},
		{"deleted", "somebody deleted the Deployment while it was rolled out", "2 s"},
		{"controller-silent", "the control plane does not act on the Deployment", "45 s"},
		{"progress-deadline", "the Deployment's own deadline has passed", "then"},
		{"digest-differs", "a replica serves another configuration than the one deployed", "10 s; 90 s for consumers"},
		{"image-differs", "a replica runs another image than the one that this egk8s carries", "at once"},
		{"probe-wrong", "a request through the Service was not answered as it must be", "5 s after every replica is ready"},
		{"prober-failed", "the declared probes could not be sent", "30 s"},
		{"requests-lost", "with `--prove-max-lost`: more requests got no answer, or 502 to 504, than may be", "when the traffic ends"},
		{"load-balancer-pending", "the load balancer has no address, with what its controller says; the gateway serves inside, so this is a warning (`pending[]` in the JSON result)", "30 s; 10 s after its controller complained"},
		{"balancer-failed", "CloudAPI refuses an instance, a tag or a firewall rule of the load balancers, or an instance failed", "at once"},
		{"balancer-network", "a load balancer instance is in no network of a node", "after the settle time"},
		{"balancer-firewall", "no enabled firewall rule lets clients to a load balancer, or a load balancer to a node port", "after the settle time"},
		{"balancer-name", "the DNS name of the release, or that by which load balancers find the nodes, does not exist", "after the settle time"},
		{"balancer-path", "a load balancer answers 503, something else answers, or nothing does", "after the settle time"},
		{"not-ready", "no replica is ready, and nothing else explains it", "by `egk8s status`, at once"},
	}
}
