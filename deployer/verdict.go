package deployer

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"egk8s.dev/egk8s/deployer/cloud"
	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/expose"
	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/verify"
)

// reachCommand makes a gateway reachable that no address outside the cluster leads to.
const reachCommand = "egk8s port-forward gateway"

// How long the prober may need to start, and how long a wrong answer may become a right one once
// every replica is ready.
const (
	proberStart  = 30 * time.Second
	settle       = 5 * time.Second         // while a declared probe is not right
	settleRoutes = 1500 * time.Millisecond // while only a service behind the gateway does not answer
)

// finish waits for the probes and gives the verdict on them.
func (p *probing) finish(ctx context.Context) error {
	d := p.deploy
	p.await(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	p.cancel()
	<-p.done
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.err == nil && len(p.probes) > 0 && len(p.last) == 0:
		p.err = errors.New("the prober gave no answer in time")
		return p.unprobed()
	case p.err != nil && len(p.last) == 0:
		return p.unprobed()
	case len(p.probes) == 0:
		d.out.end("every replica serves the config; there is no route to probe")
		return nil
	}
	if !p.first.IsZero() {
		d.result.TimeToFirstAnswerMs = max(1, p.first.Sub(d.applying).Milliseconds())
	}
	var causes []event.Cause
	right, answers := 0, p.answers()
	for _, probe := range p.probes {
		r := probe.Judge(p.last[probe.ID()], answers)
		d.result.Probes = append(d.result.Probes, ProbeResult(r))
		switch r.Outcome {
		case verify.OK:
			right++
		case verify.Warning:
			d.warn("probe " + r.Name + ": " + r.Message)
		default:
			causes = append(causes, event.Cause{
				Code: "probe-wrong", Object: "Service/" + d.rendered.Names.Service, Reason: "Probe",
				Message: fmt.Sprintf("%s %s: %s", r.Method, r.Path, r.Message),
				Next:    []string{"egk8s logs", reachCommand},
			})
		}
	}
	if len(causes) > 0 {
		return d.unhealthy(causes)
	}
	d.out.end(fmt.Sprintf("%d of %d probes right, first answer after %.1f s", right, len(p.probes), float64(d.result.TimeToFirstAnswerMs)/1000))
	return nil
}

// answers tells whether any probe got an answer. The caller holds the lock.
func (p *probing) answers() bool {
	for _, a := range p.last {
		if a.Status != 0 {
			return true
		}
	}
	return false
}

// await waits until every probe is final, but not long after everything is ready.
func (p *probing) await(ctx context.Context) {
	limit := time.NewTimer(proberStart)
	defer limit.Stop()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	var settling time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.done:
			return
		case <-limit.C:
			return
		case <-look.C:
			patience, now := p.patience(), p.deploy.now()
			switch {
			case patience == 0:
			case settling.IsZero():
				settling = now
			case now.Sub(settling) > patience:
				return
			}
		}
	}
}

// patience is how long to wait for the answers that are still wrong; 0: there was none yet at all.
func (p *probing) patience() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.last) == 0 {
		return 0
	}
	for _, probe := range p.probes {
		if a := p.last[probe.ID()]; a == nil || !a.Final && (probe.Declared || a.Status == 0 && !probe.Slow(a)) {
			return settle
		}
	}
	return settleRoutes
}

// unprobed says that the probes could not be sent: a failure only when somebody declared some.
func (p *probing) unprobed() error {
	d := p.deploy
	message := "the probes could not be sent: " + p.err.Error()
	if len(d.project.Spec.Probes) == 0 {
		d.warn(message)
		d.out.end("every replica serves the config; no request was sent through the Service")
		return nil
	}
	return d.unhealthy([]event.Cause{{Code: "prober-failed", Object: "Service/" + d.rendered.Names.Service, Reason: "Prober", Message: message}})
}

// unchanged ends a deploy that has nothing to do: it only looks whether what is there is healthy.
func (d *deploy) unchanged(ctx context.Context) error {
	d.result.Changes = changes(d.plan.Ops)
	d.result.Revision = d.history.Newest().Revision
	if err := d.wait(ctx); err != nil {
		return d.sick(ctx, err)
	}
	d.out.begin(event.Verify)
	if err := d.digests(ctx); err != nil {
		return d.sick(ctx, err)
	}
	d.out.end("every replica serves the config")
	if err := d.balance(ctx); err != nil {
		return d.sick(ctx, err)
	}
	d.expose(ctx)
	d.result.Outcome = Unchanged
	return nil
}

// sick ends a deploy that had nothing to do and finds what is there not healthy.
func (d *deploy) sick(ctx context.Context, err error) error {
	failure := d.failed(ctx, err)
	d.evidence(ctx, failure)
	return failure
}

// expose finds the address that answers from here.
func (d *deploy) expose(ctx context.Context) {
	if d.outside != nil && d.outside.url != "" {
		d.result.URL = d.outside.url
		d.out.end(d.result.URL)
		return
	}
	d.out.begin(event.Expose)
	d.result.URL, d.result.Reach = d.reach(ctx, d.profile.Reach == cloud.LoadBalancer, d.rendered.Digest)
	if d.result.URL != "" {
		d.out.end(d.result.URL)
		return
	}
	if d.profile.Reach == cloud.LoadBalancer {
		d.tellPending(ctx)
	}
	d.out.end("no address answers from here; reach it with " + d.result.Reach)
}

// addressPatience is how long a load balancer may take to get its address before it is called pending.
const addressPatience = 30 * time.Second

// reach returns the URL that answered from here, or the command that makes the gateway reachable.
// For a moment after a rollout an address may still lead to a replica that is leaving.
func (s *session) reach(ctx context.Context, balanced bool, config string) (url, command string) {
	ctx, cancel := context.WithTimeout(ctx, addressPatience)
	defer cancel()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for tries := 1; ; tries++ {
		candidates := s.candidates(ctx)
		if url := expose.Try(ctx, candidates, config); url != "" {
			return url, ""
		}
		if !balanced && (len(candidates) == 0 || tries == 3) {
			return "", reachCommand
		}
		if len(candidates) == 0 && tries%5 == 0 {
			if _, refused := s.pendingAddress(ctx); refused {
				return "", reachCommand
			}
		}
		select {
		case <-ctx.Done():
			return "", reachCommand
		case <-tick.C:
		}
	}
}

func (s *session) candidates(ctx context.Context) []string {
	u, err := s.client.Get(ctx, s.serviceRef())
	var svc corev1.Service
	if err != nil || cluster.Decode(u, &svc) != nil {
		return nil
	}
	if svc.Spec.Type != corev1.ServiceTypeNodePort {
		return expose.Candidates(&svc, nil)
	}
	list, err := s.client.List(ctx, cluster.Selection{Kind: object.Ref{Version: "v1", Kind: "Node"}})
	if err != nil {
		return nil // reading nodes is a right that a deploy does not need
	}
	const most = 3
	var nodes []expose.Node
	for _, u := range list[:min(most, len(list))] {
		var n corev1.Node
		if cluster.Decode(u, &n) != nil {
			continue
		}
		for _, a := range n.Status.Addresses {
			if a.Type == corev1.NodeExternalIP || a.Type == corev1.NodeInternalIP {
				nodes = append(nodes, expose.Node{Address: a.Address})
			}
		}
	}
	return expose.Candidates(&svc, nodes)
}

func (s *session) serviceRef() object.Ref {
	return object.Ref{Version: "v1", Kind: "Service", Namespace: s.namespace, Name: s.name}
}
