package triton

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// CheckRule tells what is wrong with the text of a firewall rule, as fwrule 2.1.1 does:
//
//	FROM targets TO targets ALLOW|BLOCK protocol [PRIORITY n]
func CheckRule(rule string) error {
	_, err := ParseRule(rule)
	return err
}

// ParseRule reads the text of a firewall rule.
func ParseRule(rule string) (*RuleSpec, error) {
	tokens, err := lex(rule)
	if err != nil {
		return nil, fmt.Errorf("firewall rule %q: %w", rule, err)
	}
	p := &ruleParser{tokens: tokens}
	if err := p.rule(); err != nil {
		return nil, fmt.Errorf("firewall rule %q: %w", rule, err)
	}
	return &p.spec, nil
}

// keywords count in capital letters and in small ones, not mixed.
const keywords = "FROM TO IP SUBNET ANY ALL TAG VM VMS OR AND BLOCK ALLOW PORT PORTS TCP UDP ICMP ICMP6 AH ESP TYPE CODE PRIORITY"

var (
	ruleToken = regexp.MustCompile(`^(\s+|[-,=()]|"(\\["bfnrt/()\\]|\\u[a-fA-F0-9]{4}|[^"\\])*"|[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}|[0-9a-f]*:[0-9a-f]*:[:0-9a-f]*|/[0-9]{1,3}|[-a-zA-Z0-9_]+)`)
	keyword   = regexp.MustCompile(`^(` + strings.ReplaceAll(keywords+" "+strings.ToLower(keywords), " ", `|`) + `)\b`)
	uuid      = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
)

type ruleWord struct {
	text string
	key  string // in capital letters; empty: it is no keyword
}

func lex(rule string) ([]ruleWord, error) {
	var out []ruleWord
	for at := 0; at < len(rule); {
		if m := keyword.FindString(rule[at:]); m != "" {
			out = append(out, ruleWord{m, strings.ToUpper(m)})
			at += len(m)
			continue
		}
		m := ruleToken.FindString(rule[at:])
		if m == "" {
			return nil, fmt.Errorf("character %d: %q is not expected", at+1, rule[at:at+1])
		}
		if strings.TrimSpace(m) != "" {
			out = append(out, ruleWord{text: m})
		}
		at += len(m)
	}
	return out, nil
}

type ruleParser struct {
	spec    RuleSpec
	side    *[]RuleTarget // that is being read
	tokens  []ruleWord
	at      int
	reaches bool // a machine
	v4, v6  bool // addresses that it names
}

func (p *ruleParser) peek() ruleWord {
	if p.at < len(p.tokens) {
		return p.tokens[p.at]
	}
	return ruleWord{text: "the end"}
}

func (p *ruleParser) next() ruleWord {
	w := p.peek()
	p.at++
	return w
}

// is takes the next word if it is that keyword or sign.
func (p *ruleParser) is(want string) bool {
	if w := p.peek(); p.at < len(p.tokens) && (w.key == want || w.key == "" && w.text == want) {
		p.at++
		return true
	}
	return false
}

func (p *ruleParser) expect(want string) error {
	if !p.is(want) {
		return fmt.Errorf("%s expected, found %s", want, p.peek().text)
	}
	return nil
}

func (p *ruleParser) rule() error {
	for _, side := range []struct {
		word    string
		targets *[]RuleTarget
	}{{"FROM", &p.spec.From}, {"TO", &p.spec.To}} {
		p.side = side.targets
		if err := p.expect(side.word); err != nil {
			return err
		}
		if err := p.targets(); err != nil {
			return err
		}
	}
	if p.spec.Allow = p.is("ALLOW"); !p.spec.Allow && !p.is("BLOCK") {
		return fmt.Errorf("ALLOW or BLOCK expected, found %s", p.peek().text)
	}
	if err := p.protocol(); err != nil {
		return err
	}
	if p.is("PRIORITY") {
		if _, err := p.number(0, 100); err != nil {
			return err
		}
	}
	switch {
	case p.at < len(p.tokens):
		return fmt.Errorf("%s is not expected", p.peek().text)
	case !p.reaches:
		return errors.New("it names no machine: one side needs a tag, a vm or all vms")
	}
	return nil
}

func (p *ruleParser) targets() error {
	switch {
	case p.is("ANY"):
		p.add(TargetAny, "", "")
		return nil
	case p.is("ALL"):
		p.add(TargetAllVMs, "", "")
		return p.expect("VMS")
	case !p.is("("):
		return p.target()
	}
	if p.is("ANY") {
		p.add(TargetAny, "", "")
		return p.expect(")")
	}
	if p.is("ALL") {
		p.add(TargetAllVMs, "", "")
		return errors.Join(p.expect("VMS"), p.expect(")"))
	}
	const most = 24
	for n := 1; ; n++ {
		if err := p.target(); err != nil {
			return err
		}
		if n > most {
			return fmt.Errorf("at most %d targets on one side", most)
		}
		if p.is(")") {
			return nil
		}
		if err := p.expect("OR"); err != nil {
			return err
		}
	}
}

func (p *ruleParser) target() error {
	switch {
	case p.is("IP"):
		address := p.next().text
		p.add(TargetSubnet, address, "")
		return p.address(address)
	case p.is("SUBNET"):
		address, bits := p.next().text, p.next().text
		if err := p.address(address); err != nil {
			return err
		}
		if _, err := netip.ParsePrefix(address + bits); err != nil || bits == "/0" {
			return fmt.Errorf("%s%s is no subnet", address, bits)
		}
		p.add(TargetSubnet, address+bits, "")
		return nil
	case p.is("VM"):
		id := p.next()
		if !uuid.MatchString(id.text) {
			return fmt.Errorf("%s is no UUID", id.text)
		}
		p.add(TargetVM, id.text, "")
		return nil
	case p.is("TAG"):
		return p.tag()
	default:
		return fmt.Errorf("ip, subnet, tag or vm expected, found %s", p.peek().text)
	}
}

func (p *ruleParser) tag() error {
	key, err := p.tagText()
	value := ""
	if err == nil && p.is("=") {
		value, err = p.tagText()
	}
	p.add(TargetTag, key, value)
	return err
}

var word = regexp.MustCompile(`^[-a-zA-Z0-9_]+$`)

func (p *ruleParser) tagText() (string, error) {
	w := p.next()
	if w.key != "" || w.text[0] != '"' && !word.MatchString(w.text) || p.at > len(p.tokens) {
		return "", fmt.Errorf("a tag expected, found %s: put it in double quotes", w.text)
	}
	return unquote(w.text), nil
}

func (p *ruleParser) address(s string) error {
	a, err := netip.ParseAddr(s)
	if err != nil || s == "0.0.0.0" || s == "255.255.255.255" {
		return fmt.Errorf("%s is no address", s)
	}
	p.v4, p.v6 = p.v4 || a.Is4(), p.v6 || !a.Is4()
	return nil
}

func (p *ruleParser) protocol() error {
	p.spec.Protocol = strings.ToLower(p.peek().text)
	switch {
	case p.is("TCP"), p.is("UDP"):
		return p.ports()
	case p.is("ICMP"):
		if p.v6 {
			return errors.New("icmp has no IPv6 address")
		}
		return p.alternatives("TYPE", p.icmpType)
	case p.is("ICMP6"):
		if p.v4 {
			return errors.New("icmp6 has no IPv4 address")
		}
		return p.alternatives("TYPE", p.icmpType)
	case p.is("AH"), p.is("ESP"):
		return nil
	default:
		return fmt.Errorf("tcp, udp, icmp, icmp6, ah or esp expected, found %s", p.peek().text)
	}
}

func (p *ruleParser) ports() error {
	if !p.is("PORTS") {
		return p.alternatives("PORT", func() error {
			n, err := p.number(1, 65535)
			p.spec.Ports = append(p.spec.Ports, [2]int{n, n})
			return err
		})
	}
	for n := 1; ; n++ {
		if err := p.portRange(); err != nil {
			return err
		}
		if n > mostPorts {
			return fmt.Errorf("at most %d ports", mostPorts)
		}
		if !p.is(",") {
			return nil
		}
	}
}

const mostPorts = 24

// portRange reads 80 or 30000 - 32767; without spaces it is one word.
func (p *ruleParser) portRange() error {
	w := p.next()
	bounds := strings.Split(w.text, "-")
	if w.key != "" || !word.MatchString(w.text) {
		return fmt.Errorf("a port expected, found %s", w.text)
	}
	if len(bounds) == 1 && p.is("-") {
		bounds = append(bounds, p.next().text)
	}
	var numbers []int
	for _, b := range bounds {
		n, err := bounded(b, 1, 65535)
		if err != nil {
			return err
		}
		numbers = append(numbers, n)
	}
	if len(numbers) > 2 || !slices.IsSorted(numbers) {
		return fmt.Errorf("%s is no range of ports", strings.Join(bounds, "-"))
	}
	p.spec.Ports = append(p.spec.Ports, [2]int{numbers[0], numbers[len(numbers)-1]})
	return nil
}

// alternatives reads PORT all, PORT n, and (PORT n AND PORT m); with TYPE for PORT, too.
func (p *ruleParser) alternatives(what string, one func() error) error {
	if !p.is("(") {
		if err := p.expect(what); err != nil {
			return err
		}
		if p.is("ALL") {
			p.spec.Ports = [][2]int{{1, 65535}}
			return nil
		}
		return one()
	}
	for n := 1; ; n++ {
		if err := p.expect(what); err != nil {
			return err
		}
		if n == 1 && p.is("ALL") {
			p.spec.Ports = [][2]int{{1, 65535}}
			return p.expect(")")
		}
		if err := one(); err != nil {
			return err
		}
		if n > mostPorts {
			return fmt.Errorf("at most %d ports or types", mostPorts)
		}
		if p.is(")") {
			return nil
		}
		if err := p.expect("AND"); err != nil {
			return err
		}
	}
}

func (p *ruleParser) icmpType() error {
	if _, err := p.number(0, 255); err != nil {
		return err
	}
	if p.is("CODE") {
		_, err := p.number(0, 255)
		return err
	}
	return nil
}

func (p *ruleParser) number(least, most int) (int, error) {
	w := p.next()
	return bounded(w.text, least, most)
}

func bounded(s string, least, most int) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || !digits.MatchString(s) || n < least || n > most {
		return 0, fmt.Errorf("%s must be a number from %d to %d", s, least, most)
	}
	return n, nil
}
