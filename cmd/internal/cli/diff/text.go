package diff

import (
	"cmp"
	"fmt"
	"strings"

	"egk8s.dev/egk8s/cmd/internal/report"
	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/difference"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/gateway/offline"
)

// Names lists what differs: Kind/name of objects, then paths of files.
func Names(r *deployer.DiffResult) string {
	var b strings.Builder
	for _, o := range r.Objects {
		fmt.Fprintf(&b, "%s/%s\n", o.Kind, o.Name)
	}
	for _, f := range r.Files {
		fmt.Fprintln(&b, f.Path)
	}
	return b.String()
}

// Text is a comparison for people: what differs, then one line that counts it.
func Text(r *deployer.DiffResult, t theme.Theme) string {
	var b strings.Builder
	for _, o := range r.Objects {
		writeObject(&b, o, t)
	}
	for _, f := range r.Files {
		writeFile(&b, f, t)
	}
	writeRequests(&b, r.Requests, t)
	if !r.Changes() {
		fmt.Fprintf(&b, "no difference between the project and %s\n", r.Against)
		return b.String()
	}
	fmt.Fprintf(&b, "\n%s, %s against %s\n", plural(len(r.Objects), "object differs", "objects differ"),
		plural(len(r.Files), "file differs", "files differ"), r.Against)
	return b.String()
}

// writeRequests says how requests are answered differently, the worst first.
func writeRequests(b *strings.Builder, changes []offline.Change, t theme.Theme) {
	if len(changes) == 0 {
		return
	}
	fmt.Fprintln(b, "\nrequests are answered differently:")
	for _, c := range changes {
		k := theme.OK
		switch c.Class {
		case offline.Breaking:
			k = theme.Fail
		case offline.Review:
			k = theme.Warn
		case offline.Safe:
		}
		fmt.Fprintf(b, "  %s %s\n", t.Paint(k, fmt.Sprintf("%s %-8s", t.Sign(k), c.Class)), report.Clean(c.Message))
	}
}

func writeObject(b *strings.Builder, o difference.Object, t theme.Theme) {
	line := fmt.Sprintf("%s %s/%s", sign(o.Action), o.Kind, o.Name)
	if o.Reason != "" {
		line += "   " + o.Reason
	}
	fmt.Fprintln(b, t.Paint(kind(o.Action), report.Clean(line)))
	for _, f := range o.Fields {
		fmt.Fprintf(b, "    %s\n", report.Clean(f.Path))
		value := func(k theme.Kind, sign, value string) {
			if value != "" {
				fmt.Fprintln(b, t.Paint(k, "      "+sign+" "+report.Clean(value)))
			}
		}
		if f.Before == difference.Secret && f.After == difference.Secret {
			fmt.Fprintln(b, t.Paint(theme.Warn, "      ~ another secret value"))
			continue
		}
		value(theme.Fail, "-", f.Before)
		value(theme.OK, "+", f.After)
	}
}

func writeFile(b *strings.Builder, f difference.File, t theme.Theme) {
	line := sign(f.Action) + " " + f.Path
	switch {
	case f.Secret:
		line += "   secret: its content is not shown"
	case f.Diff == "" && f.Action == event.Configured:
		line += "   differs; it is no text"
	}
	fmt.Fprintln(b, t.Paint(kind(f.Action), report.Clean(line)))
	for text := range strings.Lines(f.Diff) {
		text = strings.TrimSuffix(text, "\n")
		k := theme.Plain
		switch cmp.Or(text, " ")[0] {
		case '+':
			k = theme.OK
		case '-':
			k = theme.Fail
		case '@':
			k = theme.Dim
		}
		fmt.Fprintln(b, t.Paint(k, "    "+report.Clean(text)))
	}
}

func sign(a event.Action) string {
	switch a {
	case event.Created:
		return "+"
	case event.Deleted:
		return "-"
	default:
		return "~"
	}
}

func kind(a event.Action) theme.Kind {
	switch a {
	case event.Created:
		return theme.OK
	case event.Deleted:
		return theme.Fail
	default:
		return theme.Warn
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
