package cli

import (
	"fmt"
	"io"
	"slices"
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
// written down, and help in two sizes: one screen with -h, which has the flags that
// needed names for a command's path, or else the first, and all with --help.
func (t *Terminal) LayOutHelp(root *cobra.Command, needed map[string][]string) {
	root.SetHelpFunc(func(c *cobra.Command, args []string) {
		w := c.OutOrStdout()
		if slices.Contains(args, "-h") && !slices.Contains(args, "--help") {
			t.Brief(w, c, needed[c.CommandPath()])
			return
		}
		if !c.IsAdditionalHelpTopicCommand() {
			fmt.Fprintf(w, "%s.\n\n", c.Short)
			t.usage(w, c)
			fmt.Fprintln(w)
		}
		const most = 84 // of prose
		fmt.Fprintf(w, "%s\n", strings.TrimRight(lines.Fill(strings.TrimSpace(c.Long), min(t.helpWidth(), most)), "\n"))
	})
	root.SetUsageFunc(func(c *cobra.Command) error {
		t.usage(c.OutOrStdout(), c)
		return nil
	})
	root.PersistentFlags().SortFlags = false
	for _, c := range append(CommandsBelow(root), root) {
		c.Flags().SortFlags = false
		c.LocalFlags().SortFlags = false
		c.InitDefaultHelpFlag()
		c.Flags().Lookup("help").Usage = "show all of this (--help), or one screen of it (-h)"
	}
}

// A screen has room for so much, with a line for the shell's prompt.
const (
	screenWidth = 80
	screenLines = 23
)

// Brief writes what a person needs of a command's help: one screen.
func (t *Terminal) Brief(w io.Writer, c *cobra.Command, needed []string) {
	head := fmt.Sprintf("%s.\n\nUsage: %s\n", c.Short, usageLine(c))
	if examples := briefExamples(c); examples != "" {
		head += "\nExamples:\n" + examples
	}
	if c.HasAvailableSubCommands() {
		head += "\nCommands:\n" + briefCommands(c)
	}
	foot := fmt.Sprintf("\n'%s --help' has all flags and details", c.CommandPath())
	if c == c.Root() {
		foot = fmt.Sprintf("\n'%s COMMAND -h' explains a command in brief, --help in full", c.Name())
	}
	room := screenLines - strings.Count(head+foot, "\n") - 3 // that to the flags, and the last
	flags := ""
	if c != c.Root() {
		flags = briefFlags(c, needed, room)
	}
	if flags != "" {
		head += "\nFlags:\n" + flags
	}
	fmt.Fprintf(w, "%s%s.\n", head, foot)
}

// briefExamples are the first three examples, of those that fit.
func briefExamples(c *cobra.Command) string {
	const most = 3
	var text strings.Builder
	n := 0
	for line := range strings.Lines(c.Example) {
		if line = strings.TrimRight(line, "\n"); n < most && lines.Width(line) <= screenWidth {
			fmt.Fprintln(&text, line)
			n++
		}
	}
	return text.String()
}

// briefCommands are the commands below one: of the program a line for each group.
func briefCommands(c *cobra.Command) string {
	var text strings.Builder
	if c != c.Root() {
		for _, sub := range c.Commands() {
			fmt.Fprintf(&text, "  %-8s  %s\n", sub.Name(), sub.Short)
		}
		return text.String()
	}
	for _, group := range c.Groups() {
		fmt.Fprintf(&text, "  %-28s", group.ID)
		for _, sub := range c.Commands() {
			if sub.GroupID == group.ID {
				fmt.Fprintf(&text, " %s", sub.Name())
			}
		}
		fmt.Fprintln(&text)
	}
	return text.String()
}

// briefFlags are flags in at most so many lines: the needed ones, or the first.
func briefFlags(c *cobra.Command, needed []string, room int) string {
	var flags []*pflag.Flag
	for _, name := range needed {
		flags = append(flags, c.LocalFlags().Lookup(name))
	}
	if needed == nil {
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "help" {
				flags = append(flags, f)
			}
		})
	}
	names, width := make([]string, len(flags)), 0
	for i, f := range flags {
		word, _ := pflag.UnquoteUsage(f)
		names[i] = "      --" + f.Name
		if f.Shorthand != "" {
			names[i] = "  -" + f.Shorthand + ", --" + f.Name
		}
		if word != "" {
			names[i] += " " + word
		}
		width = max(width, lines.Width(names[i]))
	}
	var text strings.Builder
	for i, f := range flags {
		_, usage := pflag.UnquoteUsage(f)
		if f.DefValue != "" && f.DefValue != "0" && f.DefValue != "false" && f.DefValue != "[]" && !strings.Contains(usage, "default") {
			usage += fmt.Sprintf(" (default %s)", f.DefValue)
		}
		told := strings.Split(strings.TrimRight(lines.Fill(usage, screenWidth-width-3), "\n"), "\n")
		if room -= len(told); room < 0 {
			break
		}
		for k, line := range told {
			name := names[i]
			if k > 0 {
				name = ""
			}
			fmt.Fprintf(&text, "%s   %s\n", lines.Padded(name, width), line)
		}
	}
	return text.String()
}

// usageLine is a command as it is typed.
func usageLine(c *cobra.Command) string {
	if c.HasAvailableSubCommands() {
		return c.CommandPath() + " COMMAND [flags]"
	}
	return c.UseLine()
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

// usage writes what help has above the prose.
func (t *Terminal) usage(w io.Writer, c *cobra.Command) {
	root, width := c.Root(), t.helpWidth()
	fmt.Fprintf(w, "Usage:\n  %s\n", usageLine(c))
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
		all := fmt.Sprintf("All commands also take %s; see '%s --help'.", strings.Join(names, " "), root.Name())
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
