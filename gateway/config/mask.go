package config

import (
	"cmp"
	"slices"
	"strings"

	"egk8s.dev/egk8s/gateway/diag"
)

// longValue is from which length on a variable's value is recognised anywhere in a text, not only in quotes.
const longValue = 8

// mask puts the references back in place of their values wherever a problem quotes one: a value may be a secret.
// Defaults stay: they stand in the file. So do the names of policies and conditions.
func (l *loader) mask() {
	type secret struct{ value, reference string }
	var secrets []secret
	for name, value := range l.values {
		_, isPolicy := l.opts.Catalogue.Policies[value]
		_, isCondition := l.opts.Catalogue.Conditions[value]
		if value != "" && !isPolicy && !isCondition {
			secrets = append(secrets, secret{value, "${" + name + "}"})
		}
	}
	slices.SortFunc(secrets, func(a, b secret) int {
		return cmp.Or(cmp.Compare(len(b.value), len(a.value)), cmp.Compare(a.reference, b.reference))
	})
	for i := range l.problems {
		p := &l.problems[i]
		for _, field := range []*string{&p.Message, &p.Label, &p.Suggestion, &p.Hint} {
			for _, s := range secrets {
				if len(s.value) >= longValue {
					*field = strings.ReplaceAll(*field, s.value, s.reference)
				}
				*field = strings.ReplaceAll(*field, `"`+s.value+`"`, `"`+s.reference+`"`)
				if field == &p.Suggestion && *field == s.value {
					*field = s.reference
				}
			}
		}
	}
}

// remember keeps the values that a file's references took from the environment.
func (l *loader) remember(src *source) {
	for _, p := range src.pieces {
		if p.name == "" || p.unknown || l.opts.Lookup == nil {
			continue
		}
		if v, ok := l.opts.Lookup(p.name); ok {
			if l.values == nil {
				l.values = map[string]string{}
			}
			l.values[p.name] = v
		}
	}
}

// problem adds problems.
func (l *loader) problem(ps ...diag.Problem) {
	l.problems = append(l.problems, ps...)
}
