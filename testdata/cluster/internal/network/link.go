package network

import (
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
)

// bridgeName is the bridge in the control plane's namespace, linkName the way
// out of a node's.
const (
	bridgeName = "egk0"
	linkName   = "eth0"
)

// Route leads to a range through a gateway.
type Route struct {
	To  string
	Via string
}

// MakeBridge gives the control plane's namespace a bridge with its address.
func MakeBridge(space *Namespace, address string, bits int) error {
	h, err := netlink.NewHandleAt(space.handle)
	if err != nil {
		return fmt.Errorf("make bridge: %w", err)
	}
	defer h.Close()
	attributes := netlink.NewLinkAttrs()
	attributes.Name = bridgeName
	if err := h.LinkAdd(&netlink.Bridge{LinkAttrs: attributes}); err != nil {
		return fmt.Errorf("make bridge: %w", err)
	}
	return raise(h, bridgeName, address, bits)
}

// Join connects a node's namespace with the control plane's bridge. The link is
// called name on the bridge's side.
func Join(plane, node *Namespace, name, address string, bits int) error {
	h, err := netlink.NewHandleAt(plane.handle)
	if err != nil {
		return fmt.Errorf("join node %s: %w", name, err)
	}
	defer h.Close()
	bridge, err := h.LinkByName(bridgeName)
	if err != nil {
		return fmt.Errorf("join node %s: %w", name, err)
	}
	attributes := netlink.NewLinkAttrs()
	attributes.Name = name
	attributes.MasterIndex = bridge.Attrs().Index
	link := &netlink.Veth{LinkAttrs: attributes, PeerName: linkName, PeerNamespace: netlink.NsFd(int(node.handle))}
	if err := h.LinkAdd(link); err != nil {
		return fmt.Errorf("join node %s: make link: %w", name, err)
	}
	outer, err := h.LinkByName(name)
	if err == nil {
		err = h.LinkSetUp(outer)
	}
	if err != nil {
		return fmt.Errorf("join node %s: %w", name, err)
	}
	inner, err := netlink.NewHandleAt(node.handle)
	if err != nil {
		return fmt.Errorf("join node %s: %w", name, err)
	}
	defer inner.Close()
	return raise(inner, linkName, address, bits)
}

// SetLink switches a node's link, by its name on the bridge's side, on or off.
func SetLink(plane *Namespace, name string, up bool) error {
	h, err := netlink.NewHandleAt(plane.handle)
	if err != nil {
		return fmt.Errorf("switch link %s: %w", name, err)
	}
	defer h.Close()
	link, err := h.LinkByName(name)
	switch {
	case err != nil:
	case up:
		err = h.LinkSetUp(link)
	default:
		err = h.LinkSetDown(link)
	}
	if err != nil {
		return fmt.Errorf("switch link %s: %w", name, err)
	}
	return nil
}

// AddRoutes adds routes to a namespace.
func AddRoutes(space *Namespace, routes []Route) error {
	h, err := netlink.NewHandleAt(space.handle)
	if err != nil {
		return fmt.Errorf("add routes: %w", err)
	}
	defer h.Close()
	for _, r := range routes {
		_, to, err := net.ParseCIDR(r.To)
		if err != nil {
			return fmt.Errorf("add route: %w", err)
		}
		if err := h.RouteAdd(&netlink.Route{Dst: to, Gw: net.ParseIP(r.Via)}); err != nil {
			return fmt.Errorf("add route to %s via %s: %w", r.To, r.Via, err)
		}
	}
	return nil
}

// raise gives a link its address and switches it and the loopback on.
func raise(h *netlink.Handle, name, address string, bits int) error {
	link, err := h.LinkByName(name)
	if err != nil {
		return fmt.Errorf("set up %s: %w", name, err)
	}
	ip := &net.IPNet{IP: net.ParseIP(address), Mask: net.CIDRMask(bits, 32)}
	if err := h.AddrAdd(link, &netlink.Addr{IPNet: ip}); err != nil {
		return fmt.Errorf("set up %s: %w", name, err)
	}
	if err := h.LinkSetUp(link); err != nil {
		return fmt.Errorf("set up %s: %w", name, err)
	}
	lo, err := h.LinkByName("lo")
	if err == nil {
		err = h.LinkSetUp(lo)
	}
	if err != nil {
		return fmt.Errorf("set up loopback: %w", err)
	}
	return nil
}
