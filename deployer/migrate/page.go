package migrate

import (
	"bytes"
	"fmt"
	"strings"
)

// Page writes MIGRATION.md: a line for each finding, what needs its owner first.
func (r *Result) Page(name string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# From Express Gateway to %s\n\n", name)
	b.WriteString("Written by `egk8s init --from`; a line for each thing that was found. It is yours: tick off what is done, then delete it.\n")
	for _, part := range []struct {
		verdict      Verdict
		title, intro string
	}{
		{NeedsYou, "Needs you", "`egk8s validate` or `egk8s check` refuse what is still open here."},
		{Mapped, "Mapped", "Works on a cluster in another way."},
		{Better, "Better than before", "Treated otherwise than by Express Gateway, on purpose; `egk8s help differences` explains each."},
		{Works, "Works", "As it is."},
	} {
		var lines []string
		for _, f := range r.Findings {
			if f.Verdict == part.verdict {
				lines = append(lines, f.line())
			}
		}
		if lines != nil {
			fmt.Fprintf(&b, "\n## %s\n\n%s\n\n%s", part.title, part.intro, strings.Join(lines, ""))
		}
	}
	return b.Bytes()
}

func (f Finding) line() string {
	box := "- "
	if f.Verdict == NeedsYou {
		box = "- [ ] "
	}
	at := ""
	if f.At != "" {
		at = " (`" + f.At + "`)"
	}
	return fmt.Sprintf("%s**%s**%s: %s\n", box, oneLine(f.Subject), at, oneLine(f.Text))
}

// oneLine keeps what stands in a user's file from ending the line, or from being Markdown of its own.
func oneLine(text string) string {
	return strings.NewReplacer("\n", " ", "\r", " ", "<", "&lt;", "*", `\*`).Replace(text)
}
