package check

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/gateway/offline"
)

// upstreams finds URLs that name a Service, or a port of one, which is not there.
func upstreams(ctx context.Context, in Input) []Finding {
	found := make([][]Finding, len(in.Upstreams))
	var all sync.WaitGroup
	for i, u := range in.Upstreams {
		all.Go(func() { found[i] = upstream(ctx, in, u) })
	}
	all.Wait()
	return slices.Concat(found...)
}

func upstream(ctx context.Context, in Input, up offline.Upstream) []Finding {
	u, err := url.Parse(up.URL)
	if err != nil {
		return nil
	}
	name, namespace, ok := service(u.Hostname(), in.Namespace)
	if !ok {
		return nil
	}
	what := fmt.Sprintf("serviceEndpoint %q names the Service %s in namespace %s", up.Name, name, namespace)
	live, err := in.Cluster.Get(ctx, object.Ref{Version: "v1", Kind: "Service", Namespace: namespace, Name: name})
	switch {
	case cluster.IsNotFound(err):
		return []Finding{{
			Code: "upstream-missing", Severity: Warning, Message: what + ", which is not there",
			Hint: "deploy that service first, or correct the URL with spec.upstreams in egk8s.yaml",
		}}
	case err != nil: // Services of other namespaces need not be seen
		return nil
	}
	var svc corev1.Service
	if cluster.Decode(live, &svc) != nil || svc.Spec.Type == corev1.ServiceTypeExternalName || svc.Spec.ClusterIP == corev1.ClusterIPNone {
		return nil // its ports are those of whoever it stands for
	}
	port := portOf(u)
	var ports []string
	for _, p := range svc.Spec.Ports {
		if int(p.Port) == port {
			return nil
		}
		ports = append(ports, strconv.Itoa(int(p.Port)))
	}
	return []Finding{{
		Code: "upstream-port", Severity: Warning, Message: fmt.Sprintf("%s at port %d, which it has not", what, port),
		Hint: "its ports: " + strings.Join(ports, ", "),
	}}
}

// service reads a host name as that of a Service: NAME, NAME.NAMESPACE or NAME.NAMESPACE.svc with what follows.
func service(host, own string) (name, namespace string, ok bool) {
	parts := strings.Split(strings.TrimSuffix(host, "."), ".")
	switch {
	case host == "" || host == "localhost" || strings.Contains(host, ":") || strings.Trim(host, "0123456789.") == "":
		return "", "", false
	case len(parts) == 1:
		return parts[0], own, true
	case len(parts) == 2: // may as well be a domain such as example.com
		return "", "", false
	case parts[2] == "svc":
		return parts[0], parts[1], true
	default:
		return "", "", false
	}
}

func portOf(u *url.URL) int {
	if n, err := strconv.Atoi(u.Port()); err == nil {
		return n
	}
	if u.Scheme == "https" {
		return 443
	}
	return 80
}
