package deployer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/deployer/render"
	"egk8s.dev/egk8s/deployer/rollout"
	"egk8s.dev/egk8s/deployer/verify"
)

// selector selects the pods of a release.
func (s *session) selector() string {
	return labels.SelectorFromSet(render.SelectorLabels(s.name)).String()
}

func (s *session) deploymentRef() object.Ref {
	return object.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: s.namespace, Name: s.name}
}

func (s *session) replicaSets(ctx context.Context) ([]*unstructured.Unstructured, error) {
	return s.client.List(ctx, cluster.Selection{
		Kind: object.Ref{Group: "apps", Version: "v1", Kind: "ReplicaSet"}, Namespace: s.namespace, Labels: s.selector(),
	})
}

// serve waits for the rollout and proves that it serves. The prober works beside the rollout: it takes
// only answers of the new configuration, so replicas that are leaving prove nothing.
func (d *deploy) serve(ctx context.Context) error {
	probing := &probing{deploy: d}
	defer probing.stop(ctx)
	probing.start(ctx)
	if err := d.wait(ctx); err != nil {
		return err
	}
	if err := d.balance(ctx); err != nil {
		return err
	}
	d.expose(ctx)
	d.out.begin(event.Verify)
	if err := d.digests(ctx); err != nil {
		return err
	}
	return probing.finish(ctx)
}

// sweep removes the probers of killed runs, whose Secrets may hold keys. The lock is held: no other
// deploy is probing.
func (d *deploy) sweep(ctx context.Context) {
	left := &verify.Prober{Cluster: d.client, Namespace: d.namespace, Release: d.name}
	if err := left.Sweep(ctx); err != nil {
		d.out.info("probers of earlier runs may be left: " + err.Error())
	}
}

// wait watches the rollout, that of the store first: the gateway's pods wait for it.
func (d *deploy) wait(ctx context.Context) error {
	d.out.begin(event.Rollout)
	if err := d.waitForStore(ctx); err != nil {
		return err
	}
	opts := d.watching()
	if d.applied == nil {
		d.noteFailing(ctx)
	}
	d.restartFailing(ctx)
	opts.Begun, opts.Before = d.started, d.failing
	if d.applied != nil {
		opts.Generation = d.applied.Generation["Deployment/"+d.name]
	}
	var err error
	d.rollout, err = rollout.Wait(ctx, d.client, opts)
	switch {
	case d.rollout.Phase == rollout.Failed:
		return d.unhealthy(d.rollout.Causes)
	case err != nil:
		return err
	}
	d.out.end(fmt.Sprintf("%d/%d ready", d.rollout.Ready, d.rollout.Wanted))
	return nil
}

// waitForStore watches the rollout of the release's own Redis, where it has one.
func (d *deploy) waitForStore(ctx context.Context) error {
	if d.project.InternalRedis() == nil {
		return nil
	}
	opts := d.watching()
	opts.Deployment, opts.Selector = render.RedisName(d.name), labels.SelectorFromSet(render.RedisLabels(d.name)).String()
	opts.Begun, opts.Config, opts.Ask = d.started, "", nil // it reads no file of the project and knows no digest
	if d.applied != nil {
		opts.Generation = d.applied.Generation["Deployment/"+opts.Deployment]
	}
	verdict, err := rollout.Wait(ctx, d.client, opts)
	if verdict.Phase == rollout.Failed {
		return d.unhealthy(verdict.Causes)
	}
	return err
}

func (d *deploy) watching() rollout.Options {
	opts := d.session.watching(d.out)
	opts.Config = d.project.ConfigDir()
	opts.Mask = d.mask()
	return opts
}

// mask removes the secrets that egk8s knows from what pods log: the values of the probes' headers.
func (d *deploy) mask() func(string) string {
	const tooShort = 6 // to be a secret, and to be removed without harm
	probes, _ := d.project.ExpandProbes(os.LookupEnv)
	var pairs []string
	for _, p := range probes {
		for _, value := range p.Headers {
			for _, secret := range append([]string{value}, strings.Fields(value)...) {
				if len(secret) >= tooShort {
					pairs = append(pairs, secret, "***")
				}
			}
		}
	}
	return strings.NewReplacer(pairs...).Replace
}

// watching says what to watch and how to show it.
func (s *session) watching(out *stream) rollout.Options {
	return rollout.Options{
		Namespace: s.namespace, Deployment: s.name, Selector: s.selector(), Now: s.now,
		Ask: func(ctx context.Context, pod string) (rollout.Answer, bool) {
			a := verify.Replicas(ctx, s.client, s.namespace, render.StatusPort, []verify.Pod{{Name: pod}})[0]
			return rollout.Answer{Loaded: a.LoadedDigest, Expected: a.ExpectedDigest, Reason: a.Reason}, a.Err == nil
		},
		Seen: func(v rollout.View) {
			out.emit(event.Event{
				Phase: event.Rollout, Type: event.Object, Object: v.Object, Parent: v.Parent, State: v.State, Message: v.Message, Progress: v.Progress,
			})
		},
	}
}

// unhealthy makes the error of a release that cannot become healthy, and shows every cause.
func (d *deploy) unhealthy(causes []event.Cause) error {
	for i := range causes {
		d.hints(&causes[i])
		d.out.emit(event.Event{Type: event.Diagnosis, Object: causes[i].Object, Diagnosis: &causes[i]})
	}
	d.result.Failures = append(d.result.Failures, causes...)
	return &UnhealthyError{Cause: causes[0], Others: causes[1:]}
}

// hints adds what still serves, in the release's own numbers, and what to do next.
func (d *deploy) hints(c *event.Cause) {
	if before := d.history.Deployed(); before != nil && strings.Contains(c.Serving, "old") {
		c.Serving = fmt.Sprintf("revision %d still serves (%d ready)", before.Revision, d.rollout.Old)
	}
	if c.Fix == "" {
		c.Fix = d.cloudHint(c)
	}
	if len(c.Next) == 0 {
		c.Next = []string{"egk8s logs", "egk8s status"}
		if c.Container != "" && c.ExitCode == nil && c.Code != "probe-failed" {
			c.Next = c.Next[1:] // the container never ran: there is no log
		}
		if before := d.history.Deployed(); before != nil && before.Revision < d.result.Revision && !d.opts.RollBack {
			c.Next = append(c.Next, fmt.Sprintf("egk8s rollback %d", before.Revision))
		}
	}
}

// cloudHint is the advice that the cloud's profile has for what the cluster said; empty: none.
func (d *deploy) cloudHint(c *event.Cause) string {
	texts := []string{c.Message}
	for _, e := range c.Events {
		texts = append(texts, e.Message)
	}
	for _, h := range d.profile.Hints {
		match, err := regexp.Compile(h.Match)
		if err == nil && slices.ContainsFunc(texts, match.MatchString) {
			return h.Say
		}
	}
	return ""
}

// probing sends the probes and listens to the answers while the rollout goes on.
type probing struct {
	deploy *deploy
	prober *verify.Prober
	probes []verify.Probe
	cancel context.CancelFunc
	done   chan struct{}
	err    error

	mu    sync.Mutex
	last  map[string]*verify.Answer
	first time.Time // when the first right answer came
}

// start starts the prober. What keeps it from starting is known at finish.
func (p *probing) start(ctx context.Context) {
	d := p.deploy
	p.last, p.done = map[string]*verify.Answer{}, make(chan struct{})
	ctx, p.cancel = context.WithCancel(ctx)
	declared, problems := d.project.ExpandProbes(os.LookupEnv)
	at, err := d.address(ctx)
	if err := errors.Join(err, problems.Err()); err != nil {
		p.fail(err)
		return
	}
	p.probes = verify.Probes(at, declaredProbes(declared), d.report.Routes)
	if len(p.probes) == 0 {
		p.fail(nil)
		return
	}
	if p.prober, err = d.prober(ctx, d.rendered.Digest, d.owner("")); err == nil {
		err = p.prober.Start(ctx, p.probes)
	}
	if err != nil {
		p.fail(err)
		return
	}
	go func() {
		defer close(p.done)
		p.err = p.prober.Answers(ctx, p.take)
	}()
}

func (p *probing) fail(err error) {
	p.err = err
	close(p.done)
}

func declaredProbes(list []project.Probe) []verify.Declared {
	out := make([]verify.Declared, len(list))
	for i, q := range list {
		out[i] = verify.Declared{Method: q.Method, Path: q.Path, Host: q.Host, Headers: q.Headers, Expect: q.Expect}
	}
	return out
}

// address is where the Service answers inside the cluster.
func (d *deploy) address(ctx context.Context) (verify.Address, error) {
	ref := object.Ref{Version: "v1", Kind: "Service", Namespace: d.namespace, Name: d.rendered.Names.Service}
	u, err := d.client.Get(ctx, ref)
	if err != nil {
		return verify.Address{}, err
	}
	ip, _, err := unstructured.NestedString(u.Object, "spec", "clusterIP")
	return verify.Address{IP: ip, HTTP: d.rendered.Ports.HTTP, HTTPS: d.rendered.Ports.HTTPS}, err
}

// take takes one answer; false: no more are needed.
func (p *probing) take(a verify.Answer) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last[a.ID] = &a
	if a.Final && p.first.IsZero() {
		p.first = p.deploy.now()
	}
	return p.open() > 0
}

// open counts the probes whose answer is not final. The caller holds the lock.
func (p *probing) open() int {
	n := 0
	for _, probe := range p.probes {
		if a := p.last[probe.ID()]; a == nil || !a.Final {
			n++
		}
	}
	return n
}

func (p *probing) stop(ctx context.Context) {
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
