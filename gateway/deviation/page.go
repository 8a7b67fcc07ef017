package deviation

import (
	"fmt"
	"strings"
)

// Tables is the part of the page that is made from the list.
func Tables() string {
	var b strings.Builder
	for _, area := range Areas() {
		fmt.Fprintf(&b, "## %s\n\n", area.Title)
		if area.Intro != "" {
			b.WriteString(area.Intro + "\n\n")
		}
		b.WriteString("| | Express Gateway | here | recorded cases |\n|---|---|---|---|\n")
		for _, d := range area.Deviations {
			fmt.Fprintf(&b, "| <a id=%q></a>%s | %s | %s | %s |\n", d.ID, d.ID, cell(d.There), cell(d.Here), strings.Join(d.Cases, ", "))
		}
		b.WriteByte('\n')
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// cell keeps a text inside its cell.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
