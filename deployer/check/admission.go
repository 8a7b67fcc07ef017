package check

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/cluster"
)

// admission lets the API server judge one pod of the gateway: quotas, limits, PodSecurity and webhooks have their
// say, and nothing is made.
func admission(ctx context.Context, in Input) []Finding {
	pod := podOf(in.Objects)
	if pod == nil {
		return nil
	}
	pod.SetName(in.Project.Name + "-admission-check")
	pod.SetNamespace(in.Namespace)
	_, err := in.Cluster.DryCreate(ctx, pod)
	var forbidden *cluster.ForbiddenError
	switch {
	case err == nil, cluster.IsNotFound(err): // the namespace is missing, or its ServiceAccount, which a deploy makes
		return nil
	case errors.As(err, &forbidden):
		return []Finding{{
			Code: "admission-unknown", Severity: Warning,
			Message: "cannot see whether the namespace admits the gateway's pods: " + err.Error(),
		}}
	}
	return []Finding{{
		Code: "not-admitted", Severity: Error, Message: fmt.Sprintf("the namespace would refuse the gateway's pods: %v", err),
		Hint: "change the quota, the limits or the policy that refuses it, or spec.resources in egk8s.yaml",
	}}
}

// podOf makes a pod of the gateway's template; nil: there is none.
func podOf(objects []*unstructured.Unstructured) *unstructured.Unstructured {
	for _, u := range objects {
		template, ok, _ := unstructured.NestedMap(u.Object, "spec", "template")
		if !ok || u.GetKind() != "Deployment" {
			continue
		}
		// The ServiceAccount may not be there before the first deploy, and decides nothing here.
		unstructured.RemoveNestedField(template, "spec", "serviceAccountName")
		template["apiVersion"], template["kind"] = "v1", "Pod"
		return &unstructured.Unstructured{Object: template}
	}
	return nil
}
