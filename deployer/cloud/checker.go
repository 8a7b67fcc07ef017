package cloud

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"egk8s.dev/egk8s/deployer/strictyaml"
)

// checker reports what is wrong with a profile, or with a variant of one, where it stands.
type checker struct {
	*loader
	doc *strictyaml.Document
	at  []string
}

func (c checker) fault(code string, under []string, format string, args ...any) {
	c.fail(c.doc.Position(append(slices.Clone(c.at), under...)...), code, format, args...)
}

func (c checker) profile(p Profile) {
	c.word(string(p.Layer), []string{"layer"}, string(Base), string(Infrastructure), string(Distribution), string(Both))
	c.values(p)
	for i, rule := range p.Detect {
		if rule.Otherwise {
			c.fault("rule", []string{"detect", fmt.Sprint(i)}, "otherwise is for variants: a profile needs facts that speak for it")
		}
	}
	if p.Layer == Base && len(p.Detect) > 0 {
		c.fault("rule", []string{"detect"}, "a profile of layer base is never found by facts")
	}
}

func (c checker) variant(p Profile) {
	for _, key := range []string{"layer", "variants", "minKubernetes"} {
		if c.doc.Has(append(slices.Clone(c.at), key)...) {
			c.fault("variant", []string{key}, "%s belongs to the profile, not to a variant", key)
		}
	}
	c.values(p)
}

// values checks what profiles and variants share. What a variant inherits was reported for the profile.
func (c checker) values(p Profile) {
	types := []string{"ClusterIP", "NodePort", "LoadBalancer"}
	c.word(string(p.Image.Delivery), []string{"image", "delivery"}, string(Push), string(KindLoad), string(None))
	c.word(p.Image.PullPolicy, []string{"image", "pullPolicy"}, "IfNotPresent", "Never", "Always")
	c.word(p.Service.Type, []string{"service", "type"}, types...)
	c.word(p.Service.ExternalTrafficPolicy, []string{"service", "externalTrafficPolicy"}, "", "Cluster", "Local")
	c.word(p.StatusService.Type, []string{"statusService", "type"}, append([]string{""}, types...)...)
	c.word(string(p.Reach), []string{"reach"}, string(LoadBalancer), string(NodePort), string(PortForward))
	c.together(p)
	for i, rule := range p.Detect {
		if err := rule.check(); err != nil {
			c.fault("rule", []string{"detect", fmt.Sprint(i)}, "%v", err)
		}
	}
	for i, hint := range p.Hints {
		if _, err := regexp.Compile(hint.Match); err != nil {
			c.fault("pattern", []string{"hints", fmt.Sprint(i), "match"}, "%q is not a regular expression", hint.Match)
		}
	}
}

// together checks what does not fit together: Kubernetes refuses the Service, or nothing answers it.
func (c checker) together(p Profile) {
	s := p.Service
	switch {
	case s.LoadBalancerClass != "" && s.Type != "LoadBalancer":
		c.fault("service", []string{"service", "loadBalancerClass"}, "service.loadBalancerClass needs service.type LoadBalancer, not %s", s.Type)
	case s.ExternalTrafficPolicy != "" && s.Type == "ClusterIP":
		c.fault("service", []string{"service", "externalTrafficPolicy"}, "service.externalTrafficPolicy needs service.type NodePort or LoadBalancer")
	case p.Reach == LoadBalancer && s.Type != "LoadBalancer", p.Reach == NodePort && s.Type == "ClusterIP":
		c.fault("reach", []string{"reach"}, "reach %s does not fit service.type %s", p.Reach, s.Type)
	}
}

func (c checker) word(value string, at []string, known ...string) {
	if slices.Contains(known, value) {
		return
	}
	shown := slices.DeleteFunc(slices.Clone(known), func(s string) bool { return s == "" })
	if value == "" && !c.doc.Has(append(slices.Clone(c.at), at...)...) {
		c.fault("missing", nil, "%s is missing: one of %s", strings.Join(at, "."), strings.Join(shown, ", "))
		return
	}
	c.fault("unknown-word", at, "%s must be one of %s, not %q", strings.Join(at, "."), strings.Join(shown, ", "), value)
}
