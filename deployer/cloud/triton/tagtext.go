package triton

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Tags that this package knows the meaning of.
const (
	ServicesTag = "triton.cns.services" // the DNS service names of a machine
	DisableTag  = "triton.cns.disable"  // no DNS names at all
)

// servicePattern is one entry of the tag (triton-tags 1.5.0, cns-svc-tag.pegjs): name[:port][:property=value]…
var (
	serviceName     = regexp.MustCompile(`^([a-zA-Z0-9-][a-zA-Z0-9.-]*|_[a-zA-Z0-9-]*(\._tcp|\._udp))$`)
	serviceProperty = regexp.MustCompile(`^([a-z][a-z0-9-]*)=([^,:]+)$`)
	digits          = regexp.MustCompile(`^[0-9]+$`)
	leadingDigits   = regexp.MustCompile(`^\s*[+-]?[0-9]+`)
	dnsName         = regexp.MustCompile(`(?i)^[a-z0-9][a-z0-9-]{0,62}(\.[a-z0-9][a-z0-9-]{0,62})*$`)
)

// Services splits the tag triton.cns.services into its entries. A text that CNS does not take is an error.
func Services(tag string) ([]string, error) {
	entries := strings.Split(tag, ",")
	for _, entry := range entries {
		if err := checkService(entry); err != nil {
			return nil, fmt.Errorf("tag %s: %w", ServicesTag, err)
		}
	}
	return entries, nil
}

// ServiceLabel is the DNS label of an entry: "web" of "web:8080".
func ServiceLabel(entry string) string {
	label, _, _ := strings.Cut(entry, ":")
	return strings.ToLower(label)
}

func checkService(entry string) error {
	parts := strings.Split(entry, ":")
	const longest = 63
	name := parts[0]
	if !serviceName.MatchString(name) || len(name) > longest {
		return fmt.Errorf("%q is no service name: letters, digits and dashes, at most %d", name, longest)
	}
	rest := parts[1:]
	if len(rest) > 0 && digits.MatchString(rest[0]) {
		if port, err := strconv.Atoi(rest[0]); err != nil || port < 1 || port > 65535 {
			return fmt.Errorf("the port of %q must be 1 to 65535", entry)
		}
		rest = rest[1:]
	}
	for _, property := range rest {
		m := serviceProperty.FindStringSubmatch(property)
		if m == nil {
			return fmt.Errorf("%q of %q is no property", property, entry)
		}
		if err := checkProperty(m[1], m[2]); err != nil {
			return fmt.Errorf("%q: %w", entry, err)
		}
	}
	return nil
}

// checkProperty reads numbers as JavaScript's parseInt does: what follows the digits does not count.
func checkProperty(key, value string) error {
	if key == "name" && len(value) <= 63 { // it replaces the name in front; taken as it is
		return nil
	}
	if !slices.Contains([]string{"port", "priority", "weight"}, key) {
		return fmt.Errorf("there is no property %q", key)
	}
	least := 0
	if key == "port" {
		least = 1
	}
	n, err := strconv.Atoi(strings.TrimSpace(leadingDigits.FindString(value)))
	if err != nil || n < least || n > 65535 {
		return fmt.Errorf("%s must be %d to 65535", key, least)
	}
	return nil
}

// CheckTag tells what is wrong with a tag: names that begin with "triton." are a closed list.
func CheckTag(key, value string) error {
	switch {
	case key == ServicesTag:
		_, err := Services(value)
		return err
	case key == DisableTag:
		if value != "true" && value != "false" {
			return fmt.Errorf("tag %s must be true or false", key)
		}
	case key == "triton.cns.reverse_ptr":
		const longest = 255
		if len(value) > longest || !dnsName.MatchString(value) {
			return fmt.Errorf("tag %s: %q is no DNS name", key, value)
		}
	case key == "triton.network.public", key == "triton.network.public_ipv4", key == "triton.cmon.groups":
	case strings.HasPrefix(key, "triton."):
		return fmt.Errorf("tag %s: names that begin with triton. are Triton's own, and this is none of them", key)
	}
	return nil
}
