// Package reference writes the page of all commands and flags from the commands themselves.
package reference

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// Write writes the page of root and everything below it as Markdown.
func Write(w io.Writer, root *cobra.Command) error {
	var page strings.Builder
	fmt.Fprintf(&page, "# Commands of %s\n\nWritten by `go test ./cmd/internal/cli -run TestReference -update`; `%s COMMAND --help` prints the same.\n", root.Name(), root.Name())
	command(&page, root)
	fmt.Fprintf(&page, "\n## Flags of every command\n\n```text\n%s```\n", root.PersistentFlags().FlagUsages())
	_, err := io.WriteString(w, page.String())
	return err
}

func command(page *strings.Builder, cmd *cobra.Command) {
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	fmt.Fprintf(page, "\n## %s\n\n```text\n%s\n```\n\n```text\n%s\n```\n", cmd.CommandPath(), text, cmd.UseLine())
	if cmd.Example != "" {
		fmt.Fprintf(page, "\nExamples:\n\n```text\n%s\n```\n", strings.TrimRight(cmd.Example, "\n"))
	}
	if flags := cmd.NonInheritedFlags(); cmd.HasParent() && flags.HasAvailableFlags() {
		fmt.Fprintf(page, "\nFlags:\n\n```text\n%s```\n", flags.FlagUsages())
	}
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			command(page, sub)
		}
	}
}
