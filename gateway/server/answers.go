package server

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"egk8s.dev/egk8s/gateway/pipeline"
)

// answersKey names the answers that are counted together.
type answersKey struct{ pipeline, policy string }

// bindAnswers gives the steps of rt, which does not serve yet, the counters of their names, and forgets the others;
// the caller holds the lock.
func (m *metrics) bindAnswers(rt *pipeline.Runtime) {
	used := map[answersKey]*pipeline.Answers{}
	rt.Count(func(name, policy string) *pipeline.Answers {
		key := answersKey{name, policy}
		if used[key] == nil {
			used[key] = cmp.Or(m.answers[key], new(pipeline.Answers))
		}
		return used[key]
	})
	m.answers = used
}

// policies prints which policies answered.
func (m *metrics) policies(b *strings.Builder) {
	m.mu.Lock()
	defer m.mu.Unlock()
	head(b, "egk8s_policy_answers_total", "counter", "Requests by the policy that answered them, such as proxy or one that refused them, and class of status.")
	keys := slices.SortedFunc(maps.Keys(m.answers), func(a, b answersKey) int {
		return cmp.Or(cmp.Compare(a.pipeline, b.pipeline), cmp.Compare(a.policy, b.policy))
	})
	for _, key := range keys {
		for class := range m.answers[key].Classes() {
			if n := m.answers[key].Of(class); n > 0 {
				fmt.Fprintf(b, "egk8s_policy_answers_total{pipeline=\"%s\",policy=\"%s\",status=\"%dxx\"} %d\n", label(key.pipeline), label(key.policy), class, n)
			}
		}
	}
}
