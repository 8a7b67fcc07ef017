package status

import (
	"fmt"
	"strings"
	"time"

	"egk8s.dev/egk8s/cmd/internal/report"
	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/event"
)

// Look says how a status is shown.
type Look struct {
	Theme theme.Theme
	Now   time.Time
	Wide  bool // adds every pod
	Width int  // of the terminal; 0: there is none
}

// Text is a status for people.
func Text(s *deployer.StatusResult, look Look) string {
	t, now := look.Theme, look.Now
	var b strings.Builder
	kind := healthKind(s.Health)
	fmt.Fprintf(&b, "%s   %s   %s   revision %d", t.Paint(theme.Bold, s.Name),
		t.Paint(kind, t.Sign(kind)+" "+string(s.Health)), place(s), s.Revision)
	if !s.Updated.IsZero() {
		fmt.Fprintf(&b, "   since %s", report.Short(now.Sub(s.Updated)))
	}
	b.WriteString("\n")
	row := func(name, text string) { fmt.Fprintf(&b, "  %-10s %s\n", name, report.Clean(text)) }
	row("Gateway", fmt.Sprintf("%d/%d ready   %s   restarts %d", s.Ready, s.Replicas, tag(s.Image), s.Restarts))
	if s.ConfigDigest != "" {
		row("Config", fmt.Sprintf("%.12s   in use by %d/%d pods", s.ConfigDigest, s.Current, s.Replicas))
	}
	row("Service", service(s.Service))
	switch {
	case s.URL != "":
		row("URL", s.URL)
	case s.Reach != "":
		row("Reach", s.Reach)
	}
	if look.Wide {
		pods(&b, s, t, now)
	}
	notes(&b, s, t, look.Width)
	return report.Fold(b.String(), look.Width)
}

// tag is an image without its digest, where it has a tag: -o json has the whole.
func tag(image string) string {
	short, _, _ := strings.Cut(image, "@")
	if strings.Contains(short[strings.LastIndex(short, "/")+1:], ":") {
		return short
	}
	return image
}

func healthKind(h deployer.Health) theme.Kind {
	switch h {
	case deployer.Healthy:
		return theme.OK
	case deployer.Updating:
		return theme.Busy
	case deployer.Degraded:
		return theme.Warn
	default:
		return theme.Fail
	}
}

func place(s *deployer.StatusResult) string {
	if s.Cloud == "" {
		return s.Context + "/" + s.Namespace
	}
	return s.Cloud + "/" + s.Namespace
}

func service(s deployer.ServiceStatus) string {
	parts := []string{s.Type}
	parts = append(parts, strings.Join(s.Ports, ", "))
	if len(s.Addresses) > 0 {
		parts = append(parts, strings.Join(s.Addresses, ", "))
	}
	return strings.Join(parts, "   ") + fmt.Sprintf("   endpoints %d", s.Endpoints)
}

func pods(b *strings.Builder, s *deployer.StatusResult, t theme.Theme, now time.Time) {
	width := len("POD")
	for _, p := range s.Pods {
		width = max(width, len(p.Name))
	}
	fmt.Fprintf(b, "\n  %-*s  %-14s %8s  %5s  %-12s  %-20s %s\n", width, "POD", "STATE", "RESTARTS", "AGE", "CONFIG", "NODE", "INFO")
	for _, p := range s.Pods {
		kind := podKind(p.State)
		word := t.Sign(kind) + " " + string(p.State)
		painted := t.Paint(kind, word) + strings.Repeat(" ", max(0, 14-len([]rune(word))))
		line := fmt.Sprintf("  %-*s  %s %8d  %5s  %-12.12s  %-20s %s", width, p.Name, painted, p.Restarts,
			report.Short(now.Sub(p.Since)), p.ConfigDigest, p.Node, report.Clean(p.Message))
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

func podKind(s event.State) theme.Kind {
	switch s {
	case event.Ready:
		return theme.OK
	case event.Failed:
		return theme.Fail
	case event.Draining:
		return theme.Leaving
	default:
		return theme.Busy
	}
}

func notes(b *strings.Builder, s *deployer.StatusResult, t theme.Theme, width int) {
	if s.Unfinished != "" {
		fmt.Fprintf(b, "%s\n", t.Paint(theme.Warn, t.Sign(theme.Warn)+" "+report.Clean(s.Unfinished)))
	}
	for _, d := range s.Drift {
		line := fmt.Sprintf("%s changed outside egk8s: %s", t.Sign(theme.Warn), d.Object)
		if len(d.Fields) > 0 {
			line += " (" + strings.Join(d.Fields, ", ") + ")"
		}
		if d.By != "" {
			line += " by " + d.By
		}
		fmt.Fprintln(b, t.Paint(theme.Warn, report.Clean(line)))
	}
	for _, c := range s.Failures {
		b.WriteString("\n" + report.Text(report.CauseLines(c, t, width)))
	}
	if len(s.Warnings) == 0 {
		b.WriteString("Warnings: none\n")
		return
	}
	for _, w := range s.Warnings {
		fmt.Fprintf(b, "%s %s\n", t.Paint(theme.Warn, "warning:"), report.Clean(w))
	}
}
