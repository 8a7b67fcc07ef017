package schema

import (
	"net/netip"
	"regexp"
	"regexp/syntax"
	"strings"
	"time"
)

// The patterns of ajv 6's default, "fast" formats: what the reference lets through, this lets through.
var (
	uriFormat       = regexp.MustCompile(`(?i)^(?:[a-z][a-z0-9+\-,.]*:)(?:/?/)?[^\s]*$`)
	emailFormat     = regexp.MustCompile("(?i)^[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$")
	hostnameFormat  = regexp.MustCompile(`(?i)^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[-0-9a-z]{0,61}[0-9a-z])?)*$`)
	uuidFormat      = regexp.MustCompile(`(?i)^(?:urn:uuid:)?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$`)
	referenceFormat = regexp.MustCompile(`(?i)^(?:(?:[a-z][a-z0-9+\-,.]*:)?//)?(?:[^\\\s#][^\s#]*)?(?:#[^\\\s]*)?$`)
)

// formatWords says what each known format asks for. Other formats are not checked.
func formatWords(format string) (words string, holds func(string) bool) {
	parses := func(layout string) func(string) bool {
		return func(s string) bool { _, err := time.Parse(layout, s); return err == nil }
	}
	switch format {
	case "uri", "url":
		return "must be a URL with a scheme, such as http://host:port", uriFormat.MatchString
	case "uri-reference":
		return "must be a URL or a relative reference", referenceFormat.MatchString
	case "email":
		return "must be an e-mail address", emailFormat.MatchString
	case "hostname":
		return "must be a host name", hostnameFormat.MatchString
	case "uuid":
		return "must be a UUID", uuidFormat.MatchString
	case "ipv4":
		return "must be an IPv4 address", func(s string) bool { a, err := netip.ParseAddr(s); return err == nil && a.Is4() }
	case "ipv6":
		return "must be an IPv6 address", func(s string) bool { a, err := netip.ParseAddr(s); return err == nil && a.Is6() }
	case "date":
		return "must be a date, such as 2026-11-22", parses(time.DateOnly)
	case "date-time":
		return "must be a date with time, such as 2026-11-22T13:35:00Z", parses(time.RFC3339)
	case "duration": // not of ajv: of our own keys
		return "must be a duration such as 500ms, 5s or 10m, or a number of milliseconds", func(s string) bool { d, err := time.ParseDuration(s); return err == nil && d >= 0 }
	case "regex":
		return "must be a regular expression", validRegexp
	default:
		return "", nil
	}
}

// validRegexp tells whether s is a JavaScript regular expression. What JavaScript knows and Go does not
// (look-around, back references) counts as valid: whether it can run is for the policy to say.
func validRegexp(s string) bool {
	_, err := compileRegexp(s)
	if err == nil {
		return true
	}
	var se *syntax.Error
	if e, ok := err.(*syntax.Error); ok { //nolint:errorlint // regexp returns it bare
		se = e
	}
	if se == nil {
		return false
	}
	switch se.Code {
	case syntax.ErrInvalidPerlOp, syntax.ErrInvalidEscape, syntax.ErrInvalidRepeatSize:
		return true
	default:
		return false
	}
}

// compileRegexp compiles what JavaScript and Go write alike, and "\/", which only JavaScript needs.
func compileRegexp(s string) (*regexp.Regexp, error) {
	return regexp.Compile(strings.ReplaceAll(s, `\/`, `/`))
}
