//go:build api

package deployer_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

func sizes() []int     { return []int{10, 200, 1000} }
func tools() []string  { return []string{"egk8s", "kubectl", "helm"} }
func trials() []string { return []string{"create", "no change", "one drifted", "all changed"} }

// table writes the figures by number of objects, program and run: requests, seconds and MiB of each program.
func table(results map[int]map[string]map[string]figure) string {
	var out strings.Builder
	out.WriteString("| objects | run | egk8s: requests, s, MiB | kubectl: requests, s, MiB | helm: requests, s, MiB | s ÷ kubectl | s ÷ helm |\n|---|---|---|---|---|---|---|\n")
	for _, n := range sizes() {
		for _, run := range trials() {
			fmt.Fprintf(&out, "| %d | %s |", n, run)
			for _, tool := range tools() {
				f := results[n][tool][run]
				fmt.Fprintf(&out, " %d, %.2f, %d |", f.requests, f.wall.Seconds(), f.rss)
			}
			own := results[n]["egk8s"][run].wall.Seconds()
			fmt.Fprintf(&out, " %.2f | %.2f |\n", own/results[n]["kubectl"][run].wall.Seconds(), own/results[n]["helm"][run].wall.Seconds())
		}
	}
	return out.String()
}

// writeFigures puts the report between the two lines of the page that are for it.
func writeFigures(file, report string) error {
	const begin, end = "<!-- make bench-deploy writes what follows -->\n", "<!-- end of make bench-deploy -->\n"
	page, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	head, rest, opened := bytes.Cut(page, []byte(begin))
	_, tail, closed := bytes.Cut(rest, []byte(end))
	if !opened || !closed {
		return fmt.Errorf("%s lacks the lines %q and %q", file, begin, end)
	}
	return os.WriteFile(file, []byte(string(head)+begin+report+end+string(tail)), 0o600)
}
