package app

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/exit"
)

// NoArgs refuses every argument.
func NoArgs(cmd *cobra.Command, args []string) error { return MaxArgs(0)(cmd, args) }

// MaxArgs refuses more than n arguments.
func MaxArgs(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) <= n {
			return nil
		}
		return Usage(cmd, fmt.Sprintf("%s takes %s, got %q", cmd.CommandPath(), count(n), args[n]))
	}
}

// ExactArgs asks for the arguments named.
func ExactArgs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < len(names) {
			return Usage(cmd, fmt.Sprintf("%s needs %s", cmd.CommandPath(), names[len(args)]))
		}
		return MaxArgs(len(names))(cmd, args)
	}
}

// Choice asks for at most one argument out of a list.
func Choice(allowed ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := MaxArgs(1)(cmd, args); err != nil || len(args) == 0 || slices.Contains(allowed, args[0]) {
			return err
		}
		e := Usage(cmd, fmt.Sprintf("%q is not one of %s", args[0], strings.Join(allowed, ", ")))
		if near := Nearest(args[0], allowed); near != "" {
			e.Help = fmt.Sprintf("did you mean %s?", near)
		}
		return e
	}
}

// Group makes a command that only holds others: alone it prints its help, and a word that is no
// command of it is wrong usage with a suggestion.
func Group(cmd *cobra.Command) *cobra.Command {
	cmd.Args = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		e := Usage(c, fmt.Sprintf("unknown command %q for %q", args[0], c.CommandPath()))
		names := []string{}
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() || sub.Name() == "help" {
				names = append(names, sub.Name())
			}
		}
		if near := Nearest(args[0], names); near != "" {
			e.Help = fmt.Sprintf("did you mean %s %s?", c.CommandPath(), near)
		}
		return e
	}
	cmd.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	return cmd
}

// Usage returns the error for a wrong command line of cmd.
func Usage(cmd *cobra.Command, message string) *exit.UsageError {
	use := cmd.UseLine()
	if cmd.HasAvailableSubCommands() {
		use = cmd.CommandPath() + " COMMAND [flags]"
	}
	return &exit.UsageError{Message: message, Command: cmd.CommandPath(), UseLine: use}
}

func count(n int) string {
	switch n {
	case 0:
		return "no argument"
	case 1:
		return "at most one argument"
	default:
		return fmt.Sprintf("at most %d arguments", n)
	}
}
