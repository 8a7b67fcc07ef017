package behaviour

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

// changed says how a step of one policy changed: the settings that people look for first, by their values.
func changed(policy string, was, is effect) string {
	a, b := decoded(was.action), decoded(is.action)
	switch {
	case was.condition != is.condition && was.action == is.action:
		return "meets " + policy + " under another condition"
	case policy == "proxy" && canonical(a["urls"]) != canonical(b["urls"]):
		return fmt.Sprintf("goes to %s instead of %s", places(b["urls"]), places(a["urls"]))
	case policy == "proxy":
		return "goes to its service with other options"
	case policy == "rate-limit" && (canonical(a["max"]) != canonical(b["max"]) || canonical(a["windowMs"]) != canonical(b["windowMs"])):
		return fmt.Sprintf("may be called %s instead of %s", limit(b), limit(a))
	case policy == "terminate" && canonical(a["statusCode"]) != canonical(b["statusCode"]):
		return fmt.Sprintf("is answered by %v instead of %v", b["statusCode"], a["statusCode"])
	case policy == "terminate":
		return "is answered with another text"
	default:
		return "has other settings of " + policy
	}
}

func decoded(action string) map[string]any {
	var out map[string]any
	_ = json.NewDecoder(strings.NewReader(action)).Decode(&out) // what is not there is nil
	return out
}

func limit(action map[string]any) string {
	ms, _ := action["windowMs"].(float64)
	return fmt.Sprintf("%v times in %gs", action["max"], ms/1000)
}

// places lists URLs without the passwords in them.
func places(v any) string {
	list, _ := v.([]any)
	var out []string
	for _, one := range list {
		text := fmt.Sprint(one)
		if u, err := url.Parse(text); err == nil {
			text = u.Redacted()
		}
		out = append(out, text)
	}
	if len(out) == 0 {
		return "no service"
	}
	return strings.Join(out, ", ")
}
