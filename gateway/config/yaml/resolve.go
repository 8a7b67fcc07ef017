package yaml

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"egk8s.dev/egk8s/gateway/config/schema"
)

var (
	decimalPattern = regexp.MustCompile(`^[-+]?(?:0|[1-9][0-9_]*)$`)
	prefixPattern  = regexp.MustCompile(`^[-+]?0(?:b[01_]*[01][01_]*|x[0-9a-fA-F_]*[0-9a-fA-F][0-9a-fA-F_]*|[0-7_]*[0-7][0-7_]*)$`)
	minutePattern  = regexp.MustCompile(`^[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+$`)
	floatPattern   = regexp.MustCompile(`^(?:[-+]?(?:0|[1-9][0-9_]*)(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?` +
		`|\.[0-9_]+(?:[eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$`)
	datePattern = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$` +
		`|^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?$`)
	regexpPattern = regexp.MustCompile(`^/(.*)/([gimuy]*)$`)
)

// resolve gives a plain scalar its type, by the rules of js-yaml 3's default schema.
func resolve(text string) (Kind, any) {
	switch text {
	case "", "~", "null", "Null", "NULL":
		return Null, nil
	case "true", "True", "TRUE":
		return Bool, true
	case "false", "False", "FALSE":
		return Bool, false
	}
	if strings.IndexByte("+-.0123456789", text[0]) < 0 {
		return String, text
	}
	if !strings.HasSuffix(text, "_") {
		if f, ok := resolveNumber(text); ok {
			return Number, f
		}
	}
	if datePattern.MatchString(text) {
		return Date, text
	}
	return String, text
}

func resolveNumber(text string) (float64, bool) {
	digits := strings.ToLower(strings.ReplaceAll(text, "_", ""))
	sign := 1.0
	if digits[0] == '-' {
		sign = -1
	}
	digits = strings.TrimLeft(digits, "+-")
	switch {
	case decimalPattern.MatchString(text):
		f, err := strconv.ParseFloat(digits, 64)
		return sign * f, err == nil
	case prefixPattern.MatchString(text):
		return sign * prefixed(digits), true
	case minutePattern.MatchString(text):
		return sign * minutes(digits), true
	case !floatPattern.MatchString(text):
		return 0, false
	case digits == ".inf":
		return math.Inf(int(sign)), true
	case digits == ".nan":
		return math.NaN(), true
	case strings.Contains(digits, ":"):
		return sign * minutes(digits), true
	default:
		f, err := strconv.ParseFloat(digits, 64)
		return sign * f, err == nil || math.IsInf(f, 0)
	}
}

// prefixed reads 0b101, 0x1f and 017, however long.
func prefixed(digits string) float64 {
	base := 8.0
	switch digits = digits[1:]; digits[0] {
	case 'b':
		base, digits = 2, digits[1:]
	case 'x':
		base, digits = 16, digits[1:]
	}
	f := 0.0
	for _, c := range digits {
		d, _ := strconv.ParseUint(string(c), 16, 8)
		f = f*base + float64(d)
	}
	return f
}

// minutes reads base 60: 1:30 is ninety.
func minutes(digits string) float64 {
	f := 0.0
	for part := range strings.SplitSeq(digits, ":") {
		d, _ := strconv.ParseFloat(part, 64)
		f = f*60 + d
	}
	return f
}

// applyTag gives a node the type that its tag names. It returns false when the tag does not fit or is not known.
func applyTag(n *Node, tag string) bool {
	text, isText := n.Value.(string)
	if n.plain {
		text, isText = n.text, true
	}
	name, core := strings.CutPrefix(tag, "tag:yaml.org,2002:")
	if tag == "!" {
		if n.plain {
			n.Kind, n.Value = String, text
		}
		return true
	}
	if !core {
		return false
	}
	switch name {
	case "str":
		if isText || n.Kind == Null {
			n.Kind, n.Value = String, text
		}
		return n.Kind == String
	case "seq":
		return n.Kind == List
	case "map":
		return n.Kind == Map
	case "js/regexp":
		m := regexpPattern.FindStringSubmatch(text)
		switch {
		case !isText:
			return false
		case m != nil:
			n.Value = schema.Regexp{Source: m[1], Flags: m[2]}
		default:
			n.Value = schema.Regexp{Source: text}
		}
		n.Kind = Regexp
		return true
	}
	want, ok := map[string]Kind{"null": Null, "bool": Bool, "int": Number, "float": Number, "timestamp": Date}[name]
	if !ok {
		return false
	}
	if isText {
		n.Kind, n.Value = resolve(text)
	}
	return n.Kind == want
}
