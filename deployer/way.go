package deployer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"egk8s.dev/egk8s/deployer/check"
	"egk8s.dev/egk8s/deployer/cloud"
	"egk8s.dev/egk8s/deployer/cloud/triton"
	"egk8s.dev/egk8s/deployer/expose/balancer"
	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/deployer/release"
)

// outside is what stands in front of a release beyond the cluster, on clouds where egk8s makes that itself. No
// credential of it enters the cluster.
type outside struct {
	api    *triton.Client
	wanted *balancer.Wanted
	settle time.Duration
	chosen bool // by the user: what is missing stops the deploy; else the nodes' addresses are the way in

	// unsettled: a run before this one was not finished, so names and load balancers may still be learning.
	unsettled bool

	site  *balancer.Site
	steps []balancer.Step
	// urls are the addresses under which it should answer, url the one that did.
	urls []string
	url  string
}

// The Deployment's Service of these ways is another than the profile's.
func forWay(p cloud.Profile, way string) cloud.Profile {
	switch {
	case p.Triton == nil:
	case way == project.WayServiceLB:
		p.Service, p.Reach = p.Triton.Service, cloud.LoadBalancer
	case way == project.WayCLB:
		p.StatusService = cloud.StatusService{Enabled: true, Type: "NodePort"} // the load balancers ask it whether a node is well
	}
	return p
}

// offlineWay is the way in as far as the project alone says it.
func offlineWay(spec project.Triton) string {
	if spec.Way == "" && spec.Package != "" {
		return project.WayCLB
	}
	return spec.Way
}

// chooseWay chooses how traffic comes in: as the project says, else the first way for which everything is there.
func (d *deploy) chooseWay(ctx context.Context) error {
	t, spec := d.profile.Triton, d.project.Spec.Triton
	if t == nil {
		return nil
	}
	way := offlineWay(spec)
	if way == "" && d.answered(ctx, t.Controllers) {
		way = project.WayServiceLB
	}
	chosen := way != ""
	var err error
	switch way {
	case "":
		d.outside, err = newOutside()
		if missing := new(triton.NoCredentialsError); errors.As(err, &missing) && len(missing.Missing) == 0 {
			d.out.info("the way in is the nodes' addresses: with credentials of CloudAPI it could be a name, or load balancers (spec.triton.package)")
		} else if err != nil {
			d.warn("the way in is the nodes' addresses: " + err.Error())
		}
		if way = project.WayNames; err != nil {
			way = project.WayNodePort
		}
	case project.WayCLB, project.WayNames:
		if d.outside, err = newOutside(); err != nil {
			return &CheckError{Code: "triton-credentials", Message: err.Error(), Hint: hintOf(err)}
		}
	}
	d.profile = forWay(d.profile, way)
	if d.outside == nil {
		return nil
	}
	d.outside.chosen = chosen
	return d.want(way)
}

// answered tells whether a controller of the cluster answers LoadBalancer Services.
func (d *deploy) answered(ctx context.Context, controllers []string) bool {
	for _, c := range controllers {
		namespace, name, _ := strings.Cut(c, "/")
		_, err := d.client.Get(ctx, object.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: namespace, Name: name})
		if err == nil { // without the right to look it is not known
			return true
		}
	}
	return false
}

// newOutside opens CloudAPI; it sends no request.
func newOutside() (*outside, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "" // there are no profiles then
	}
	env := triton.Environment{Lookup: os.LookupEnv, Home: home}
	credentials, err := triton.Find(env)
	if err != nil {
		return nil, err
	}
	signer, err := triton.OpenSigner(credentials, env)
	if err != nil {
		return nil, err
	}
	api, err := triton.New(credentials, signer)
	if err != nil {
		return nil, err
	}
	return &outside{api: api, wanted: &balancer.Wanted{}}, nil
}

// label is the DNS label of a release.
func label(spec project.Triton, name string) string { return cmp.Or(spec.Name, "egk8s-"+name) }

// want says what should be there.
func (d *deploy) want(way string) error {
	t, spec := d.profile.Triton, d.project.Spec.Triton
	settle, err := time.ParseDuration(cmp.Or(spec.Settle, t.Settle))
	if err != nil {
		return &SettingsError{Message: fmt.Sprintf("the profile's triton.settle %q is no duration", t.Settle)}
	}
	d.outside.settle = settle
	d.outside.wanted = &balancer.Wanted{
		Release: d.name, Label: label(spec, d.name), Way: balancer.Way(way), Image: cmp.Or(spec.Image, t.Image),
		Package: spec.Package, Networks: spec.Networks, Internal: spec.Internal, Count: cmp.Or(spec.Instances, t.Instances),
		MaxBackends: t.MaxBackends, Certificates: spec.Certificates, Mode: cmp.Or(spec.Mode, "http"), NodeTag: spec.NodeTag,
		Ready: readyPath, Nodes: traffic(d.facts.Nodes),
	}
	return nil
}

// readyPath is what a load balancer asks on the status port.
const readyPath = "/egk8s/ready"

// traffic are the nodes that take traffic from outside: not those that say no, and the control plane only where there are
// no others.
func traffic(nodes []cloud.Node) []balancer.Node {
	const (
		control = "node-role.kubernetes.io/control-plane"
		exclude = "node.kubernetes.io/exclude-from-external-load-balancers"
	)
	var workers, others []balancer.Node
	for _, n := range nodes {
		node := balancer.Node{Name: n.Name, ProviderID: n.ProviderID, Addresses: n.Addresses}
		_, isControl := n.Labels[control]
		if _, excluded := n.Labels[exclude]; excluded || isControl {
			others = append(others, node)
		} else {
			workers = append(workers, node)
		}
	}
	if len(workers) > 0 {
		return workers
	}
	return others
}

// outsideFindings are what keeps traffic from coming in, before anything is made.
func (d *deploy) outsideFindings(ctx context.Context) []check.Finding {
	o := d.outside
	if o == nil {
		return nil
	}
	state, err := d.store.State(ctx)
	if err != nil {
		return nil // the plan, which needs it too, says so
	}
	if state.Outside != nil {
		o.know(state.Outside)
	}
	site, err := balancer.Survey(ctx, o.api, o.wanted)
	if err != nil {
		return []check.Finding{d.severity(balancer.Finding{Code: "triton-cloudapi", Fatal: true, Message: err.Error(), Hint: hintOf(err)})}
	}
	var out []check.Finding
	for _, f := range site.Findings(o.wanted) {
		out = append(out, d.severity(f))
	}
	if f := site.TrustFinding(o.wanted, d.project.Spec.TrustedProxies); f != nil {
		out = append(out, d.severity(*f))
	}
	return out
}

// know takes from an earlier deploy what it made. What stands is not taken away for a reason that may pass.
func (o *outside) know(before *release.Outside) {
	o.chosen = o.chosen || before.Way != ""
	o.wanted.ID, o.wanted.Former = before.ID, former(before, o.wanted.Label)
}

// former are the labels that earlier deploys gave and this one does not.
func former(before *release.Outside, label string) []string {
	return slices.DeleteFunc(append(slices.Clone(before.Former), before.Label), func(l string) bool { return l == label })
}

// severity lets nothing stop a deploy that did not ask for this way: the nodes' addresses are the way in then.
func (d *deploy) severity(f balancer.Finding) check.Finding {
	out := check.Finding{Code: f.Code, Severity: check.Warning, Message: f.Message, Hint: f.Hint}
	switch {
	case f.Fatal && d.outside.chosen:
		out.Severity = check.Error
	case f.Fatal:
		d.outside.wanted.Way = ""
	}
	return out
}

// hintOf is what an error says of what to do; empty: nothing.
func hintOf(err error) string {
	var hinter interface{ Hint() string }
	if errors.As(err, &hinter) {
		return hinter.Hint()
	}
	return ""
}
