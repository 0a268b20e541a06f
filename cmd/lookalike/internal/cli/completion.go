package cli

import (
	"cmp"
	_ "embed"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// What a shell offers when a person presses the tabulator is derived from what
// help says: the words of a command's first line (PHOTOS.idx, DIR, PICTURE) and
// the names of its flags and of their values. So a new command has it at once.

// Offer is what can stand in one place of a command line.
type Offer struct {
	Words   []string
	Parts   []string // words that go on where they end in / or =
	Files   []string // their suffixes
	Folders bool
	Any     bool // any file
}

// Offers are what can stand in the command line of a program, args being what stands
// there already and typed the beginning of what is asked for.
type Offers struct {
	// Argument is for one of the words of a command's first line.
	Argument func(words []string, at int, args []string, typed string) Offer

	// Flag is for a flag's value, which help calls word.
	Flag func(cmd *cobra.Command, f *pflag.Flag, word string, args []string, typed string) Offer
}

// listFiles is a variable of the environment by which a shell that cannot pick files
// by suffix, nor folders, asks for their names.
const listFiles = variablePrefix + "COMPLETION_FILES"

// complete is o for cobra. Where both words and files can stand, the files are
// offered as soon as no word begins like what has been typed.
func (o Offer) complete(typed string) ([]string, cobra.ShellCompDirective) {
	if os.Getenv(listFiles) != "" && (o.Files != nil || o.Folders) {
		return append(o.listed(typed), o.Words...), cobra.ShellCompDirectiveNoFileComp
	}
	if o.Parts != nil {
		return o.Parts, endings(o.Parts)
	}
	begin := slices.ContainsFunc(o.Words, func(w string) bool { return strings.HasPrefix(w, typed) })
	switch {
	case begin && (typed != "" || o.Files == nil):
		return o.Words, cobra.ShellCompDirectiveNoFileComp
	case begin: // nothing is typed: words, and whatever files there are
		return o.Words, cobra.ShellCompDirectiveDefault
	case o.Files != nil:
		var suffixes []string
		for _, s := range o.Files {
			suffixes = append(suffixes, s, strings.ToUpper(s))
		}
		return suffixes, cobra.ShellCompDirectiveFilterFileExt
	case o.Folders:
		return nil, cobra.ShellCompDirectiveFilterDirs
	case o.Any:
		return nil, cobra.ShellCompDirectiveDefault
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}

// listed are the files and folders that are offered for what has been typed.
func (o Offer) listed(typed string) (paths []string) {
	at := strings.LastIndex(typed, "/") + 1
	folder, begin := typed[:at], typed[at:]
	dir := cmp.Or(folder, ".")
	if rest, ok := strings.CutPrefix(dir, "~/"); ok {
		home, _ := os.UserHomeDir()
		dir = filepath.Join(home, rest)
	}
	entries, _ := os.ReadDir(dir) // an error is for the command to tell
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, begin) || strings.HasPrefix(name, ".") && begin == "" {
			continue
		}
		info, err := os.Stat(filepath.Join(dir, name))
		switch {
		case err != nil:
		case info.IsDir():
			paths = append(paths, folder+name+"/")
		case slices.ContainsFunc(o.Files, func(s string) bool { return strings.HasSuffix(strings.ToLower(name), "."+s) }):
			paths = append(paths, folder+name)
		}
	}
	return paths
}

// endings says that no blank is put behind words that are to go on.
func endings(words []string) cobra.ShellCompDirective {
	if slices.ContainsFunc(words, func(w string) bool { return strings.HasSuffix(w, "/") || strings.HasSuffix(w, "=") }) {
		return cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
	return cobra.ShellCompDirectiveNoFileComp
}

// argumentWords are the arguments in a command's first line, and whether the last
// may be repeated.
func argumentWords(cmd *cobra.Command) (words []string, repeated bool) {
	for _, word := range strings.Fields(cmd.Use)[1:] {
		if strings.HasPrefix(word, "-") {
			break
		}
		word = strings.Trim(word, "[]")
		for _, dots := range []string{"...", "…"} {
			if rest, ok := strings.CutSuffix(word, dots); ok {
				word, repeated = rest, true
			}
		}
		words = append(words, word)
	}
	return words, repeated
}

// CompleteCommands makes all commands below root complete their arguments and
// flags, but for those that know better themselves. completing says that a shell
// is asking just now.
func CompleteCommands(root *cobra.Command, completing bool, offers Offers) {
	for _, cmd := range append(CommandsBelow(root), root) {
		words, repeated := argumentWords(cmd)
		if cmd.ValidArgsFunction == nil && cmd.ValidArgs == nil && !cmd.HasSubCommands() {
			cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
				at := len(args)
				if repeated {
					at = min(at, len(words)-1)
				}
				if at >= len(words) {
					return Offer{}.complete(typed)
				}
				return offers.Argument(words, at, args, typed).complete(typed)
			}
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			word, usage := pflag.UnquoteUsage(f)
			if completing {
				f.Usage = usage // shells show it as it is
			}
			if _, has := cmd.GetFlagCompletionFunc(f.Name); has || f.Value.Type() == "bool" {
				return
			}
			cmd.RegisterFlagCompletionFunc(f.Name, func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
				if one, ok := f.Value.(OneOf); ok {
					return Offer{Words: one.words}.complete(typed)
				}
				return offers.Flag(cmd, f, word, args, typed).complete(typed)
			})
		})
	}
}

// bashPrelude has what cobra's script needs of the package bash-completion.
//
//go:embed completion.bash
var bashPrelude string

// Shells are those that complete commands.
var Shells = []string{"bash", "zsh", "fish", "powershell"}

// WriteCompletion writes the script that makes a shell complete commands.
func WriteCompletion(w io.Writer, root *cobra.Command, shell string) error {
	switch shell {
	case "bash":
		fmt.Fprint(w, bashPrelude)
		return root.GenBashCompletionV2(w, true)
	case "zsh":
		return root.GenZshCompletion(w)
	case "fish":
		// Cobra's script cannot pick files, so it is to ask for their names.
		const noHelp = variablePrefix + "ACTIVE_HELP=0"
		var script strings.Builder
		err := root.GenFishCompletion(&script, true)
		fmt.Fprint(w, strings.ReplaceAll(script.String(), noHelp, listFiles+"=1 "+noHelp))
		return err
	case "powershell":
		return root.GenPowerShellCompletionWithDesc(w)
	}
	return Usagef("%s: there are %s", shell, strings.Join(Shells, ", "))
}

// IsCompletion says whether a command is the one that shells ask by.
func IsCompletion(name string) bool {
	return name == cobra.ShellCompRequestCmd || name == cobra.ShellCompNoDescRequestCmd
}
