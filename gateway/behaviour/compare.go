package behaviour

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// compare says how two stories of one request differ.
func compare(was, is story) []difference {
	endpoint := is.endpoint
	if endpoint == "" {
		endpoint = was.endpoint
	}
	c := &comparison{was: was, is: is, endpoint: endpoint}
	switch {
	case was.nothing() && is.nothing(): // the gateway's own answers: 404, 400, or which methods there are
		c.add(Safe, "answer-changed", fmt.Sprintf("is answered by %s instead of %s", is.end, was.end))
	case was.nothing():
		c.added()
	case is.nothing():
		c.add(Breaking, "route-removed", "is not served any more")
	default:
		c.guards()
		c.steps()
	}
	return c.found
}

// nothing tells whether no pipeline has a say.
func (s story) nothing() bool { return len(s.effects) == 0 }

type comparison struct {
	was, is  story
	endpoint string
	found    []difference
}

func (c *comparison) add(class Class, code, detail string) {
	c.found = append(c.found, difference{class: class, code: code, detail: detail, endpoint: c.endpoint})
}

func (c *comparison) added() {
	if guards := c.is.guards(); len(guards) > 0 {
		c.add(Safe, "route-added", "is new, guarded by "+names(guards))
		return
	}
	c.add(Review, "route-added", "is new and open to everybody")
}

// guard is an authentication that a request cannot get around.
type guard struct {
	policy, condition string
	scopes            []string
	settings          map[string]any
}

// guards are the authentications in front of everything that answers the request: what one of the answers does
// without is none.
func (s story) guards() map[string]guard {
	var all map[string]guard
	before := map[string]guard{}
	for _, e := range s.effects {
		switch {
		case e.guards():
			key := e.policy
			if e.condition != "" {
				key += " if " + e.condition
			}
			before[key] = guard{e.policy, e.condition, strings.Fields(e.scopes), e.raw}
		case answering(e.policy, e.raw):
			if all == nil {
				all = maps.Clone(before)
			}
			maps.DeleteFunc(all, func(key string, _ guard) bool { _, ok := before[key]; return !ok })
		}
	}
	if all == nil {
		all = before // nothing answers but the steps themselves
	}
	return all
}

// guards compares who may pass.
func (c *comparison) guards() {
	was, is := c.was.guards(), c.is.guards()
	for _, key := range slices.Sorted(maps.Keys(was)) {
		now, still := is[key]
		switch {
		case !still && len(is) == 0:
			c.add(Breaking, "made-public", "loses "+was[key].policy+": anybody can call it")
		case !still:
			c.add(Breaking, "auth-lost", fmt.Sprintf("loses %s; %s is left", was[key].policy, names(is)))
		default:
			c.weakened(was[key], now)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(is)) {
		if _, had := was[key]; !had {
			c.add(Review, "newly-protected", "is guarded by "+is[key].policy+" now")
		}
	}
}

// weakened compares what one guard asks.
func (c *comparison) weakened(was, now guard) {
	for _, scope := range was.scopes {
		if !slices.Contains(now.scopes, scope) {
			c.add(Breaking, "scope-lost", fmt.Sprintf("needs the scope %q no more", scope))
		}
	}
	for _, scope := range now.scopes {
		if !slices.Contains(was.scopes, scope) {
			c.add(Review, "scope-added", fmt.Sprintf("needs the scope %q now", scope))
		}
	}
	if canonical(was.settings) == canonical(now.settings) {
		return
	}
	for _, key := range []string{"audience", "issuer"} {
		if was.settings[key] != nil && now.settings[key] == nil {
			c.add(Breaking, "auth-weakened", fmt.Sprintf("accepts tokens of every %s", key))
		}
	}
	if was.policy == "jwt" && was.settings["checkCredentialExistence"] != false && now.settings["checkCredentialExistence"] == false {
		c.add(Breaking, "auth-weakened", "accepts tokens of unknown consumers")
	}
	c.add(Review, "auth-settings", "has other settings of "+was.policy)
}

// steps compares what happens besides.
func (c *comparison) steps() {
	was, is := others(c.was.effects), others(c.is.effects)
	if slices.Equal(keys(was), keys(is)) {
		switch {
		case c.was.end != c.is.end:
			c.add(Review, "methods-changed", fmt.Sprintf("ends with %q instead of %q", c.is.end, c.was.end))
		case len(c.found) == 0: // the guards are the same, at other places
			c.add(Review, "auth-order", "meets its authentication at another place")
		}
		return
	}
	gone, come := without(was, is), without(is, was)
	if len(gone)+len(come) == 0 {
		c.add(Review, "order-changed", "meets its policies in another order")
		return
	}
	policies := map[string]bool{}
	for _, e := range append(slices.Clone(gone), come...) {
		policies[e.policy] = true
	}
	for _, policy := range slices.Sorted(maps.Keys(policies)) {
		c.step(policy, of(policy, gone), of(policy, come))
	}
}

// step tells of the steps of one policy that differ.
func (c *comparison) step(policy string, gone, come []effect) {
	class, code := Review, "policy"
	switch policy {
	case "log":
		class, code = Safe, "log"
	case "rate-limit":
		code = "limit"
	case "proxy":
		code = "upstream"
	case "terminate":
		code = "answer"
	}
	switch {
	case len(come) == 0:
		c.add(class, code+"-removed", "meets no "+policy+" any more"+more(gone))
	case len(gone) == 0:
		c.add(class, code+"-added", "meets a "+policy+" now"+more(come))
	default:
		c.add(class, code+"-changed", changed(policy, gone[0], come[0]))
	}
}

// more says that steps have a condition, where all of them have.
func more(list []effect) string {
	for _, e := range list {
		if e.condition == "" {
			return ""
		}
	}
	return " under a condition"
}

func names(guards map[string]guard) string {
	list := map[string]bool{}
	for _, g := range guards {
		list[g.policy] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(list)), " and ")
}

// others are the effects that are no guards: what they do, not who may pass.
func others(effects []effect) []effect {
	return slices.DeleteFunc(slices.Clone(effects), effect.guards)
}

// guards tells whether the step stops who does not authenticate.
func (e effect) guards() bool { return authenticates(e.policy) && e.raw["passThrough"] != true }

func of(policy string, effects []effect) []effect {
	return slices.DeleteFunc(slices.Clone(effects), func(e effect) bool { return e.policy != policy })
}

func keys(effects []effect) []string {
	out := make([]string, len(effects))
	for i, e := range effects {
		out[i] = e.key
	}
	return out
}

// without returns the effects of a that b has not, as often as b has not.
func without(a, b []effect) []effect {
	left := keys(b)
	var out []effect
	for _, e := range a {
		if i := slices.Index(left, e.key); i >= 0 {
			left = slices.Delete(left, i, i+1)
			continue
		}
		out = append(out, e)
	}
	return out
}
