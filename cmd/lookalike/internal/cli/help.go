package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"lookalike/cmd/lookalike/internal/lines"
	"lookalike/internal/words"
)

// helpWidth bounds the lines of help to what the terminal has, and to what is
// good to read.
func (t *Terminal) helpWidth() int {
	const least, most = 60, 100
	if width, _, err := term.GetSize(int(t.Err.Fd())); err == nil {
		return max(least, min(width, most))
	}
	return most
}

// LayOutHelp makes all commands show their flags in the order in which they are
// written down, and help in the form of usage, with lines that fit.
func (t *Terminal) LayOutHelp(root *cobra.Command) {
	root.SetHelpFunc(func(c *cobra.Command, _ []string) {
		const most = 84 // of prose
		fmt.Fprintf(c.OutOrStdout(), "%s\n", strings.TrimRight(lines.Fill(strings.TrimSpace(c.Long), min(t.helpWidth(), most)), "\n"))
		if !c.IsAdditionalHelpTopicCommand() {
			fmt.Fprintln(c.OutOrStdout())
			t.usage(c.OutOrStdout(), c)
		}
	})
	root.SetUsageFunc(func(c *cobra.Command) error {
		t.usage(c.OutOrStdout(), c)
		return nil
	})
	root.PersistentFlags().SortFlags = false
	for _, c := range append(CommandsBelow(root), root) {
		c.Flags().SortFlags = false
		c.LocalFlags().SortFlags = false
	}
}

// HelpCommand is cobra's, but for its answer to what there is not.
func HelpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Show what a command does, or explain a topic",
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			about, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 || about == root && len(args) > 0 {
				asked := strings.Join(args, " ")
				if near := root.SuggestionsFor(asked); len(near) > 0 {
					return Usagef("there is no help on %q; did you mean %s?", asked, words.OrList(near))
				}
				return Usagef("there is no help on %q", asked)
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
		ValidArgsFunction: CompleteCommandNames,
	}
}

// CompleteCommandNames offers commands, then those below them.
func CompleteCommandNames(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	at, rest, err := cmd.Root().Find(args)
	if err != nil || len(rest) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, c := range at.Commands() {
		names = append(names, c.Name()+"\t"+c.Short)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// usage writes what help has below a command's description.
func (t *Terminal) usage(w io.Writer, c *cobra.Command) {
	root, width := c.Root(), t.helpWidth()
	fmt.Fprintln(w, "Usage:")
	switch {
	case c == root:
		fmt.Fprintf(w, "  %s COMMAND [flags]\n", root.Name())
	case c.HasAvailableSubCommands():
		fmt.Fprintf(w, "  %s COMMAND [flags]\n", c.CommandPath())
	default:
		fmt.Fprintf(w, "  %s\n", c.UseLine())
	}
	if c.HasExample() {
		fmt.Fprintf(w, "\nExamples:\n%s\n", c.Example)
	}
	writeCommands(w, c)
	if flags := c.LocalFlags().FlagUsagesWrapped(width); flags != "" {
		title := "Flags"
		if c == root {
			title = "Flags, which all commands have"
		}
		fmt.Fprintf(w, "\n%s:\n%s", title, flags)
	}
	switch {
	case c == root:
		fmt.Fprintln(w, "\nMore help:")
		for _, topic := range root.Commands() {
			if topic.IsAdditionalHelpTopicCommand() {
				fmt.Fprintf(w, "  %-30s %s\n", root.Name()+" help "+topic.Name(), topic.Short)
			}
		}
		fmt.Fprintf(w, "  %-30s %s\n", root.Name()+" COMMAND --help", "A command, its flags, and examples")
	default:
		var names []string
		root.PersistentFlags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
		all := fmt.Sprintf("All commands have %s, too; see '%s --help'.", strings.Join(names, " "), root.Name())
		fmt.Fprintf(w, "\n%s\n", lines.Fill(all, width))
	}
}

// writeCommands lists the commands below a command, in their groups.
func writeCommands(w io.Writer, c *cobra.Command) {
	group, first := "", true
	for _, sub := range c.Commands() {
		if !sub.IsAvailableCommand() && sub.Name() != "help" {
			continue
		}
		if sub.GroupID != group || first {
			group, first = sub.GroupID, false
			title := group
			if title == "" {
				title = "Commands"
			}
			fmt.Fprintf(w, "\n%s:\n", title)
		}
		fmt.Fprintf(w, "  %-*s  %s\n", c.Commands()[0].NamePadding(), sub.Name(), sub.Short)
	}
}

// CommandsBelow returns the commands of a command and theirs, in the order of help.
func CommandsBelow(parent *cobra.Command) []*cobra.Command {
	var list []*cobra.Command
	for _, cmd := range parent.Commands() {
		if cmd.Name() != "help" && cmd.Runnable() {
			list = append(append(list, cmd), CommandsBelow(cmd)...)
		}
	}
	return list
}
