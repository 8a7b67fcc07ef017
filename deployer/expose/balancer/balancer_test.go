package balancer_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"egk8s.dev/egk8s/deployer/cloud/triton"
	"egk8s.dev/egk8s/deployer/expose/balancer"
	"egk8s.dev/egk8s/testdata/cloudapi"
)

// clock is a time that passes only when somebody waits.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	done := make(chan time.Time, 1)
	done <- c.now
	return done
}

const clusterID = "0abe1901-2c6c-42cb-b5f9-e92d1c8d3c8e"

// place is a datacenter with a cluster of three machines, of which two take traffic, and machines of other people.
type place struct {
	*cloudapi.Server
	clock *clock
	api   *triton.Client
}

func newPlace(t *testing.T) *place {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	p := &place{Server: cloudapi.New(), clock: &clock{now: time.Now()}}
	p.Now, p.Delay = p.clock.Now, 20*time.Second
	p.Trust(signer.PublicKey())
	p.AddNode(cloudapi.Node{Name: "control-1", Network: "My-Fabric-Network", Tags: map[string]string{"triton.cns.services": "k8s,ctrl", "k8s.cluster": clusterID}})
	for i := range 2 {
		p.AddNode(cloudapi.Node{
			Name: fmt.Sprintf("worker-%d", i+1), Network: "My-Fabric-Network",
			Tags: map[string]string{"triton.cns.services": "k8s,worker", "k8s.cluster": clusterID},
		})
	}
	p.AddNode(cloudapi.Node{Name: "database", Network: "other", Tags: map[string]string{"triton.cns.services": "db"}})
	server := httptest.NewServer(p.Server)
	t.Cleanup(server.Close)
	credentials := triton.Credentials{URL: server.URL, Account: "tester", Material: string(pem.EncodeToMemory(block))}
	s, err := triton.OpenSigner(credentials, triton.Environment{Lookup: func(string) (string, bool) { return "", false }})
	if err != nil {
		t.Fatal(err)
	}
	if p.api, err = triton.New(credentials, s); err != nil {
		t.Fatal(err)
	}
	p.api.Clock = p.clock
	return p
}

func (p *place) wanted(change func(*balancer.Wanted)) *balancer.Wanted {
	w := &balancer.Wanted{
		Release: "shop", ID: "id-1", Label: "egk8s-shop", Way: balancer.Instances, Image: "cloud-load-balancer", Package: "g1.micro",
		Count: 2, MaxBackends: 64, Mode: "http", Ready: "/egk8s/ready", Ports: balancer.Ports{HTTP: 30080, Status: 31000},
		Nodes: []balancer.Node{{Name: "worker-1"}, {Name: "w2", Addresses: []string{"10.1.1.1", "192.168.128.13"}}},
	}
	if change != nil {
		change(w)
	}
	return w
}

// deploy surveys, plans and runs, and returns what was done.
func (p *place) deploy(ctx context.Context, t *testing.T, w *balancer.Wanted) ([]string, error) {
	t.Helper()
	site, err := balancer.Survey(ctx, p.api, w)
	if err != nil {
		return nil, err
	}
	var done []string
	err = balancer.Run(ctx, p.api, site.Plan(w), func(s balancer.Step) {
		done = append(done, string(s.Kind)+" "+string(s.Action))
	})
	return done, err
}

// picture is what there is, without ids.
func (p *place) picture() map[string]string {
	out := map[string]string{}
	for _, m := range p.Machines() {
		text := fmt.Sprintf("%s, %s", m.State, strings.Join(m.IPs, " "))
		if m.Tag("egk8s.id") != "" { // made at the same time: who comes first gets the first address
			text = fmt.Sprintf("%s, %d addresses, primary %s", m.State, len(m.IPs), m.IPs[0][:len("203.0.113")])
		}
		for _, key := range []string{"triton.cns.services", "egk8s.release", "egk8s.id"} {
			text += ", " + m.Tag(key)
		}
		for _, key := range []string{"loadbalancer", "portmap", "max_rs", "certificate_name"} {
			text += ", " + m.Meta("cloud.tritoncompute:"+key)
		}
		out[m.Name] = strings.TrimRight(text, ", ")
	}
	for _, r := range p.Rules() {
		out[r.Description] = r.Text
	}
	return out
}

// TestLife makes load balancers, changes them and removes them; what is not ours stays as it is.
func TestLife(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.SetRules([]triton.Rule{{Text: "FROM any TO all vms ALLOW tcp PORT 22", Enabled: true, Description: "mine"}})
	before := p.picture()
	done, err := p.deploy(t.Context(), t, p.wanted(nil))
	if err != nil {
		t.Fatal(err)
	}
	wantDone := []string{"FirewallRule created", "FirewallRule created", "NodeTag created", "NodeTag created", "Instance created", "Instance created"}
	if diff := cmp.Diff(wantDone, done); diff != "" {
		t.Error(diff)
	}
	backend := "egk8s-shop-n.svc." + p.Account.ID + ".dc-1.private.example.test"
	lb := ", egk8s-shop, shop, id-1, true, http://80:" + backend + ":30080{check:/egk8s/ready,port:31000}, 64"
	want := map[string]string{
		"control-1": before["control-1"], "database": before["database"], "mine": before["mine"],
		"worker-1":     "running, 192.168.128.12, k8s,worker,egk8s-shop-n",
		"worker-2":     "running, 192.168.128.13, k8s,worker,egk8s-shop-n",
		"egk8s-shop-1": "running, 2 addresses, primary 203.0.113" + lb,
		"egk8s-shop-2": "running, 2 addresses, primary 203.0.113" + lb,
		"egk8s egk8s-shop: clients to load balancers (id-1)": `FROM any TO tag "egk8s.id" = "id-1" ALLOW tcp PORTS 80`,
		"egk8s egk8s-shop: to the nodes (id-1)":              `FROM tag "egk8s.id" = "id-1" TO tag "k8s.cluster" = "` + clusterID + `" ALLOW tcp PORTS 30080, 31000`,
	}
	if diff := cmp.Diff(want, p.picture()); diff != "" {
		t.Error(diff)
	}

	writes := p.Writes()
	if done, err := p.deploy(t.Context(), t, p.wanted(nil)); err != nil || len(done) != 0 || p.Writes() != writes {
		t.Errorf("the second time: %v %v, %d writes", done, err, p.Writes()-writes)
	}

	changed := p.wanted(func(w *balancer.Wanted) {
		w.Count, w.Ports.HTTP, w.Certificates = 1, 30081, []string{"api.example.com"}
	})
	if done, err = p.deploy(t.Context(), t, changed); err != nil {
		t.Fatal(err)
	}
	wantDone = []string{"FirewallRule configured", "FirewallRule configured", "Instance configured", "Instance deleted"}
	if diff := cmp.Diff(wantDone, done); diff != "" {
		t.Error(diff)
	}
	if got := p.picture()["egk8s-shop-1"]; !strings.Contains(got, "https-http://443:"+backend+":30081") || !strings.HasSuffix(got, "64, api.example.com") {
		t.Error(got)
	}

	none := p.wanted(func(w *balancer.Wanted) { w.Way = "" })
	if _, err := p.deploy(t.Context(), t, none); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, p.picture()); diff != "" {
		t.Error(diff)
	}
}

// TestNames gives the nodes a name of their own, and another way takes it away again.
func TestNames(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	names := p.wanted(func(w *balancer.Wanted) { w.Way = balancer.Names })
	done, err := p.deploy(t.Context(), t, names)
	if diff := cmp.Diff([]string{"FirewallRule created", "NodeTag created", "NodeTag created"}, done); err != nil || diff != "" {
		t.Fatal(err, diff)
	}
	if got := p.picture()["worker-1"]; !strings.HasSuffix(got, "k8s,worker,egk8s-shop:30080") {
		t.Error(got)
	}
	moved := p.wanted(func(w *balancer.Wanted) { w.Way, w.Ports.HTTP = balancer.Names, 30099 })
	if done, err = p.deploy(t.Context(), t, moved); err != nil || len(done) != 3 {
		t.Error(done, err)
	}
	if got := p.picture()["worker-1"]; !strings.HasSuffix(got, "k8s,worker,egk8s-shop:30099") {
		t.Error(got)
	}
	fewer := p.wanted(func(w *balancer.Wanted) { w.Way, w.Ports.HTTP, w.Nodes = balancer.Names, 30099, w.Nodes[:1] })
	if done, err = p.deploy(t.Context(), t, fewer); err != nil || !slices.Equal(done, []string{"NodeTag deleted"}) {
		t.Error(done, err)
	}
	if _, err = p.deploy(t.Context(), t, p.wanted(nil)); err != nil {
		t.Error(err)
	}
	if got := p.picture()["worker-1"]; !strings.HasSuffix(got, "k8s,worker,egk8s-shop-n") {
		t.Error(got)
	}
}

// TestRenamed takes the old label from everything that had it.
func TestRenamed(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	if _, err := p.deploy(t.Context(), t, p.wanted(nil)); err != nil {
		t.Fatal(err)
	}
	renamed := p.wanted(func(w *balancer.Wanted) { w.Label, w.Former = "api", []string{"egk8s-shop"} })
	if _, err := p.deploy(t.Context(), t, renamed); err != nil {
		t.Fatal(err)
	}
	for name, text := range p.picture() {
		if strings.Contains(name+text, "egk8s-shop") {
			t.Errorf("%s: %s", name, text)
		}
	}
	if got := p.picture()["worker-1"]; !strings.HasSuffix(got, "k8s,worker,api-n") {
		t.Error(got)
	}
}

// TestRepair brings back what somebody took away or changed.
func TestRepair(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	if _, err := p.deploy(t.Context(), t, p.wanted(nil)); err != nil {
		t.Fatal(err)
	}
	healthy := p.picture()
	byName := map[string]triton.Machine{}
	for _, m := range p.Machines() {
		byName[m.Name] = m
	}
	p.Change(byName["egk8s-shop-1"].ID, func(m *triton.Machine) { m.State = triton.Stopped })
	p.Change(byName["egk8s-shop-2"].ID, func(m *triton.Machine) {
		m.Metadata = map[string]any{"cloud.tritoncompute:portmap": "tcp://80:elsewhere"}
		m.Tags = map[string]any{"egk8s.id": "id-1", "own": "stays"}
	})
	p.Change(byName["worker-1"].ID, func(m *triton.Machine) {
		m.Tags = map[string]any{"k8s.cluster": clusterID, "triton.cns.services": "k8s,worker"}
	})
	rules := p.Rules()
	rules[0].Enabled, rules[1].Text = false, "FROM any TO all vms ALLOW tcp PORT 1"
	twice := rules[0]
	twice.ID = ""
	p.SetRules(append(rules, twice))
	if _, err := p.deploy(t.Context(), t, p.wanted(nil)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(healthy, p.picture()); diff != "" {
		t.Error(diff)
	}
	if len(p.Rules()) != 2 || !p.Rules()[0].Enabled {
		t.Errorf("%+v", p.Rules())
	}
	// What cannot be changed is made again.
	p.Change(byName["egk8s-shop-1"].ID, func(m *triton.Machine) { m.State = triton.Failed })
	p.Change(byName["egk8s-shop-2"].ID, func(m *triton.Machine) { m.Networks = m.Networks[:1] })
	done, err := p.deploy(t.Context(), t, p.wanted(nil))
	if diff := cmp.Diff([]string{"Instance deleted", "Instance deleted", "Instance created", "Instance created"}, done); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

// TestKilledAnywhere ends a run after each of its requests; the next finishes it, and there is nothing twice.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	whole := newPlace(t)
	if _, err := whole.deploy(t.Context(), t, whole.wanted(nil)); err != nil {
		t.Fatal(err)
	}
	requests := len(whole.Requests())
	for n := 1; n <= requests; n++ {
		p := newPlace(t)
		before := p.picture()
		ctx, kill := context.WithCancelCause(t.Context())
		p.On(func(i int, _, _ string) {
			if i == n {
				kill(errors.New("killed"))
			}
		})
		if _, err := p.deploy(ctx, t, p.wanted(nil)); err == nil {
			continue // the last request was answered
		}
		if _, err := p.deploy(t.Context(), t, p.wanted(nil)); err != nil {
			t.Fatalf("killed at %d, then: %v", n, err)
		}
		if got := p.picture(); len(got) != len(whole.picture()) {
			t.Errorf("killed at %d: %v", n, got)
		}
		if n%3 == 0 {
			if _, err := p.deploy(t.Context(), t, p.wanted(func(w *balancer.Wanted) { w.Way = "" })); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(before, p.picture()); diff != "" {
				t.Errorf("killed at %d: %s", n, diff)
			}
		}
	}
}

// TestLostAnswer: the request that made an instance was done and its answer was lost; there is one instance, not two.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.Inject(cloudapi.Fault{Method: "POST", Path: regexp.MustCompile("/machines$"), Times: 1, After: true})
	p.Inject(cloudapi.Fault{Method: "POST", Path: regexp.MustCompile("/machines$"), Times: 1})
	if _, err := p.deploy(t.Context(), t, p.wanted(nil)); err != nil {
		t.Fatal(err)
	}
	if got := len(p.Machines()); got != 6 {
		t.Errorf("%d machines", got)
	}
}

func TestFindings(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		place  func(*place)
		wanted func(*balancer.Wanted)
		code   string // empty: none
		fatal  bool
		text   string
	}{
		"all is well":          {nil, nil, "", false, ""},
		"clock":                {(*place).late, nil, "triton-clock", true, "clock is 4m"},
		"no names":             {func(p *place) { p.Account.CNS = false }, nil, "triton-cns-off", true, "triton_cns_enabled=true"},
		"no image":             {func(p *place) { p.Images = p.Images[:1] }, nil, "triton-image-missing", true, "ask the operator"},
		"no package named":     {nil, func(w *balancer.Wanted) { w.Package = "" }, "triton-package", true, "g1.micro, g1.small"},
		"unknown package":      {nil, func(w *balancer.Wanted) { w.Package = "huge" }, "triton-package", true, "g1.micro, g1.small"},
		"unknown network":      {nil, func(w *balancer.Wanted) { w.Networks = []string{"My-Fabric-Network", "nowhere"} }, "triton-network", true, "no network nowhere"},
		"no fabric network":    {nil, func(w *balancer.Wanted) { w.Networks = []string{"external"} }, "triton-network", true, "add My-Fabric-Network"},
		"no public network":    {func(p *place) { p.Networks[0].Public = false }, nil, "triton-network", true, "spec.triton.internal"},
		"internal":             {func(p *place) { p.Networks[0].Public = false }, func(w *balancer.Wanted) { w.Internal = true }, "", false, ""},
		"unknown nodes":        {nil, func(w *balancer.Wanted) { w.Nodes = []balancer.Node{{Name: "kind-worker"}} }, "triton-nodes", true, "kind-worker"},
		"nodes not to be seen": {nil, func(w *balancer.Wanted) { w.Nodes = nil }, "triton-nodes", true, "may not list"},
		"one unknown node":     {nil, func(w *balancer.Wanted) { w.Nodes = append(w.Nodes, balancer.Node{Name: "x"}) }, "triton-nodes", false, "nodes x:"},
		"wrong node tag":       {nil, func(w *balancer.Wanted) { w.NodeTag = "k8s-cluster=" + clusterID }, "triton-node-tag", true, "k8s.cluster=" + clusterID},
		"right node tag":       {nil, func(w *balancer.Wanted) { w.NodeTag = "k8s.cluster=" + clusterID }, "", false, ""},
		"nodes without names":  {func(p *place) { p.mute() }, nil, "triton-node-names", true, "triton.cns.disable"},
		"no zone":              {func(p *place) { p.Networks[1].Suffixes = nil }, nil, "triton-zone", true, "2024"},
		"label of others": {func(p *place) {
			p.AddNode(cloudapi.Node{Name: "theirs", Network: "external", Tags: map[string]string{"triton.cns.services": "x,egk8s-shop:80"}})
		}, nil, "triton-name-taken", true, "theirs"},
		"instances of others": {func(p *place) { p.AddNode(cloudapi.Node{Name: "egk8s-shop-2", Network: "external"}) }, nil, "triton-name-taken", true, "egk8s-shop-2"},
		"label of a release beside": {func(p *place) {
			p.SetRules([]triton.Rule{{Text: "FROM any TO all vms ALLOW tcp PORT 1", Description: "egk8s egk8s-shop: to the nodes (other)"}})
		}, nil, "triton-name-taken", true, "another release"},
		"by id of the machine": {nil, func(w *balancer.Wanted) { w.Nodes = []balancer.Node{{Name: "y", ProviderID: "triton:///dc-1/none"}} }, "triton-nodes", true, "y"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			if tt.place != nil {
				tt.place(p)
			}
			w := p.wanted(tt.wanted)
			site, err := balancer.Survey(t.Context(), p.api, w)
			if err != nil {
				t.Fatal(err)
			}
			found := site.Findings(w)
			if tt.code == "" {
				if len(found) > 0 {
					t.Errorf("%+v", found)
				}
				return
			}
			i := slices.IndexFunc(found, func(f balancer.Finding) bool { return f.Code == tt.code })
			if i < 0 || found[i].Fatal != tt.fatal || !strings.Contains(found[i].Message+" "+found[i].Hint, tt.text) || found[i].Hint == "" {
				t.Errorf("%+v", found)
			}
		})
	}
}

// late puts the clock of the datacenter ahead.
func (p *place) late() {
	p.Now = func() time.Time { return p.clock.Now().Add(4*time.Minute + 30*time.Second) }
}

func (p *place) mute() {
	for _, m := range p.Machines() {
		p.Change(m.ID, func(m *triton.Machine) { m.Tags["triton.cns.disable"] = true })
	}
}

func TestTrust(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	w := p.wanted(nil)
	site, err := balancer.Survey(t.Context(), p.api, w)
	if err != nil {
		t.Fatal(err)
	}
	if f := site.TrustFinding(w, []string{"10.0.0.0/8"}); f == nil || !strings.Contains(f.Hint, "192.168.128.0/22") {
		t.Errorf("%+v", f)
	}
	for _, trusted := range []string{"192.168.128.0/22", "192.168.0.0/16"} {
		if f := site.TrustFinding(w, []string{trusted}); f != nil {
			t.Errorf("%s: %+v", trusted, f)
		}
	}
}

// TestRulesWithoutTag names the nodes by their ids where they have no tag in common, as many in a rule as it takes.
func TestRulesWithoutTag(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	nodes := []balancer.Node{}
	for i := range 30 {
		name := fmt.Sprintf("n%02d", i)
		p.AddNode(cloudapi.Node{Name: name, Network: "My-Fabric-Network"})
		nodes = append(nodes, balancer.Node{Name: name})
	}
	w := p.wanted(func(w *balancer.Wanted) { w.Way, w.Nodes = balancer.Names, nodes })
	if _, err := p.deploy(t.Context(), t, w); err != nil {
		t.Fatal(err)
	}
	var open int
	for _, r := range p.Rules() {
		spec, err := triton.ParseRule(r.Text)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range p.Machines() {
			if spec.Opens(&triton.Machine{}, &m, 30080) {
				open++
			}
		}
	}
	if len(p.Rules()) != 2 || open != 30 {
		t.Errorf("%d rules open %d machines", len(p.Rules()), open)
	}
	if done, err := p.deploy(t.Context(), t, w); err != nil || len(done) > 0 {
		t.Error(done, err)
	}
}
