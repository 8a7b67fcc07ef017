// Package expose finds out how the gateway is reached from outside the cluster, and tries it: an
// address that did not answer is never called reachable.
package expose

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Node is an address of a node.
type Node struct {
	Address string
}

// Candidates are the URLs under which the Service may answer from outside: the load balancer's
// addresses, or the node ports on the nodes' addresses.
func Candidates(svc *corev1.Service, nodes []Node) []string {
	var out []string
	for _, port := range svc.Spec.Ports {
		scheme := "http"
		if port.Name == "https" {
			scheme = "https"
		}
		if port.Name != "http" && port.Name != "https" {
			continue
		}
		for _, ingress := range svc.Status.LoadBalancer.Ingress {
			host := ingress.Hostname
			if host == "" {
				host = ingress.IP
			}
			out = append(out, url(scheme, host, port.Port))
		}
		if svc.Spec.Type == corev1.ServiceTypeNodePort && port.NodePort != 0 {
			for _, n := range nodes {
				out = append(out, url(scheme, n.Address, port.NodePort))
			}
		}
	}
	return out
}

func url(scheme, host string, port int32) string {
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(int(port)))
}

// patience is how long one address may take to answer.
const patience = time.Second

// Try returns the first candidate, in their order, behind which a gateway with the configuration of
// that digest answers; empty: none did. Something else that answers HTTP, such as a captive portal, is
// not the gateway (docs/reference/gateway.md, "Who answered").
func Try(ctx context.Context, candidates []string, config string) string {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client := &http.Client{
		Transport: &http.Transport{
			DisableKeepAlives: true,
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // whether it answers, not whom a client trusts
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answered := make([]chan bool, len(candidates))
	for i, candidate := range candidates {
		answered[i] = make(chan bool, 1)
		go func() { answered[i] <- answers(ctx, client, candidate, config) }()
	}
	for i, candidate := range candidates {
		if <-answered[i] {
			return candidate
		}
	}
	return ""
}

func answers(ctx context.Context, client *http.Client, candidate, config string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, candidate+"/", http.NoBody)
	if err != nil {
		return false
	}
	req.Header.Set("Egk8s-Probe", config)
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return config != "" && resp.Header.Get("Egk8s-Config") == config
}
