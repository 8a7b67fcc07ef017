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
		{"pod-security", "PodSecurity or a security context constraint refuses the pod", "at once"},
		{"limit-range", "the namespace's LimitRange refuses the pod", "at once"},
		{"quota", "the namespace's quota is used up, and no old pod is leaving", "8 s"},
		{"service-account", "the pod's service account is missing", "6 s"},
		{"webhook", "an admission webhook refuses the pod, or must be asked and does not answer", "3 s, 12 s"},
		{"failed-create", "the pod is refused for another reason", "10 s"},
		{"unschedulable", "no node takes the pod; no node is being added and no old pod is leaving", "10 s; 3 s when the autoscaler says no"},
		{"probe-failed", "the kubelet restarts the container for its probe; or the container runs and is not ready", "at its second exit; one minute after its start"},
		{"paused", "somebody paused the Deployment", "5 s"},
		{"progress-deadline", "the Deployment's own deadline has passed", "then"},
		{"digest-differs", "a replica is ready and serves another configuration", "10 s; 90 s for consumers"},
		{"image-differs", "a replica runs another image than the one that this egk8s carries", "at once"},
		{"probe-wrong", "a request through the Service was not answered as it must be", "5 s after every replica is ready"},
		{"prober-failed", "the declared probes could not be sent", "30 s"},
		{"requests-lost", "with `--prove-max-lost`: more requests got no answer, or 502 to 504, than may be", "when the traffic ends"},
		{"not-ready", "no replica is ready, and nothing else explains it", "by `egk8s status`, at once"},
	}
}
