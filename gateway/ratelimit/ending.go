package ratelimit

// ending is a heap of windows: the one that ends first is at the top. Every window knows its place.
type ending []*window

func (e *ending) push(w *window) {
	w.at = len(*e)
	*e = append(*e, w)
	e.up(w.at)
}

func (e *ending) pop() *window {
	h := *e
	first, last := h[0], len(h)-1
	e.swap(0, last)
	h[last] = nil
	*e = h[:last]
	if last > 0 {
		e.down(0)
	}
	return first
}

// moved restores the order after the window at i got a later end.
func (e *ending) moved(i int) { e.down(i) }

// changed restores the order after the window at i got another end.
func (e *ending) changed(i int) {
	e.down(i)
	e.up(i)
}

// remove takes the window at i out.
func (e *ending) remove(i int) {
	h, last := *e, len(*e)-1
	e.swap(i, last)
	h[last] = nil
	*e = h[:last]
	if i < last {
		e.changed(i)
	}
}

func (e *ending) up(i int) {
	for h := *e; i > 0; {
		parent := (i - 1) / 2
		if !h[i].ends.Before(h[parent].ends) {
			return
		}
		e.swap(i, parent)
		i = parent
	}
}

func (e *ending) down(i int) {
	for h := *e; ; {
		first := i
		for _, child := range [...]int{2*i + 1, 2*i + 2} {
			if child < len(h) && h[child].ends.Before(h[first].ends) {
				first = child
			}
		}
		if first == i {
			return
		}
		e.swap(i, first)
		i = first
	}
}

func (e *ending) swap(i, j int) {
	h := *e
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}
