package render

import (
	"cmp"
	"maps"

	"egk8s.dev/egk8s/deployer/project"
)

// podValues adds what a project asks of its pods. What is not asked for is left to the chart's defaults, so that a
// record of a project without it stays as it was.
func podValues(v map[string]any, spec project.Spec) {
	pod := spec.Pod
	set := func(name string, value any, asked bool) {
		if asked {
			v[name] = value
		}
	}
	set("labels", texts(spec.Labels), len(spec.Labels) > 0)
	set("podLabels", texts(pod.Labels), len(pod.Labels) > 0)
	set("podAnnotations", texts(pod.Annotations), len(pod.Annotations) > 0)
	set("nodeSelector", texts(pod.NodeSelector), len(pod.NodeSelector) > 0)
	set("tolerations", objects(pod.Tolerations), len(pod.Tolerations) > 0)
	set("affinity", pod.Affinity, len(pod.Affinity) > 0)
	set("priorityClassName", pod.PriorityClassName, pod.PriorityClassName != "")
	var volumes []any
	for _, volume := range pod.Volumes {
		one := map[string]any{"name": volume.Name}
		maps.Copy(one, volume.Source)
		volumes = append(volumes, map[string]any{"volume": one, "mountPath": volume.MountPath, "readOnly": volume.ReadOnly})
	}
	set("volumes", volumes, len(volumes) > 0)
	ca := spec.TrustedCAs
	set("trustedCAs", map[string]any{"secret": ca.Secret, "configMap": ca.ConfigMap, "key": cmp.Or(ca.Key, "ca.crt")}, ca != (project.CABundle{}))
	policy := spec.NetworkPolicy
	set("networkPolicy", map[string]any{"enabled": true, "from": objects(policy.From), "egress": objects(policy.Egress)}, policy.Enabled)
}

func objects(items []map[string]any) []any {
	out := make([]any, 0, len(items))
	for _, item := range items {
		out = append(out, item)
	}
	return out
}
