package verify

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"time"

	"egk8s.dev/egk8s/deployer/event"
)

// Inside asks pods for their status from inside the cluster, where the API server does not reach
// them. It returns a cause for every one that differs.
func Inside(ctx context.Context, p *Prober, pods []Pod, port int, want Want) ([]event.Cause, error) {
	const patience = 30 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var probes []Probe
	for _, pod := range pods {
		probes = append(probes, Probe{Name: pod.Name, request: request{
			ID: pod.Name, URL: "http://" + net.JoinHostPort(pod.IP, strconv.Itoa(port)) + "/egk8s/status", Expect: http.StatusOK,
		}})
	}
	if err := p.Start(ctx, probes); err != nil {
		return nil, err
	}
	states := map[string]Status{}
	err := p.Answers(ctx, func(a Answer) bool {
		if a.Final {
			states[a.ID] = parse(a.ID, []byte(a.Body))
		}
		return len(states) < len(pods)
	})
	if err != nil && len(states) < len(pods) {
		return nil, err
	}
	var causes []event.Cause
	for _, pod := range pods {
		if wrong := want.wrong(states[pod.Name]); wrong != "" {
			causes = append(causes, Differs(pod.Name, wrong))
		}
	}
	return causes, nil
}
