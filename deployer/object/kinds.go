package object

import "k8s.io/apimachinery/pkg/runtime/schema"

// kinds lists the kinds that releases are made of, so that no discovery request is needed for them.
func kinds() map[schema.GroupVersionKind]string {
	gvk := func(group, version, kind string) schema.GroupVersionKind {
		return schema.GroupVersionKind{Group: group, Version: version, Kind: kind}
	}
	return map[schema.GroupVersionKind]string{
		gvk("", "v1", "Namespace"):                                   "namespaces",
		gvk("", "v1", "Node"):                                        "nodes",
		gvk("", "v1", "Pod"):                                         "pods",
		gvk("", "v1", "Event"):                                       "events",
		gvk("", "v1", "Service"):                                     "services",
		gvk("", "v1", "ServiceAccount"):                              "serviceaccounts",
		gvk("", "v1", "ConfigMap"):                                   "configmaps",
		gvk("", "v1", "Secret"):                                      "secrets",
		gvk("", "v1", "PersistentVolumeClaim"):                       "persistentvolumeclaims",
		gvk("", "v1", "ResourceQuota"):                               "resourcequotas",
		gvk("apps", "v1", "Deployment"):                              "deployments",
		gvk("apps", "v1", "ReplicaSet"):                              "replicasets",
		gvk("apps", "v1", "StatefulSet"):                             "statefulsets",
		gvk("apps", "v1", "DaemonSet"):                               "daemonsets",
		gvk("batch", "v1", "Job"):                                    "jobs",
		gvk("policy", "v1", "PodDisruptionBudget"):                   "poddisruptionbudgets",
		gvk("autoscaling", "v2", "HorizontalPodAutoscaler"):          "horizontalpodautoscalers",
		gvk("coordination.k8s.io", "v1", "Lease"):                    "leases",
		gvk("discovery.k8s.io", "v1", "EndpointSlice"):               "endpointslices",
		gvk("networking.k8s.io", "v1", "Ingress"):                    "ingresses",
		gvk("networking.k8s.io", "v1", "NetworkPolicy"):              "networkpolicies",
		gvk("rbac.authorization.k8s.io", "v1", "Role"):               "roles",
		gvk("rbac.authorization.k8s.io", "v1", "RoleBinding"):        "rolebindings",
		gvk("rbac.authorization.k8s.io", "v1", "ClusterRole"):        "clusterroles",
		gvk("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding"): "clusterrolebindings",
		gvk("gateway.networking.k8s.io", "v1", "HTTPRoute"):          "httproutes",
		gvk("monitoring.coreos.com", "v1", "PodMonitor"):             "podmonitors",
		gvk("authorization.k8s.io", "v1", "SelfSubjectRulesReview"):  "selfsubjectrulesreviews",
	}
}

// Resource returns the resource of a kind that releases are made of; false: it must be discovered.
func Resource(gvk schema.GroupVersionKind) (schema.GroupVersionResource, bool) {
	name, ok := kinds()[gvk]
	return gvk.GroupVersion().WithResource(name), ok
}

// ClusterScoped tells whether objects of the kind stand outside namespaces.
func ClusterScoped(kind schema.GroupKind) bool {
	switch kind.Kind {
	case "Namespace", "Node", "ClusterRole", "ClusterRoleBinding", "SelfSubjectRulesReview":
		return true
	default:
		return false
	}
}

// Namespace names a namespace.
func Namespace(name string) Ref { return Ref{Version: "v1", Kind: "Namespace", Name: name} }
