// Package network makes the networks of a cluster: namespaces that are joined
// with each other and with nothing else.
package network

import (
	"fmt"
	"strconv"
)

// Subnets is how many clusters can have address ranges of their own.
const Subnets = 60

// Addresses are the ranges of one cluster, all inside 10.100.0.0 to
// 10.219.255.255 and only known inside its namespaces.
type Addresses struct{ index int }

// NewAddresses are the ranges with that index, from 0 to Subnets-1.
func NewAddresses(index int) (Addresses, error) {
	if index < 0 || index >= Subnets {
		return Addresses{}, fmt.Errorf("choose address ranges: index %d is not in 0..%d", index, Subnets-1)
	}
	return Addresses{index: index}, nil
}

func (a Addresses) first() string  { return "10." + strconv.Itoa(100+2*a.index) }
func (a Addresses) second() string { return "10." + strconv.Itoa(101+2*a.index) }

// ControlPlane is the address of the control plane.
func (a Addresses) ControlPlane() string { return a.first() + ".0.1" }

// Node is the address of node n, counted from 1.
func (a Addresses) Node(n int) string { return a.first() + ".0." + strconv.Itoa(10+n) }

// NodeBits is the length of the prefix that the nodes and the control plane share.
func (a Addresses) NodeBits() int { return 24 }

// Services is the range of service addresses.
func (a Addresses) Services() string { return a.first() + ".128.0/20" }

// DNS is the service address of the name server.
func (a Addresses) DNS() string { return a.first() + ".128.10" }

// API is the service address of the API server.
func (a Addresses) API() string { return a.first() + ".128.1" }

// Pods is the range of the addresses of all pods.
func (a Addresses) Pods() string { return a.second() + ".0.0/16" }

// PodsOf is the range of the pods on node n, counted from 1.
func (a Addresses) PodsOf(n int) string { return a.second() + "." + strconv.Itoa(n) + ".0/24" }
