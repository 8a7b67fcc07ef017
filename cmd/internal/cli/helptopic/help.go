// Package helptopic prints the help of commands, examples first, and of topics that are no command.
package helptopic

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
)

// New returns the help command.
func New(a *app.App) *cobra.Command {
	topics := Topics()
	return &cobra.Command{
		Use:   "help [COMMAND|TOPIC]",
		Short: "Explain a command or a topic",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return complete(cmd.Root(), topics, args), cobra.ShellCompDirectiveNoFileComp
		},
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			if len(args) == 0 {
				return root.Help()
			}
			if i := slices.IndexFunc(topics, func(t Topic) bool { return t.Name == args[0] }); i >= 0 && len(args) == 1 {
				_, err := io.WriteString(a.IO.Out, topics[i].Text())
				return err
			}
			found, rest, err := root.Find(args)
			if err == nil && len(rest) == 0 && found != root {
				return found.Help()
			}
			return unknown(cmd, topics, strings.Join(args, " "))
		},
	}
}

// complete offers what can be explained: commands, and for the first word topics too.
func complete(root *cobra.Command, topics []Topic, args []string) []string {
	of, rest, err := root.Find(args)
	if err != nil || len(rest) > 0 {
		return nil
	}
	var offers []string
	for _, c := range of.Commands() {
		if c.IsAvailableCommand() {
			offers = append(offers, cobra.CompletionWithDesc(c.Name(), c.Short))
		}
	}
	if len(args) == 0 {
		for _, t := range topics {
			offers = append(offers, cobra.CompletionWithDesc(t.Name, t.Short))
		}
	}
	return offers
}

func unknown(cmd *cobra.Command, topics []Topic, name string) error {
	e := app.Usage(cmd, fmt.Sprintf("no command and no help topic named %q", name))
	names := []string{}
	for _, c := range cmd.Root().Commands() {
		names = append(names, c.Name())
	}
	for _, t := range topics {
		names = append(names, t.Name)
	}
	if near := app.Nearest(name, names); near != "" {
		e.Help = fmt.Sprintf("did you mean egk8s help %s?", near)
		return e
	}
	names = names[:0]
	for _, t := range topics {
		names = append(names, t.Name)
	}
	e.Help = "topics: " + strings.Join(names, ", ")
	return e
}

// Print is the help function of every command.
func Print(cmd *cobra.Command, _ []string) {
	w := &strings.Builder{}
	fmt.Fprintf(w, "%s\n\n", cmp.Or(cmd.Long, cmd.Short+"."))
	use := cmd.UseLine()
	if cmd.HasAvailableSubCommands() {
		use = cmd.CommandPath() + " COMMAND [flags]"
	}
	fmt.Fprintf(w, "Usage:\n  %s\n", use)
	if cmd.Example != "" {
		fmt.Fprintf(w, "\nExamples:\n%s\n", strings.TrimRight(cmd.Example, "\n"))
	}
	printCommands(w, cmd)
	printFlags(w, cmd)
	_, _ = io.WriteString(cmd.OutOrStdout(), w.String())
}

func printCommands(w io.Writer, cmd *cobra.Command) {
	if !cmd.HasAvailableSubCommands() {
		return
	}
	list := func(title, group string) {
		fmt.Fprintf(w, "\n%s\n", title)
		for _, c := range cmd.Commands() {
			if c.GroupID == group && (c.IsAvailableCommand() || c.Name() == "help") {
				fmt.Fprintf(w, "  %-14s %s\n", c.Name(), c.Short)
			}
		}
	}
	for _, g := range cmd.Groups() {
		list(g.Title, g.ID)
	}
	if len(cmd.Groups()) > 0 {
		list("Other:", "")
		fmt.Fprintf(w, "\nTopics (egk8s help TOPIC):\n")
		for _, t := range Topics() {
			fmt.Fprintf(w, "  %-14s %s\n", t.Name, t.Short)
		}
		return
	}
	list("Commands:", "")
}

func printFlags(w io.Writer, cmd *cobra.Command) {
	local := cmd.LocalNonPersistentFlags()
	if local.HasAvailableFlags() {
		fmt.Fprintf(w, "\nFlags:\n%s", local.FlagUsages())
	}
	global := pflag.NewFlagSet("global", pflag.ContinueOnError)
	global.AddFlagSet(cmd.InheritedFlags())
	global.AddFlagSet(cmd.PersistentFlags())
	if global.HasAvailableFlags() {
		fmt.Fprintf(w, "\nGlobal flags:\n%s", global.FlagUsages())
	}
}
