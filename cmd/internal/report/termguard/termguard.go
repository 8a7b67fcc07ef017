// Package termguard keeps a command from asking the terminal for its background colour.
//
// Bubble Tea v1 asks lip gloss for it in an init function, which writes escape sequences and waits
// five seconds in a terminal that does not answer, for every command, even version. Lip gloss does
// not ask when the answer is already set. Go initialises packages that are ready in the order of
// their import paths, so this package, whose path sorts before github.com/charmbracelet/bubbletea,
// wins. cmd/egk8s imports it and a test with a silent pseudo-terminal holds it.
package termguard

import "github.com/charmbracelet/lipgloss"

func init() { //nolint:gochecknoinits // the one exception of the house: it must run before another package's init
	lipgloss.SetHasDarkBackground(true)
}
