package triton

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// TargetKind says what a side of a rule names.
type TargetKind string

// The kinds of targets.
const (
	TargetAny    TargetKind = "any"
	TargetAllVMs TargetKind = "all vms"
	TargetSubnet TargetKind = "subnet" // Key: an address or a subnet
	TargetTag    TargetKind = "tag"    // Key and, unless any will do, Value
	TargetVM     TargetKind = "vm"     // Key: its id
)

// RuleTarget is one target of a side.
type RuleTarget struct {
	Kind       TargetKind
	Key, Value string
}

// RuleSpec is what a firewall rule says.
type RuleSpec struct {
	From, To []RuleTarget
	Allow    bool
	Protocol string
	Ports    [][2]int // first and last; of TCP and UDP
}

func (p *ruleParser) add(kind TargetKind, key, value string) {
	p.reaches = p.reaches || kind == TargetAllVMs || kind == TargetTag || kind == TargetVM
	*p.side = append(*p.side, RuleTarget{Kind: kind, Key: key, Value: value})
}

// Opens tells whether the rule lets TCP from one machine to a port of another.
func (r *RuleSpec) Opens(from, to *Machine, port int) bool {
	return r.Allow && r.Protocol == "tcp" && matchAny(r.From, from) && matchAny(r.To, to) &&
		slices.ContainsFunc(r.Ports, func(p [2]int) bool { return p[0] <= port && port <= p[1] })
}

func matchAny(targets []RuleTarget, m *Machine) bool {
	return slices.ContainsFunc(targets, func(t RuleTarget) bool {
		switch t.Kind {
		case TargetAny, TargetAllVMs:
			return true
		case TargetVM:
			return m.ID == t.Key
		case TargetTag:
			value, ok := m.Tags[t.Key]
			return ok && (t.Value == "" || text(value) == t.Value)
		case TargetSubnet:
			return slices.ContainsFunc(m.IPs, func(ip string) bool { return contains(t.Key, ip) })
		default:
			return false
		}
	})
}

func contains(subnet, ip string) bool {
	address, err := netip.ParseAddr(ip)
	if err != nil {
		return false
	}
	if prefix, err := netip.ParsePrefix(subnet); err == nil {
		return prefix.Contains(address)
	}
	return subnet == ip
}

// TagTarget is the text of a target: tag "KEY" = "VALUE".
func TagTarget(key, value string) string {
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`, `(`, `\(`, `)`, `\)`)
	return `tag "` + quoted.Replace(key) + `" = "` + quoted.Replace(value) + `"`
}

// Equal tells whether two rules say the same.
func (r *RuleSpec) Equal(o *RuleSpec) bool {
	return r.Allow == o.Allow && r.Protocol == o.Protocol && sameSet(r.From, o.From) && sameSet(r.To, o.To) && sameSet(r.Ports, o.Ports)
}

func sameSet[T comparable](a, b []T) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(x T) bool { return !slices.Contains(b, x) })
}

// unquote reads a tag's name or value as it stands in a rule.
func unquote(s string) string {
	if !strings.HasPrefix(s, `"`) {
		return s
	}
	s = strings.NewReplacer(`\/`, "/", `\(`, "(", `\)`, ")").Replace(s)
	if plain, err := strconv.Unquote(s); err == nil {
		return plain
	}
	return strings.Trim(s, `"`)
}
