package report

import (
	"fmt"
	"strings"

	"egk8s.dev/egk8s/cmd/internal/report/snapshot"
	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer/event"
)

// Markdown returns the summary that a job page or a pull request shows.
func Markdown(s snapshot.Snapshot, e Ending) string {
	if e.Body != "" {
		return e.Body
	}
	var b strings.Builder
	r := e.Result
	fmt.Fprintf(&b, "### %s\n\n", Cell(e.Headline(theme.Theme{})))
	if e.Err != nil {
		block := Text(Block(e, theme.Theme{}))
		fence := Fence(block)
		fmt.Fprintf(&b, "%s\n%s%s\n\n", fence, block, fence)
	}
	rows := [][2]string{
		{"Cluster", orElse(r.Context, "-") + " / " + orElse(r.Namespace, "-")},
		{"Revision", fmt.Sprint(r.Revision)},
		{"Image", r.Image},
		{"Config", r.ConfigDigest},
		{"URL", r.URL},
		{"Reach it", r.Reach},
	}
	b.WriteString("| | |\n|---|---|\n")
	for _, row := range rows {
		if row[1] != "" && row[1] != "0" {
			fmt.Fprintf(&b, "| %s | %s |\n", row[0], code(row[1]))
		}
	}
	for _, w := range s.Warnings {
		fmt.Fprintf(&b, "\n> warning: %s\n", Cell(w.Message))
	}
	objects(&b, s)
	probes(&b, e)
	return b.String()
}

func objects(b *strings.Builder, s snapshot.Snapshot) {
	rows := []snapshot.Object{}
	for _, o := range s.Objects {
		if o.State != event.Gone {
			rows = append(rows, o)
		}
	}
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "\n<details><summary>%s</summary>\n\n| object | action | state | |\n|---|---|---|---|\n", plural(len(rows), "object"))
	for _, o := range rows {
		message := o.Message
		if o.State == "" && o.Action == event.Created {
			message = "" // of what is new, "created" says it all
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", code(o.Name), o.Action, o.State, Cell(message))
	}
	b.WriteString("\n</details>\n")
}

func probes(b *strings.Builder, e Ending) {
	if len(e.Result.Probes) == 0 {
		return
	}
	fmt.Fprintf(b, "\n<details><summary>%s</summary>\n\n| probe | request | status | outcome | |\n|---|---|---|---|---|\n",
		plural(len(e.Result.Probes), "probe"))
	for _, p := range e.Result.Probes {
		fmt.Fprintf(b, "| %s | %s | %d | %s | %s |\n", Cell(p.Name), code(p.Method+" "+p.Host+p.Path), p.Status, p.Outcome, Cell(p.Message))
	}
	b.WriteString("\n</details>\n")
}

// Cell makes text safe inside a table: no line ends, no mark-up of its own.
func Cell(s string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", ">", "&gt;", "`", "'", "[", `\[`, "*", `\*`, "_", `\_`).Replace(Clean(s))
}

func code(s string) string {
	return "`" + strings.NewReplacer("`", "'", "|", `\|`).Replace(Clean(s)) + "`"
}

// Fence returns a fence that nothing in the text can close.
func Fence(text string) string {
	longest, run := 2, 0
	for _, r := range text {
		if r != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return strings.Repeat("`", longest+1)
}
