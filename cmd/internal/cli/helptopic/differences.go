package helptopic

import (
	"fmt"
	"regexp"
	"strings"

	"egk8s.dev/egk8s/cmd/internal/report"
	"egk8s.dev/egk8s/gateway/deviation"
)

// differencesWidth is that of the topics that are written by hand.
const differencesWidth = 100

// markdownLink is what a page follows and a terminal only shows.
var markdownLink = regexp.MustCompile(`\[([^\]]+)\]\([^)]+\)`)

// differences is docs/compatibility.md for those who have nothing but the command.
func differences() string {
	var b strings.Builder
	b.WriteString("The gateway differs from Express Gateway 1.16.11 in what follows, on purpose, and in nothing else.\n" +
		"egk8s init names those that touch the files that it takes over.\n")
	for _, area := range deviation.Areas() {
		fmt.Fprintf(&b, "\n%s\n", area.Title)
		for _, d := range area.Deviations {
			fmt.Fprintf(&b, "\n  %s\n", d.ID)
			b.WriteString(report.Fold("    Express Gateway: "+plain(d.There)+"\n", differencesWidth))
			b.WriteString(report.Fold("    Here: "+plain(d.Here)+"\n", differencesWidth))
		}
	}
	return b.String()
}

func plain(markdown string) string { return markdownLink.ReplaceAllString(markdown, "$1") }
