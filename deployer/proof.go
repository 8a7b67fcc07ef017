package deployer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/verify"
)

// Proof is what steady traffic through the Service met while a deploy went on.
type Proof struct {
	Rate   int           `json:"rate"` // requests a second
	Lost   int           `json:"lost"` // while the change was made, and after it
	Before verify.Period `json:"before"`
	During verify.Period `json:"during"`
	After  verify.Period `json:"after"`
	// Errors are reasons for what was lost, a few of them.
	Errors []string `json:"errors,omitempty"`
}

// String says it in one line.
func (p *Proof) String() string {
	return fmt.Sprintf("%d of %d requests lost; p99 %.1f ms before, %.1f ms during, %.1f ms after",
		p.Lost, p.During.Sent+p.After.Sent, p.Before.P99Ms, p.During.P99Ms, p.After.P99Ms)
}

// ProveOptions ask for traffic during a deploy.
type ProveOptions struct {
	Rate int // requests a second; 0: no traffic
	// Gate makes the deploy fail when more than MaxLost requests are lost.
	Gate    bool
	MaxLost int
}

// How long the traffic runs before the change and after it, and how long its pod may take to start.
const (
	proofBefore = 2 * time.Second
	proofAfter  = 2 * time.Second
	proofStart  = 20 * time.Second
)

// proving is traffic under way.
type proving struct {
	deploy *deploy
	prober *verify.Prober
	cancel context.CancelFunc
	done   chan struct{}
	err    error // of reading the traffic, once done is closed

	mu     sync.Mutex
	tally  verify.Tally
	period int
}

// startTraffic begins to send, before anything is changed, and waits until it is known what clients meet now.
func (d *deploy) startTraffic(ctx context.Context) error {
	if d.opts.Prove.Rate == 0 {
		return nil
	}
	if d.history.Deployed() == nil {
		d.warn("nothing served before this deploy: there is no traffic that it could lose")
		return nil
	}
	p := &proving{deploy: d, done: make(chan struct{})}
	if err := p.start(ctx); err != nil {
		return d.noTraffic(ctx, p, err)
	}
	d.traffic = p
	limit, cancel := context.WithTimeout(ctx, proofStart)
	defer cancel()
	if err := p.await(limit, d.opts.Prove.Rate*int(proofBefore/time.Second)*3/4); err != nil {
		return d.noTraffic(ctx, p, err)
	}
	p.enter(verify.During)
	d.out.emit(event.Event{
		Phase: event.Apply, Type: event.Info, // what follows is what the traffic is about
		Message: fmt.Sprintf("traffic: %d requests a second go through Service/%s", d.opts.Prove.Rate, d.rendered.Names.Service),
	})
	return nil
}

// noTraffic says that there is no proof: an error only where the deploy depends on it.
func (d *deploy) noTraffic(ctx context.Context, p *proving, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	p.stop(ctx)
	d.traffic = nil
	message := "the traffic of --prove could not start: " + err.Error()
	if d.opts.Prove.Gate {
		return &CheckError{Code: "no-traffic", Message: message, Hint: "nothing was changed; without --prove-max-lost the deploy goes on without a proof"}
	}
	d.warn(message)
	return nil
}

func (p *proving) start(ctx context.Context) error {
	d := p.deploy
	declared, problems := d.project.ExpandProbes(os.LookupEnv)
	at, err := d.address(ctx)
	if err := errors.Join(err, problems.Err()); err != nil {
		return err
	}
	probes := verify.Probes(at, declaredProbes(declared), d.report.Routes)
	if len(probes) == 0 {
		return errors.New("the configuration has no route that a read-only request could take")
	}
	if p.prober, err = d.prober(ctx, "", d.owner("")); err != nil {
		return err
	}
	p.prober.Image, p.prober.Lifetime = d.result.Image, d.opts.Timeout+time.Minute
	if err := p.prober.StartTraffic(ctx, probes, d.opts.Prove.Rate); err != nil {
		return err
	}
	ctx, p.cancel = context.WithCancel(ctx)
	go func() {
		defer close(p.done)
		p.err = p.prober.Windows(ctx, p.take)
	}()
	return nil
}

func (p *proving) take(w verify.Window) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tally.Add(p.period, w)
	return true
}

func (p *proving) enter(period int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.period = period
}

func (p *proving) sent() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tally.Periods[p.period].Sent
}

// await waits until n requests of the period were sent.
func (p *proving) await(ctx context.Context, n int) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for p.sent() < n {
		select {
		case <-ctx.Done():
			return fmt.Errorf("no traffic yet after %s", proofStart)
		case <-p.done:
			return errors.Join(errors.New("the traffic has ended"), p.err)
		case <-tick.C:
		}
	}
	return nil
}

// endTraffic goes on for a moment after the change, and says what the traffic met.
func (d *deploy) endTraffic(ctx context.Context) error {
	p := d.traffic
	if p == nil {
		return nil
	}
	p.enter(verify.After)
	limit, cancel := context.WithTimeout(ctx, proofStart)
	defer cancel()
	if err := p.await(limit, d.opts.Prove.Rate*int(proofAfter/time.Second)*3/4); err != nil && ctx.Err() == nil {
		d.warn("the traffic of --prove ended early: " + err.Error())
	}
	proof := p.proof()
	d.result.Proof = proof
	d.out.info("traffic: " + proof.String())
	if d.opts.Prove.Gate && proof.Lost > d.opts.Prove.MaxLost {
		return d.unhealthy([]event.Cause{{
			Code: "requests-lost", Object: "Service/" + d.rendered.Names.Service, Reason: "Traffic", Logs: proof.Errors,
			Message: fmt.Sprintf("%d of %d requests were lost during the deploy; at most %d may be", proof.Lost, proof.During.Sent+proof.After.Sent, d.opts.Prove.MaxLost),
		}})
	}
	return nil
}

func (p *proving) proof() *Proof {
	p.mu.Lock()
	defer p.mu.Unlock()
	periods := p.tally.Result()
	return &Proof{
		Rate: p.deploy.opts.Prove.Rate, Lost: p.tally.Lost(), Errors: p.tally.Errors,
		Before: periods[verify.Before], During: periods[verify.During], After: periods[verify.After],
	}
}

// stop ends the traffic and removes its pod.
func (p *proving) stop(ctx context.Context) {
	if p.cancel != nil {
		p.cancel()
		<-p.done
	}
	if p.prober != nil {
		if err := p.prober.Stop(ctx); err != nil {
			p.deploy.warn(err.Error())
		}
	}
}
