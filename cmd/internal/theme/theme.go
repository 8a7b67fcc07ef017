// Package theme decides once how signs, lines and colours look: the sixteen colours of the user's
// own palette, or none; Unicode signs, or ASCII. A state is always a sign and a word, so nothing
// is lost without colour.
package theme

import "egk8s.dev/egk8s/cmd/internal/stdio"

// Theme is how a stream may be written.
type Theme struct {
	Color bool
	ASCII bool
}

// ForErr returns the theme of the error stream.
func ForErr(io *stdio.Streams) Theme { return Theme{Color: io.ColorErr(), ASCII: io.ASCII()} }

// ForOut returns the theme of the output stream.
func ForOut(io *stdio.Streams) Theme { return Theme{Color: io.ColorOut(), ASCII: io.ASCII()} }

// Kind is a meaning that a sign and a colour carry.
type Kind int

// The kinds.
const (
	Plain Kind = iota
	OK
	Busy
	Warn
	Fail
	Leaving
	Idle
	Dim
	Bold
)

// Sign returns the sign of a kind, one or two columns wide.
func (t Theme) Sign(k Kind) string {
	if t.ASCII {
		switch k {
		case OK:
			return "ok"
		case Busy:
			return ".."
		case Warn:
			return "!!"
		case Fail:
			return "xx"
		case Leaving:
			return "<-"
		default:
			return "--"
		}
	}
	switch k {
	case OK:
		return "✓"
	case Busy:
		return "◌"
	case Warn:
		return "!"
	case Fail:
		return "✗"
	case Leaving:
		return "↓"
	default:
		return "·"
	}
}

// Spinner returns the sign of Busy for a frame of the animation.
func (t Theme) Spinner(frame int) string {
	if t.ASCII {
		return t.Sign(Busy)
	}
	frames := []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
	return string(frames[frame%len(frames)])
}

// Paint wraps text in the colour of a kind, or returns it unchanged where colour is off.
func (t Theme) Paint(k Kind, text string) string {
	code := sgr(k)
	if !t.Color || code == "" || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func sgr(k Kind) string {
	switch k {
	case OK:
		return "32"
	case Busy:
		return "36"
	case Warn:
		return "33"
	case Fail:
		return "31"
	case Leaving, Idle, Dim:
		return "2"
	case Bold:
		return "1"
	default:
		return ""
	}
}

// Lines are the pieces of a tree and of a quoted block.
type Lines struct {
	Tee, Last, Pipe, Quote, Rule, Full, Empty, Arrow, Dots, Dot string
}

// Lines returns the line pieces of the theme.
func (t Theme) Lines() Lines {
	if t.ASCII {
		return Lines{"|-- ", "`-- ", "|   ", "| ", "-", "#", ".", "->", "..", "-"}
	}
	return Lines{"├─ ", "└─ ", "│  ", "│ ", "─", "█", "░", "→", "…", "·"}
}
