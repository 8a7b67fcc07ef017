package expose_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"egk8s.dev/egk8s/deployer/expose"
)

func TestCandidates(t *testing.T) {
	t.Parallel()
	ports := []corev1.ServicePort{{Name: "http", Port: 80, NodePort: 30080}, {Name: "https", Port: 443, NodePort: 30443}, {Name: "status", Port: 9877}}
	balanced := &corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, Ports: ports}}
	balanced.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "203.0.113.5"}, {Hostname: "lb.example.com"}}
	cases := map[string]struct {
		svc   *corev1.Service
		nodes []expose.Node
		want  []string
	}{
		"load balancer": {balanced, nil, []string{"http://203.0.113.5:80", "http://lb.example.com:80", "https://203.0.113.5:443", "https://lb.example.com:443"}},
		"node port": {
			&corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeNodePort, Ports: ports[:1]}},
			[]expose.Node{{"192.0.2.1"}, {"2001:db8::1"}},
			[]string{"http://192.0.2.1:30080", "http://[2001:db8::1]:30080"},
		},
		"inside only": {&corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeClusterIP, Ports: ports}}, []expose.Node{{"192.0.2.1"}}, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(c.want, expose.Candidates(c.svc, c.nodes)); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestTry: an address that refuses is passed over; any HTTP answer, also a 404, is one.
func TestTry(t *testing.T) {
	t.Parallel()
	portal := httptest.NewServer(http.NotFoundHandler())
	defer portal.Close()
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Egk8s-Probe") == "d1" {
			w.Header().Set("Egk8s-Config", "d1")
		}
		http.NotFound(w, r)
	}))
	defer gateway.Close()
	all := []string{"http://127.0.0.1:1", portal.URL, gateway.URL}
	if got := expose.Try(t.Context(), all, "d1"); got != gateway.URL {
		t.Errorf("got %q, want the gateway", got)
	}
	for _, other := range []string{"d2", ""} {
		if got := expose.Try(t.Context(), all, other); got != "" {
			t.Errorf("digest %q: %q is called reachable", other, got)
		}
	}
	if got := expose.Try(t.Context(), []string{"http://127.0.0.1:1"}, "d1"); got != "" {
		t.Errorf("a dead address is called reachable: %q", got)
	}
}
