package diff

import (
	"fmt"
	"strings"

	"egk8s.dev/egk8s/cmd/internal/report"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/difference"
	"egk8s.dev/egk8s/gateway/offline"
)

// Marker begins the body, so that a pipeline finds its own comment of an earlier run again.
const Marker = "<!-- egk8s diff -->"

// Markdown is a comparison as the comment of a pull request: how requests are answered differently first, the
// details folded.
func Markdown(r *deployer.DiffResult) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n### %s against %s\n\n", Marker, report.Cell(r.Name), report.Cell(r.Against))
	if !r.Changes() {
		b.WriteString("Nothing differs.\n")
		return b.String()
	}
	markdownRequests(&b, r.Requests)
	if len(r.Objects) > 0 {
		var objects strings.Builder
		for _, o := range r.Objects {
			markdownObject(&objects, o)
		}
		folded(&b, plural(len(r.Objects), "object differs", "objects differ"), objects.String())
	}
	for _, f := range r.Files {
		folded(&b, "file "+f.Path, fileBody(f))
	}
	for _, w := range r.Warnings {
		fmt.Fprintf(&b, "\n> warning: %s\n", report.Cell(w))
	}
	return b.String()
}

func markdownRequests(b *strings.Builder, changes []offline.Change) {
	if len(changes) == 0 {
		b.WriteString("Requests are answered as before.\n")
		return
	}
	b.WriteString("Requests are answered differently:\n\n| | |\n|---|---|\n")
	for _, c := range changes {
		class := string(c.Class)
		if c.Class == offline.Breaking {
			class = "**breaking**"
		}
		fmt.Fprintf(b, "| %s | %s |\n", class, report.Cell(c.Message))
	}
}

// markdownObject begins its lines with the signs that viewers colour.
func markdownObject(b *strings.Builder, o difference.Object) {
	line := fmt.Sprintf("%s/%s   %s", o.Kind, o.Name, o.Reason)
	if len(o.Fields) == 0 {
		line = sign(o.Action) + " " + line
	}
	fmt.Fprintln(b, strings.TrimRight(report.Clean(line), " "))
	for _, f := range o.Fields {
		for _, side := range [][2]string{{"-", f.Before}, {"+", f.After}} {
			if side[1] != "" {
				fmt.Fprintf(b, "%s   %s: %s\n", side[0], report.Clean(f.Path), report.Clean(side[1]))
			}
		}
	}
}

// fileBody is what changes in a file, or why that is not shown.
func fileBody(f difference.File) string {
	switch {
	case f.Secret:
		return "secret: its content is not shown\n"
	case f.Diff == "":
		return "differs; it is no text\n"
	}
	var b strings.Builder
	for text := range strings.Lines(f.Diff) {
		fmt.Fprintln(&b, report.Clean(strings.TrimSuffix(text, "\n")))
	}
	return b.String()
}

// folded writes a block that is open on demand, in a fence that nothing in it can close.
func folded(b *strings.Builder, summary, text string) {
	fence := report.Fence(text)
	fmt.Fprintf(b, "\n<details><summary>%s</summary>\n\n%sdiff\n%s%s\n\n</details>\n", report.Cell(summary), fence, text, fence)
}
