package check

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"egk8s.dev/egk8s/deployer/cloud"
)

// platforms finds nodes that could not run the image, which is built for linux on amd64 and arm64.
func platforms(_ context.Context, in Input) []Finding {
	var others []string
	for _, n := range in.Facts.Nodes {
		if n.Platform != "linux/amd64" && n.Platform != "linux/arm64" && !slices.Contains(others, n.Platform) {
			others = append(others, n.Platform)
		}
	}
	if len(others) == 0 {
		return nil
	}
	slices.Sort(others)
	severity := Warning
	if !slices.ContainsFunc(in.Facts.Nodes, func(n cloud.Node) bool { return n.Platform == "linux/amd64" || n.Platform == "linux/arm64" }) {
		severity = Error
	}
	return []Finding{{
		Code: "wrong-platform", Severity: severity,
		Message: fmt.Sprintf("the cluster has nodes of %s; the gateway's image is built for linux/amd64 and linux/arm64", strings.Join(others, ", ")),
		Hint:    "keep the gateway on the other nodes, or deploy an image of your own: egk8s deploy --image REFERENCE",
	}}
}

// groups finds API groups that the project's settings need and the cluster has not.
func groups(_ context.Context, in Input) []Finding {
	if !in.Project.Spec.Replicas.Autoscaled() || len(in.Facts.APIGroups) == 0 || slices.Contains(in.Facts.APIGroups, "metrics.k8s.io") {
		return nil
	}
	return []Finding{{
		Code: "no-metrics", Severity: Warning,
		Message: fmt.Sprintf("%s: the autoscaler needs the metrics API, which this cluster has not", in.Project.Position("spec.replicas")),
		Hint:    "install the metrics-server; until then the least number of replicas runs",
	}}
}
