package tui

import (
	"fmt"
	"slices"
)

// fit drops what matters least until the frame is low enough: finished phases, then rows of
// objects that are fine.
func (f *frame) fit(fixed int, phases, rows []string) (p, r []string) {
	blank := 1
	if f.small {
		blank = 0
	}
	room := f.look.Height - fixed - blank
	if len(phases)+len(rows) <= room {
		return phases, rows
	}
	for len(phases) > 1 && len(phases)+len(rows) > room {
		phases = phases[1:]
	}
	room -= len(phases)
	if len(rows) <= room {
		return phases, rows
	}
	if room < 1 {
		return phases, nil
	}
	heading := 1
	if f.small {
		heading = 0
	}
	if room <= heading+1 {
		return phases, rows[:room]
	}
	shown := room - heading - 1
	more := f.dim(fmt.Sprintf(" %s %d more", f.look.Theme.Lines().Dots, len(rows)-heading-shown))
	if at := slices.Index(f.names, f.look.Selected); f.look.Selected != "" && at >= 0 {
		rows = around(rows, heading, at, shown)
	} else {
		rows = f.mattering(rows, heading, shown)
	}
	return phases, append(rows, more)
}

// mattering keeps the heading and of the rows those that are not fine, then the others from above,
// n in all and in their order.
func (f *frame) mattering(rows []string, heading, n int) []string {
	keep := make([]bool, len(rows)-heading)
	for _, fine := range []bool{false, true} {
		for i := range keep {
			if n > 0 && !keep[i] && f.fine[i] == fine {
				keep[i] = true
				n--
			}
		}
	}
	kept := append([]string{}, rows[:heading]...)
	for i, k := range keep {
		if k {
			kept = append(kept, rows[heading+i])
		}
	}
	return kept
}

// around keeps the heading and n rows with the one at an index among them.
func around(rows []string, heading, at, n int) []string {
	first := min(max(at-n/2, 0), len(rows)-heading-n)
	return append(slices.Clone(rows[:heading]), rows[heading+first:heading+first+n]...)
}
