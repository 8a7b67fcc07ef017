package deployer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/google/uuid"

	"egk8s.dev/egk8s/deployer/cloud/triton"
	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/difference"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/expose/balancer"
	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/release"
)

// planOutside plans what is made beyond the cluster. The node ports are those of the Services that are there; where
// there are none yet, the plan is made again once there are.
func (d *deploy) planOutside(ctx context.Context) error {
	if d.outside == nil {
		return d.leaveOutside(ctx)
	}
	o := d.outside
	o.wanted.ID = uuid.NewString()
	if d.state.Outside != nil {
		o.know(d.state.Outside)
	}
	newest := d.history.Newest()
	o.unsettled = d.state.Intent != nil || newest != nil && newest.Status == release.Failed
	if d.state.Outside == nil && o.wanted.Way == "" {
		d.outside = nil
		return nil
	}
	return d.survey(ctx)
}

// leaveOutside opens CloudAPI when this deploy needs it only to remove what an earlier one made.
func (d *deploy) leaveOutside(ctx context.Context) error {
	if d.state.Outside == nil {
		return nil
	}
	o, err := newOutside()
	if err != nil {
		d.warn("what earlier deploys made outside of the cluster stays there: " + err.Error())
		return nil //nolint:nilerr // said
	}
	o.wanted = leaving(d.name, d.state.Outside)
	d.outside = o
	return d.survey(ctx)
}

func leaving(name string, o *release.Outside) *balancer.Wanted {
	return &balancer.Wanted{Release: name, ID: o.ID, Label: o.Label, Former: o.Former}
}

// survey reads what there is and plans.
func (d *deploy) survey(ctx context.Context) error {
	o := d.outside
	o.wanted.Ports = d.nodePorts(ctx)
	site, err := balancer.Survey(ctx, o.api, o.wanted)
	if err != nil {
		return cloudError(err)
	}
	o.site, o.steps = site, site.Plan(o.wanted)
	return nil
}

// nodePorts are those of the release's Services; what cannot be read is 0.
func (s *session) nodePorts(ctx context.Context) balancer.Ports {
	var out balancer.Ports
	for _, name := range []string{s.name, s.name + "-status"} {
		u, err := s.client.Get(ctx, object.Ref{Version: "v1", Kind: "Service", Namespace: s.namespace, Name: name})
		var svc corev1.Service
		if err != nil || cluster.Decode(u, &svc) != nil {
			continue
		}
		for _, p := range svc.Spec.Ports {
			switch p.Name {
			case "http":
				out.HTTP = int(p.NodePort)
			case "https":
				out.HTTPS = int(p.NodePort)
			case "ready":
				out.Status = int(p.NodePort)
			}
		}
	}
	return out
}

// balance makes what stands in front of the node ports, and waits until it leads to the gateway.
func (d *deploy) balance(ctx context.Context) error {
	o := d.outside
	if o == nil {
		return nil
	}
	d.out.begin(event.Expose)
	if err := d.survey(ctx); err != nil {
		return err
	}
	changed := len(o.steps) > 0 || o.unsettled
	if err := d.runSteps(ctx); err != nil {
		return err
	}
	o.wanted.Former = nil // nothing has them any more
	if o.wanted.Way == "" {
		d.state.Outside = nil // nothing of it is left
		return nil
	}
	if len(o.steps) > 0 {
		if err := d.survey(ctx); err != nil { // new instances have addresses now
			return err
		}
	}
	return d.answers(ctx, changed)
}

func (d *deploy) runSteps(ctx context.Context) error {
	err := balancer.Run(ctx, d.outside.api, d.outside.steps, func(s balancer.Step) {
		d.out.emit(stepEvent(s))
		d.result.Changes = append(d.result.Changes, stepChange(s))
	})
	if err == nil || ctx.Err() != nil {
		return err
	}
	err = cloudError(err)
	if _, away := errors.AsType[*CloudError](err); away {
		return err
	}
	return d.unhealthy([]event.Cause{{
		Code: "balancer-failed", Object: "Instance/" + d.outside.wanted.Label, Reason: "CloudAPI", Message: err.Error(), Fix: hintOf(err),
	}})
}

// answers waits until every address leads to the gateway. It remembers the addresses for later looks.
func (d *deploy) answers(ctx context.Context, changed bool) error {
	o := d.outside
	o.urls = o.site.URLs(o.wanted)
	d.state.Outside = d.outsideState()
	asker := newAsker(d.rendered.Digest)
	if changed && o.settle > 0 {
		d.out.info(fmt.Sprintf("names and load balancers take up to %s to learn of this", o.settle))
	}
	answers, err := balancer.Await(ctx, o.api.Clock, changed, o.settle, func(ctx context.Context) []balancer.Answer {
		return asker.Ask(ctx, o.urls)
	})
	if err != nil {
		return err
	}
	o.url = balancer.Best(answers)
	site, err := balancer.Survey(ctx, o.api, o.wanted) // what there is now explains it
	if err != nil {
		return cloudError(err)
	}
	if p := site.Diagnose(ctx, o.wanted, asker, answers); p != nil {
		return d.unhealthy([]event.Cause{{Code: p.Code, Object: p.Object, Reason: "NotReachable", Message: p.Message, Fix: p.Fix}})
	}
	return nil
}

// outsideState is what later runs must know: without it nobody finds again what was made.
func (d *deploy) outsideState() *release.Outside {
	o := d.outside
	return &release.Outside{ID: o.wanted.ID, Label: o.wanted.Label, Former: o.wanted.Former, Way: string(o.wanted.Way), URLs: o.urls}
}

// newAsker asks for the gateway; EGK8S_CNS_SERVER names another name server than this machine's, for zones that are not
// delegated to it.
func newAsker(config string) *balancer.Asker {
	return &balancer.Asker{Config: config, NameServer: os.Getenv("EGK8S_CNS_SERVER")}
}

// outsideAnswers asks the addresses that a deploy has made; empty: there are none, or none leads to the gateway.
func outsideAnswers(ctx context.Context, o *release.Outside, config string) string {
	if o == nil || len(o.URLs) == 0 {
		return ""
	}
	return balancer.Best(newAsker(config).Ask(ctx, o.URLs))
}

func stepEvent(s balancer.Step) event.Event {
	return event.Event{Type: event.Object, Object: s.String(), Action: event.Action(s.Action), Message: s.Reason}
}

func stepChange(s balancer.Step) Change {
	return Change{Kind: string(s.Kind), Name: s.Name, Action: event.Action(s.Action), Reason: s.Reason}
}

// outsideChanges are what a plan changes beyond the cluster.
func (d *deploy) outsideChanges() []Change {
	if d.outside == nil {
		return nil
	}
	out := make([]Change, len(d.outside.steps))
	for i, s := range d.outside.steps {
		out[i] = stepChange(s)
	}
	return out
}

// outsideDifferences are the same for those who review a change.
func (d *deploy) outsideDifferences() []difference.Object {
	var out []difference.Object
	for _, c := range d.outsideChanges() {
		out = append(out, difference.Object{Kind: c.Kind, Name: c.Name, Action: c.Action, Reason: c.Reason})
	}
	return out
}

// CloudError (4) says that the cloud's own API cannot be used: it does not answer, or we may not.
type CloudError struct {
	Err    error
	Advice string
}

func (e *CloudError) Error() string { return e.Err.Error() }
func (e *CloudError) Unwrap() error { return e.Err }

// cloudError gives an error of CloudAPI its class.
func cloudError(err error) error {
	_, unreachable := errors.AsType[*triton.UnreachableError](err)
	refused, ok := errors.AsType[*triton.APIError](err)
	const unauthorized, forbidden = 401, 403
	if unreachable || triton.IsThrottled(err) || ok && (refused.Status == unauthorized || refused.Status == forbidden) {
		return &CloudError{Err: err, Advice: hintOf(err)}
	}
	return err
}

// removeOutside removes what deploys made beyond the cluster.
func (d *destroy) removeOutside(ctx context.Context, dry bool) error {
	if d.state.Outside == nil {
		return nil
	}
	o, err := newOutside()
	if err != nil {
		return &CloudError{
			Err:    fmt.Errorf("deploys made instances, tags or firewall rules on Triton (%s=%s), which cannot be removed: %w", balancer.IDTag, d.state.Outside.ID, err),
			Advice: hintOf(err),
		}
	}
	wanted := leaving(d.name, d.state.Outside)
	site, err := balancer.Survey(ctx, o.api, wanted)
	if err != nil {
		return cloudError(err)
	}
	note := func(s balancer.Step) {
		d.out.emit(stepEvent(s))
		d.result.Deleted = append(d.result.Deleted, stepChange(s))
	}
	steps := site.Plan(wanted)
	if dry {
		for _, s := range steps {
			note(s)
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, outsidePatience)
	defer cancel()
	return cloudError(balancer.Run(ctx, o.api, steps, note))
}

// outsidePatience is how long instances may take to go.
const outsidePatience = 90 * time.Second
