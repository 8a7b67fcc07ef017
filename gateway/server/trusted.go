package server

import (
	"net/netip"
	"slices"
	"strings"
)

// trusted are the networks of the proxies in front of the gateway: only their X-Forwarded-For counts.
type trusted []netip.Prefix

// parseTrusted reads networks and single addresses; the configuration was validated.
func parseTrusted(list []string) trusted {
	var t trusted
	for _, s := range list {
		if prefix, err := netip.ParsePrefix(s); err == nil {
			t = append(t, prefix)
		} else if addr, err := netip.ParseAddr(s); err == nil {
			t = append(t, netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()))
		}
	}
	return t
}

func (t trusted) contains(addr netip.Addr) bool {
	addr = addr.Unmap()
	for _, prefix := range t {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// client returns who really asks: the last address in X-Forwarded-For that is not a trusted proxy's,
// as long as every hop behind it is one. Without trust in the peer it is the peer.
func (t trusted) client(peer netip.AddrPort, forwardedFor []string) netip.AddrPort {
	if len(t) == 0 || !t.contains(peer.Addr()) {
		return peer
	}
	hops := strings.Split(strings.Join(forwardedFor, ","), ",")
	for _, hop := range slices.Backward(hops) {
		addr, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break // nothing in front of an unreadable hop can be believed
		}
		peer = netip.AddrPortFrom(addr, 0)
		if !t.contains(addr) {
			break
		}
	}
	return peer
}
