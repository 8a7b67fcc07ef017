package tui

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// clock writes a duration as 00:42.
func clock(d time.Duration) string {
	d = max(d, 0)
	if d >= time.Hour {
		return fmt.Sprintf("%d:%02d:%02d", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
	}
	return fmt.Sprintf("%02d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

func tenths(d time.Duration) string { return fmt.Sprintf("%.1fs", max(d, 0).Seconds()) }

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// age writes a duration shortly: 42s, 5m, 3h, 9d.
func age(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	default:
		return fmt.Sprintf("%dd", int(d.Hours()/24))
	}
}

// middle cuts text in its middle so that both its ends stay readable.
func middle(s string, width int, dots string) string {
	w := ansi.StringWidth(s)
	if w <= width {
		return s
	}
	room := width - ansi.StringWidth(dots)
	if room < 2 {
		return ansi.Truncate(s, width, "")
	}
	left := room / 2
	return strings.TrimRight(ansi.Truncate(s, left, ""), dots) + dots + ansi.TruncateLeft(s, w-(room-left), "")
}

func pad(s string, width int) string {
	if n := width - ansi.StringWidth(s); n > 0 {
		return s + strings.Repeat(" ", n)
	}
	return s
}

// plain drops what could move the cursor or break the line.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if unicode.IsControl(r) || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) {
			return -1
		}
		return r
	}, s)
}
