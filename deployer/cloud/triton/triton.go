// Package triton is a client of CloudAPI, the interface of Triton DataCenter: signed requests, paging, throttling and
// states that change later. It knows what deploys need: accounts, networks, images, packages, machines with their tags
// and metadata, and firewall rules.
//
// The rules of tags and of firewall rules are those of the packages triton-tags and fwrule, which CloudAPI itself uses;
// testdata/cloudapi/oracle holds what they accept and refuse.
package triton

import "time"

// Account is who pays.
type Account struct {
	ID    string `json:"id"`
	Login string `json:"login"`
	// CNS tells whether the account's machines get DNS names.
	CNS bool `json:"triton_cns_enabled"`
}

// Network is a network that machines can be in.
type Network struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Public bool   `json:"public"`
	Fabric bool   `json:"fabric"`
	Subnet string `json:"subnet,omitempty"` // 192.168.128.0/22
	// Suffixes are the DNS zones of the machines in it: svc.LOGIN.DC.ROOT for services, inst.… for instances. A
	// datacenter before November 2024 does not tell them.
	Suffixes []string `json:"suffixes,omitempty"`
}

// Image is what a machine is made from.
type Image struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Version   string    `json:"version"`
	State     string    `json:"state"`
	Type      string    `json:"type"`
	Published time.Time `json:"published_at"`
}

// Package is a size of machines.
type Package struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Memory int    `json:"memory"` // MiB
	Disk   int    `json:"disk"`   // MiB
}

// State is how a machine is.
type State string

// The states of machines.
const (
	Provisioning State = "provisioning"
	Running      State = "running"
	Stopping     State = "stopping"
	Stopped      State = "stopped"
	Failed       State = "failed"
	Deleted      State = "deleted"
)

// Machine is an instance.
type Machine struct {
	ID       string         `json:"id"`
	Name     string         `json:"name"`
	State    State          `json:"state"`
	Brand    string         `json:"brand"`
	Image    string         `json:"image"`
	Package  string         `json:"package"` // its name
	IPs      []string       `json:"ips"`
	Networks []string       `json:"networks"`
	Tags     map[string]any `json:"tags"` // text, numbers and booleans
	Metadata map[string]any `json:"metadata"`
	Firewall bool           `json:"firewall_enabled"`
	DNSNames []string       `json:"dns_names,omitempty"`
	Primary  string         `json:"primaryIp,omitempty"`
}

// Tag returns a tag as text; empty: there is none.
func (m *Machine) Tag(key string) string { return text(m.Tags[key]) }

// Meta returns a metadata value as text; empty: there is none.
func (m *Machine) Meta(key string) string { return text(m.Metadata[key]) }

// Rule is a firewall rule of the account.
type Rule struct {
	ID          string `json:"id"`
	Text        string `json:"rule"`
	Enabled     bool   `json:"enabled"`
	Description string `json:"description,omitempty"`
}

// NewMachine is what a machine is made with.
type NewMachine struct {
	Name     string
	Image    string // id
	Package  string // id or name
	Networks []string
	Tags     map[string]string
	Metadata map[string]string
	Firewall bool
}

// body is the form in which CloudAPI wants it: flat keys.
func (n NewMachine) body() map[string]any {
	b := map[string]any{"name": n.Name, "image": n.Image, "package": n.Package, "firewall_enabled": n.Firewall}
	if len(n.Networks) > 0 {
		b["networks"] = n.Networks
	}
	for key, value := range n.Tags {
		b["tag."+key] = value
	}
	for key, value := range n.Metadata {
		b["metadata."+key] = value
	}
	return b
}
