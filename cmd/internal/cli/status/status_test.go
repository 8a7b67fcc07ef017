package status_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/cmd/internal/cli/status"
	"egk8s.dev/egk8s/cmd/internal/stdio"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/event"
)

func newStatus(health deployer.Health, now time.Time) *deployer.StatusResult {
	return &deployer.StatusResult{
		Name: "petstore", Namespace: "gateway", Context: "triton-us", Cloud: "triton", Health: health, Revision: 4,
		Updated: now.Add(-2 * time.Hour), Image: "registry.example.com/petstore/gateway:1.4.2@sha256:aaaa",
		ConfigDigest: "7c9f0011223344556677", Replicas: 3, Ready: 3, Current: 3,
		Service: deployer.ServiceStatus{Type: "LoadBalancer", Ports: []string{"http 8080"}, Addresses: []string{"203.0.113.10"}, Endpoints: 3},
		URL:     "http://203.0.113.10:8080",
		Pods: []deployer.PodStatus{
			{Name: "petstore-1", Node: "n1", State: event.Ready, Since: now.Add(-time.Hour), ConfigDigest: "7c9f0011223344556677"},
			{Name: "petstore-22", Node: "n2", State: event.Failed, Restarts: 3, Since: now.Add(-time.Minute), Message: "CrashLoopBackOff\x1b[2J"},
		},
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	tests := []struct {
		name, output, want string
		change             func(*deployer.StatusResult)
	}{
		{
			"healthy", "",
			"petstore   ✓ healthy   triton/gateway   revision 4   since 2h\n" +
				"  Gateway    3/3 ready   registry.example.com/petstore/gateway:1.4.2   restarts 0\n" +
				"  Config     7c9f00112233   in use by 3/3 pods\n" +
				"  Service    LoadBalancer   http 8080   203.0.113.10   endpoints 3\n" +
				"  URL        http://203.0.113.10:8080\n" +
				"Warnings: none\n",
			func(*deployer.StatusResult) {},
		},
		{
			"wide", "wide",
			"petstore   ✓ healthy   triton/gateway   revision 4   since 2h\n" +
				"  Gateway    3/3 ready   registry.example.com/petstore/gateway:1.4.2   restarts 0\n" +
				"  Config     7c9f00112233   in use by 3/3 pods\n" +
				"  Service    LoadBalancer   http 8080   203.0.113.10   endpoints 3\n" +
				"  URL        http://203.0.113.10:8080\n" +
				"\n" +
				"  POD          STATE          RESTARTS    AGE  CONFIG        NODE                 INFO\n" +
				"  petstore-1   ✓ ready               0     1h  7c9f00112233  n1\n" +
				"  petstore-22  ✗ failed              3     1m                n2                   CrashLoopBackOff\n" +
				"! changed outside egk8s: Service/petstore (spec.ports) by kubectl-edit\n" +
				"warning: mind the gap\n",
			func(s *deployer.StatusResult) {
				s.Drift = []deployer.Drift{{Object: "Service/petstore", Fields: []string{"spec.ports"}, By: "kubectl-edit"}}
				s.Warnings = []string{"mind the gap"}
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			io, buffers := stdio.Test(nil)
			a := &app.App{IO: io, Flags: &app.Global{}, Now: func() time.Time { return now }}
			s := newStatus(deployer.Healthy, now)
			test.change(s)
			err := status.Run(t.Context(), &status.Options{
				App: a, Name: "petstore", Output: test.output,
				Status: func(context.Context, deployer.StatusOptions) (*deployer.StatusResult, error) { return s, nil },
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, buffers.Out.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestExitCodeByHealth(t *testing.T) {
	t.Parallel()
	for health, want := range map[deployer.Health]exit.Code{
		deployer.Healthy: exit.OK, deployer.Updating: exit.Unfinished,
		deployer.Degraded: exit.Unhealthy, deployer.Unavailable: exit.Unhealthy,
	} {
		io, _ := stdio.Test(nil)
		err := status.Run(t.Context(), &status.Options{
			App: &app.App{IO: io, Flags: &app.Global{}, Now: time.Now}, Name: "petstore", Output: "json",
			Status: func(context.Context, deployer.StatusOptions) (*deployer.StatusResult, error) {
				return newStatus(health, time.Now()), nil
			},
		})
		if got := exit.Of(err); got != want {
			t.Errorf("%s ends with %d, want %d", health, got, want)
		}
	}
}
