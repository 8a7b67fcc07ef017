package config

import (
	"fmt"
	"strings"

	"egk8s.dev/egk8s/gateway/diag"
)

// unbuilt is a policy or condition that is known and cannot run here, with the places that use it.
type unbuilt struct {
	kind, name string
	spots      []spot
}

// notBuilt notes one use; reportUnbuilt tells of all.
func (l *loader) notBuilt(kind, name string, s spot) {
	for i := range l.unbuilt {
		if u := &l.unbuilt[i]; u.kind == kind && u.name == name {
			u.spots = append(u.spots, s)
			return
		}
	}
	l.unbuilt = append(l.unbuilt, unbuilt{kind, name, []spot{s}})
}

// reportUnbuilt reports each policy and condition once, at its first use, with the lines of the others.
func (l *loader) reportUnbuilt() {
	for _, u := range l.unbuilt {
		p := diag.Problem{
			Code: u.kind + "-not-built", Message: fmt.Sprintf("the %s %q is not built into this gateway yet", u.kind, u.name),
			Label: "cannot run here", Hint: "take the step out, or wait for a gateway that has it",
		}
		var lines []string
		for _, s := range u.spots[1:] {
			lines = append(lines, fmt.Sprint(s.Line))
		}
		if lines != nil {
			p.Hint += "; also used in line " + strings.Join(lines, ", ")
		}
		l.report(u.spots[0], diag.Error, p)
	}
}
