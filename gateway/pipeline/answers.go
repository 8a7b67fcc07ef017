package pipeline

import "sync/atomic"

// Answers counts the requests that one policy of one pipeline answered, by the first digit of their status.
// Counting takes no lock.
type Answers struct{ classes [6]atomic.Uint64 }

// Of returns how many had a status that begins with class, 1 to 5; 0: no status.
func (a *Answers) Of(class int) uint64 { return a.classes[class].Load() }

// Classes is how many classes there are.
func (a *Answers) Classes() int { return len(a.classes) }

func (a *Answers) add(status int) {
	class := status / 100
	if a == nil {
		return
	}
	if class < 0 || class >= len(a.classes) {
		class = 0
	}
	a.classes[class].Add(1)
}

// Count makes every step count its answers with what find returns for its pipeline and policy. It is called
// before the Runtime serves; a Runtime without it counts nothing.
func (r *Runtime) Count(find func(pipeline, policy string) *Answers) {
	for _, g := range r.groups {
		for _, route := range g.routes.list {
			for i := range route.steps {
				route.steps[i].answers = find(route.endpoint.Pipeline, route.steps[i].name)
			}
		}
	}
}
