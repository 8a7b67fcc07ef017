package verify

import (
	"cmp"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// specDir is where the prober's Secret is mounted.
const specDir = "/etc/egk8s/probe"

// pod is admitted by PodSecurity "restricted", ends by itself, and stays out of a mesh, whose proxy
// would answer in the gateway's place and keep the pod from ending.
func (p *Prober) pod() *unstructured.Unstructured {
	meta := p.metadata()
	meta["annotations"] = map[string]any{"linkerd.io/inject": "disabled", "sidecar.istio.io/inject": "false"}
	container := map[string]any{
		"name": "probe", "image": p.image(), "imagePullPolicy": p.pullPolicy(),
		"args":         []any{"probe", "--spec", specDir + "/spec.json"},
		"volumeMounts": []any{map[string]any{"name": "spec", "mountPath": specDir, "readOnly": true}},
		"resources": map[string]any{
			"requests": map[string]any{"cpu": "10m", "memory": "32Mi"},
			"limits":   map[string]any{"cpu": "500m", "memory": "128Mi"},
		},
		"securityContext": map[string]any{
			"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "runAsNonRoot": true,
			"capabilities": map[string]any{"drop": []any{"ALL"}},
		},
	}
	spec := map[string]any{
		"restartPolicy": "Never", "activeDeadlineSeconds": int64(p.Lifetime/time.Second) + 30,
		"terminationGracePeriodSeconds": int64(0),
		"automountServiceAccountToken":  false, "enableServiceLinks": false, "serviceAccountName": p.Release,
		"securityContext": map[string]any{"runAsNonRoot": true, "seccompProfile": map[string]any{"type": "RuntimeDefault"}},
		"containers":      []any{container},
		"volumes": []any{map[string]any{"name": "spec", "secret": map[string]any{
			"secretName": p.name, "defaultMode": int64(0o444),
		}}},
	}
	p.placement(spec)
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}}
}

// placement lets the prober run where the gateway may run.
func (p *Prober) placement(spec map[string]any) {
	from, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&corev1.PodSpec{
		NodeSelector: p.Template.NodeSelector, Tolerations: p.Template.Tolerations, ImagePullSecrets: p.Template.ImagePullSecrets,
	})
	if err != nil {
		return // then it runs where every pod may
	}
	for _, key := range []string{"nodeSelector", "tolerations", "imagePullSecrets"} {
		if v, ok := from[key]; ok {
			spec[key] = v
		}
	}
}

func (p *Prober) gateway() corev1.Container {
	for _, c := range p.Template.Containers {
		if c.Name == "gateway" {
			return c
		}
	}
	return corev1.Container{}
}

func (p *Prober) image() string { return cmp.Or(p.Image, p.gateway().Image) }

func (p *Prober) pullPolicy() string {
	if policy := p.gateway().ImagePullPolicy; policy != "" {
		return string(policy)
	}
	return string(corev1.PullIfNotPresent)
}
