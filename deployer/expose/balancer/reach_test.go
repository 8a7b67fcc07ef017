package balancer_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"egk8s.dev/egk8s/deployer/cloud/triton"
	"egk8s.dev/egk8s/deployer/expose/balancer"
)

// TestAwait judges by answers at times: g is good, b is not.
func TestAwait(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		changed bool
		answers func(time.Duration) bool
		good    bool
		took    time.Duration
	}{
		"nothing changed and all is well":     {false, func(time.Duration) bool { return true }, true, 0},
		"nothing changed, one lost":           {false, func(d time.Duration) bool { return d > 0 }, true, 2 * time.Second},
		"nothing changed and dark":            {false, func(time.Duration) bool { return false }, false, 6 * time.Second},
		"changed and well, not judged before": {true, func(time.Duration) bool { return true }, true, 150 * time.Second},
		"good once, then dark":                {true, func(d time.Duration) bool { return d == 0 }, false, 232 * time.Second},
		"late":                                {true, func(d time.Duration) bool { return d >= 170*time.Second }, true, 174 * time.Second},
		"every second request is lost":        {true, func(d time.Duration) bool { return d%(4*time.Second) == 0 }, false, 232 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &clock{now: time.Now()}
			begun := c.Now()
			answers, err := balancer.Await(t.Context(), c, tt.changed, 150*time.Second, func(context.Context) []balancer.Answer {
				return []balancer.Answer{{URL: "http://a", Good: true}, {URL: "http://b", Good: tt.answers(c.Now().Sub(begun))}}
			})
			if err != nil || answers[1].Good != tt.good || c.Now().Sub(begun) != tt.took {
				t.Errorf("%+v after %s, %v", answers, c.Now().Sub(begun), err)
			}
		})
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	if _, err := balancer.Await(ctx, &clock{}, true, time.Minute, func(context.Context) []balancer.Answer { return nil }); err == nil {
		t.Error("an end is no verdict")
	}
}

// TestDiagnose explains every way in which the load balancers can be dark.
func TestDiagnose(t *testing.T) {
	t.Parallel()
	dark := []balancer.Answer{{URL: "http://egk8s-shop.svc", Status: http.StatusServiceUnavailable}, {URL: "http://203.0.113.11", Status: http.StatusServiceUnavailable}}
	tests := map[string]struct {
		break_  func(*place, map[string]string) //nolint:revive // break is a word of Go
		answers []balancer.Answer
		code    string
		text    string
	}{
		"all is well": {nil, []balancer.Answer{{Good: true}}, "", ""},
		"no fabric network": {func(p *place, ids map[string]string) {
			p.Change(ids["egk8s-shop-2"], func(m *triton.Machine) { m.Networks = m.Networks[:1] })
		}, dark, "balancer-network", "egk8s-shop-2"},
		"wrong firewall tag":              {func(p *place, _ map[string]string) { p.retag("k8s.cluster", "k8s-cluster") }, dark, "balancer-firewall", "port 30080"},
		"rule switched off":               {func(p *place, _ map[string]string) { r := p.Rules(); r[1].Enabled = false; p.SetRules(r) }, dark, "balancer-firewall", "load balancer egk8s-shop-1"},
		"clients locked out":              {func(p *place, _ map[string]string) { p.SetRules(p.Rules()[1:]) }, []balancer.Answer{{URL: "http://a", Err: errors.New("timeout")}}, "balancer-firewall", "clients"},
		"nodes have no name":              {nil, dark, "balancer-name", "nodes' tag"},
		"release has no name":             {nil, []balancer.Answer{{URL: "http://x", NoName: true}, {Good: true}}, "balancer-name", ""},
		"something else answers":          {known, []balancer.Answer{{URL: "http://x", Status: 404}}, "balancer-path", "404"},
		"nothing answers":                 {known, []balancer.Answer{{URL: "http://x", Err: errors.New("refused")}}, "balancer-path", "refused"},
		"no health":                       {known, dark, "balancer-path", "health check"},
		"no address at all":               {known, nil, "balancer-path", "no address"},
		"name of the release, nodes have": {known, []balancer.Answer{{URL: "http://x", NoName: true}, {Good: true}}, "balancer-name", "delegated"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			w := p.wanted(nil)
			if _, err := p.deploy(t.Context(), t, w); err != nil {
				t.Fatal(err)
			}
			ids := map[string]string{}
			for _, m := range p.Machines() {
				ids[m.Name] = m.ID
			}
			if tt.break_ != nil {
				tt.break_(p, ids)
			}
			names := names(t, p, ids["names"] != "")
			site, err := balancer.Survey(t.Context(), p.api, w)
			if err != nil {
				t.Fatal(err)
			}
			got := site.Diagnose(t.Context(), w, &balancer.Asker{NameServer: names}, tt.answers)
			switch {
			case tt.code == "" && got != nil, tt.code != "" && got == nil:
				t.Errorf("%+v", got)
			case got != nil && (got.Code != tt.code || !strings.Contains(got.Object+" "+got.Message+" "+got.Fix, tt.text) || got.Fix == ""):
				t.Errorf("%+v", got)
			}
		})
	}
}

// known lets the name server know the names.
func known(_ *place, ids map[string]string) { ids["names"] = "yes" }

func (p *place) retag(from, to string) {
	rules := p.Rules()
	for i := range rules {
		rules[i].Text = strings.ReplaceAll(rules[i].Text, from, to)
	}
	p.SetRules(rules)
}

// names starts a name server that knows what CNS has, or nothing.
func names(t *testing.T, p *place, knows bool) string {
	t.Helper()
	address, err := p.ServeNames(t.Context(), "127.0.0.1:0", func() map[string][]string {
		if knows {
			return p.Names()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// TestAsk tells the gateway from what else answers.
func TestAsk(t *testing.T) {
	t.Parallel()
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Egk8s-Config", r.Header.Get("Egk8s-Probe"))
		w.WriteHeader(http.StatusNotFound)
	}))
	defer gateway.Close()
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	p := newPlace(t)
	asker := &balancer.Asker{Config: "digest", NameServer: names(t, p, true)}
	answers := asker.Ask(t.Context(), []string{gateway.URL, other.URL, "http://nobody.svc.example.test", "http://127.0.0.1:1"})
	text := ""
	for _, a := range answers {
		text += fmt.Sprintf("%v %d %v %v;", a.Good, a.Status, a.NoName, a.Err != nil)
	}
	if text != "true 404 false false;false 404 false false;false 0 true true;false 0 false true;" {
		t.Error(text)
	}
	if balancer.Best(answers) != gateway.URL || balancer.Best(answers[1:]) != "" {
		t.Error("the wrong address is the best")
	}
	if _, err := p.deploy(t.Context(), t, p.wanted(nil)); err != nil {
		t.Fatal(err)
	}
	if !asker.Known(t.Context(), "egk8s-shop-n.svc.tester.dc-1.private.example.test") || asker.Known(t.Context(), "x.svc.tester.dc-1.private.example.test") {
		t.Error("names")
	}
}
