package policy

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/message"
)

// ipFilter lets clients pass by their address. EG: it has no such policy.
type ipFilter struct {
	allow, deny networks
	everybody   bool // nothing is said of who may pass
}

// networks are ranges of addresses.
type networks []netip.Prefix

func newIPFilter(step config.Step, _ *Environment) (Policy, diag.Problems) {
	p := params(step.Action)
	f := &ipFilter{everybody: p.list("allow") == nil}
	var problems diag.Problems
	for name, list := range map[string]*networks{"allow": &f.allow, "deny": &f.deny} {
		for _, text := range p.list(name) {
			network, err := parseNetwork(text)
			if err != nil {
				problems = append(problems, problem(step, "%s: %v", name, err))
				continue
			}
			*list = append(*list, network)
		}
	}
	if problems.HasErrors() {
		return nil, problems
	}
	return f, nil
}

// parseNetwork reads "10.0.0.0/8", or an address alone.
func parseNetwork(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("%q is no address such as 192.0.2.1", text)
		}
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	network, err := netip.ParsePrefix(text)
	if err != nil || network.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("%q is no network such as 10.0.0.0/8", text)
	}
	return network.Masked(), nil
}

func (n networks) contain(addr netip.Addr) bool {
	for _, network := range n {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

// Apply answers 403 to clients that deny names, and to those that allow does not. The client is the peer, or whom
// a trusted proxy names.
func (f *ipFilter) Apply(_ context.Context, x *message.Exchange) (message.Verdict, error) {
	addr := x.Request.Remote.Addr().Unmap().WithZone("")
	if addr.IsValid() && !f.deny.contain(addr) && (f.everybody || f.allow.contain(addr)) {
		return message.Continue, nil
	}
	x.Response.SendText(403, "Forbidden")
	return message.Answered, nil
}
