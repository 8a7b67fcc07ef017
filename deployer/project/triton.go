package project

import (
	"slices"
	"strings"
	"time"
)

// Triton is how traffic comes in on Triton DataCenter (docs/how-to/triton.md). It counts on that cloud only.
type Triton struct {
	Way          string   `json:"way,omitempty"`          // one of TritonWays; empty: the first that is possible
	Name         string   `json:"name,omitempty"`         // DNS label; egk8s-NAME
	Package      string   `json:"package,omitempty"`      // of the load balancer instances
	Image        string   `json:"image,omitempty"`        // name or id; the cloud's
	Instances    int      `json:"instances,omitempty"`    // how many; the cloud's
	Networks     []string `json:"networks,omitempty"`     // of the instances: names or ids; a public one and that of the nodes
	Internal     bool     `json:"internal,omitempty"`     // no public network
	Certificates []string `json:"certificates,omitempty"` // host names of certificates that the instances get; TLS ends there
	Mode         string   `json:"mode,omitempty"`         // http or tcp; http
	NodeTag      string   `json:"nodeTag,omitempty"`      // KEY=VALUE that all nodes have, for the firewall
	Settle       string   `json:"settle,omitempty"`       // duration; the cloud's
}

// The ways in on Triton.
const (
	WayServiceLB = "triton-service-lb"   // a controller in the cluster answers a LoadBalancer Service
	WayCLB       = "triton-clb"          // load balancer instances that egk8s makes
	WayNames     = "triton-cns-nodeport" // a DNS name of the nodes
	WayNodePort  = "nodePort"            // the nodes' addresses
)

// TritonWays are the ways in, the best first.
func TritonWays() []string { return []string{WayServiceLB, WayCLB, WayNames, WayNodePort} }

func (c *checker) triton() {
	t := c.p.Spec.Triton
	if t.Way != "" && !slices.Contains(TritonWays(), t.Way) {
		c.fail("spec.triton.way", "unknown-way", "known: "+strings.Join(TritonWays(), ", "), "there is no way %q", t.Way)
	}
	if t.Name != "" && (!labelName.MatchString(t.Name) || len(t.Name) > MaxTritonName) {
		c.fail("spec.triton.name", "name", "", "%q is no DNS label: lower-case letters, digits and dashes, at most %d", t.Name, MaxTritonName)
	}
	const most = 16
	if t.Instances < 0 || t.Instances > most {
		c.fail("spec.triton.instances", "count", "", "instances must be 1 to %d", most)
	}
	if t.Mode != "" && t.Mode != "http" && t.Mode != "tcp" {
		c.fail("spec.triton.mode", "unknown-mode", "known: http, tcp", "there is no mode %q", t.Mode)
	}
	if key, value, ok := strings.Cut(t.NodeTag, "="); t.NodeTag != "" && (!ok || key == "" || value == "") {
		c.fail("spec.triton.nodeTag", "tag", "write KEY=VALUE, such as k8s.cluster=0abe1901-…", "%q is no tag", t.NodeTag)
	}
	if d, err := time.ParseDuration(t.Settle); t.Settle != "" && (err != nil || d < 0) {
		c.fail("spec.triton.settle", "duration", "write 150s, or 3m", "%q is no duration", t.Settle)
	}
}

// MaxTritonName is the longest DNS label of a release: the nodes' is two characters longer.
const MaxTritonName = 61
