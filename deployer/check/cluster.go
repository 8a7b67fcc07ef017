package check

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// platforms finds nodes that could not run the image, which is built for linux on amd64 and arm64. A node that has not
// said yet what it is may be one that can.
func platforms(_ context.Context, in Input) []Finding {
	var others []string
	severity := Error
	for _, n := range in.Facts.Nodes {
		switch {
		case n.Platform == "linux/amd64", n.Platform == "linux/arm64", n.Platform == "":
			severity = Warning
		case !slices.Contains(others, n.Platform):
			others = append(others, n.Platform)
		}
	}
	if len(others) == 0 {
		return nil
	}
	slices.Sort(others)
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
