package main

import (
	"cmp"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"lookalike"
	"lookalike/describe"
	"lookalike/gallery"
	"lookalike/internal/cli"
	"lookalike/internal/measure"
	"lookalike/vgg"
)

// What a shell offers when a person presses the tabulator is derived from what
// help says: the words of a command's first line (PHOTOS.idx, DIR, PICTURE) and
// the names of its flags and of their values. So a new command has it at once.

// Suffixes by which files are offered.
var (
	indexFiles   = []string{"idx"}
	pictureFiles = []string{"jpg", "jpeg", "png", "gif", "bmp", "tif", "tiff", "webp"}
	archiveFiles = []string{"zip", "tar", "tar.gz", "tgz"}
	drawingFiles = []string{"png", "jpg", "jpeg"}
	weightFiles  = []string{"safetensors", "h5", "keras", "npz", "pth"}
)

// offer is what can stand in one place of a command line.
type offer struct {
	words   []string
	files   []string // their suffixes
	folders bool
	any     bool // any file
}

// argumentOffer returns what can stand for a word of a command's first line.
func argumentOffer(word string) offer {
	switch {
	case word == "DIR|INDEX", word == "INDEX", strings.HasSuffix(word, ".idx"):
		return offer{files: indexFiles} // shells offer folders with any files
	case word == "SOURCE":
		return offer{files: archiveFiles}
	case strings.Contains(word, "DIR"), word == "FOLDER":
		return offer{folders: true}
	case word == "PICTURE", word == "QUERY", word == "A", word == "B":
		return offer{files: pictureFiles}
	case word == "MODEL|INDEX":
		return offer{files: slices.Concat(weightFiles, indexFiles)}
	case word == "MODEL", word == "WEIGHTS", word == "IN":
		return offer{files: weightFiles}
	}
	return offer{any: true}
}

// flagOffer returns what can stand for a flag's value, which help calls word.
func flagOffer(cmd *cobra.Command, f *pflag.Flag, word string) offer {
	if one, ok := f.Value.(cli.OneOf); ok {
		return offer{words: one.Words}
	}
	switch {
	case f.Name == "metric":
		return offer{words: metricWords}
	case f.Name == "pool":
		return offer{words: []string{vgg.None.String(), vgg.Average.String(), vgg.Max.String()}}
	case f.Name == "layer":
		return offer{words: layerWords(cmd)}
	case f.Name == "base":
		return offer{words: append([]string{"encoder"}, describe.Networks...)}
	case f.Name == "embedding":
		return offer{words: []string{"arcface"}}
	case f.Name == "monitor":
		return offer{words: []string{"loss", "val_loss"}}
	case f.Name == "by":
		return offer{words: []string{gallery.FromLabels, gallery.FromDistances}}
	case f.Name == "task":
		var names []string
		for _, t := range measure.Tasks {
			names = append(names, t.Name)
		}
		return offer{words: names}
	case f.Name == "model" && cmd.Flags().Lookup("layer") != nil:
		return offer{words: append(slices.Clone(describe.Networks), describe.Perceptual), files: weightFiles}
	case f.Name == "model", f.Name == "weights", f.Name == "from":
		return offer{files: weightFiles}
	case f.Name == "config":
		return offer{files: []string{"toml"}}
	case f.Name == "html":
		return offer{files: []string{"html"}}
	case f.Name == "sheet", f.Name == "confusion", f.Name == "why", f.Name == "curve":
		return offer{files: drawingFiles}
	case word == "DIR":
		return offer{folders: true}
	case strings.Contains(word, "FILE"):
		return offer{any: true}
	}
	return offer{} // a number, or a word that nobody knows beforehand
}

// layerWords are the layers of the network that --model names, or of both.
func layerWords(cmd *cobra.Command) []string {
	build := vgg.New19 // which has all that VGG16 has
	if model := cmd.Flag("model"); model != nil && model.Value.String() == "vgg16" {
		build = vgg.New16
	}
	net, err := build(vgg.Config{NoTop: true, Input: [2]int{32, 32}}, nil)
	if err != nil {
		return nil
	}
	var names []string
	for _, layer := range net.Layers {
		if name, class := layer.Identity(); class != "InputLayer" {
			names = append(names, name)
		}
	}
	return append(names, "flatten", "fc1", "fc2", "predictions")
}

// listFiles is a variable of the environment by which a shell that cannot pick files
// by suffix, nor folders, asks for their names.
const listFiles = "LOOKALIKE_COMPLETION_FILES"

// complete is o for cobra. Where both words and files can stand, the files are
// offered as soon as no word begins like what has been typed.
func (o offer) complete(typed string) ([]string, cobra.ShellCompDirective) {
	if os.Getenv(listFiles) != "" && (o.files != nil || o.folders) {
		return append(o.listed(typed), o.words...), cobra.ShellCompDirectiveNoFileComp
	}
	begin := slices.ContainsFunc(o.words, func(w string) bool { return strings.HasPrefix(w, typed) })
	switch {
	case begin && (typed != "" || o.files == nil):
		return o.words, cobra.ShellCompDirectiveNoFileComp
	case begin: // nothing is typed: words, and whatever files there are
		return o.words, cobra.ShellCompDirectiveDefault
	case o.files != nil:
		var suffixes []string
		for _, s := range o.files {
			suffixes = append(suffixes, s, strings.ToUpper(s))
		}
		return suffixes, cobra.ShellCompDirectiveFilterFileExt
	case o.folders:
		return nil, cobra.ShellCompDirectiveFilterDirs
	case o.any:
		return nil, cobra.ShellCompDirectiveDefault
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}

// listed are the files and folders that are offered for what has been typed.
func (o offer) listed(typed string) (paths []string) {
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
		case slices.ContainsFunc(o.files, func(s string) bool { return strings.HasSuffix(strings.ToLower(name), "."+s) }):
			paths = append(paths, folder+name)
		}
	}
	return paths
}

// entriesOf are the pictures of an index, none if it cannot be read.
func entriesOf(index string) []lookalike.Entry {
	x, err := lookalike.Open(index)
	if err != nil {
		return nil
	}
	defer x.Close()
	return x.Entries()
}

// picturesIn are the pictures of an index that index:… may become, folder by folder.
func picturesIn(index, typed string) (words []string) {
	begin := strings.TrimPrefix(typed, indexPrefix)
	for _, e := range entriesOf(index) {
		rest, ok := strings.CutPrefix(e.Path, begin)
		if !ok {
			continue
		}
		if slash := strings.Index(rest, "/"); slash >= 0 {
			rest = rest[:slash+1]
		}
		words = append(words, indexPrefix+begin+rest)
	}
	return slices.Compact(words) // they are sorted
}

// conditions are what a value of --filter may become; the labels are those of an
// index.
func conditions(index, typed string) (words []string) {
	const label = "label="
	switch {
	case !strings.Contains(typed, "="):
		return []string{label, "label!=", "path=", "path!="}
	case !strings.HasPrefix(typed, label): // behind != bash would write all twice
		return nil
	}
	for _, name := range lookalike.Labels(entriesOf(index)) {
		words = append(words, label+name)
	}
	return words
}

// endings offers words, after which no blank is put where they are to go on.
func endings(words []string) ([]string, cobra.ShellCompDirective) {
	directive := cobra.ShellCompDirectiveNoFileComp
	if slices.ContainsFunc(words, func(w string) bool { return strings.HasSuffix(w, "/") || strings.HasSuffix(w, "=") }) {
		directive |= cobra.ShellCompDirectiveNoSpace
	}
	return words, directive
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

// completeCommands makes all commands below root complete their arguments and
// flags, but for those that know better themselves. completing says that a shell
// is asking just now.
func completeCommands(root *cobra.Command, completing bool) {
	for _, cmd := range append(cli.CommandsBelow(root), root) {
		words, repeated := argumentWords(cmd)
		if cmd.ValidArgsFunction == nil && cmd.ValidArgs == nil && !cmd.HasSubCommands() {
			cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
				at := len(args)
				if repeated {
					at = min(at, len(words)-1)
				}
				if at >= len(words) {
					return offer{}.complete(typed)
				}
				if strings.HasPrefix(typed, indexPrefix) && words[0] != words[at] {
					return endings(picturesIn(args[0], typed))
				}
				return argumentOffer(words[at]).complete(typed)
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
				if f.Name == "filter" && len(args) > 0 {
					return endings(conditions(args[0], typed))
				}
				return flagOffer(cmd, f, word).complete(typed)
			})
		})
	}
}

// bashPrelude has what cobra's script needs of the package bash-completion.
//
//go:embed completion.bash
var bashPrelude string

func (a *app) completionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print what makes a shell complete the commands of this program",
		Long: `Prints a script that makes bash, zsh, fish or powershell complete commands, flags,
and their values when the tabulator is pressed: index files where an index is
meant, pictures, folders, networks, layers, metrics, and from an index its
pictures behind index: and its labels behind --filter label=.

To have it in every new shell:

  bash   lookalike completion bash > ~/.local/share/bash-completion/completions/lookalike
         or, without the package bash-completion, a line in ~/.bashrc:
         source <(lookalike completion bash)
  zsh    lookalike completion zsh > "${fpath[1]}/_lookalike"
         after 'autoload -U compinit; compinit' in ~/.zshrc
  fish   lookalike completion fish > ~/.config/fish/completions/lookalike.fish
  powershell
         lookalike completion powershell >> $PROFILE`,
		Example: `  source <(lookalike completion bash)
  lookalike completion fish | source`,
		Args:      cli.Arguments("SHELL"),
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				fmt.Fprint(a.Out, bashPrelude)
				return root.GenBashCompletionV2(a.Out, true)
			case "zsh":
				return root.GenZshCompletion(a.Out)
			case "fish":
				// Cobra's script cannot pick files, so it is to ask for their names.
				var script strings.Builder
				err := root.GenFishCompletion(&script, true)
				fmt.Fprint(a.Out, strings.ReplaceAll(script.String(), "LOOKALIKE_ACTIVE_HELP=0", listFiles+"=1 LOOKALIKE_ACTIVE_HELP=0"))
				return err
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(a.Out)
			}
			return cli.Usagef("%s: there are %s", args[0], strings.Join(cmd.ValidArgs, ", "))
		},
	}
}

// isCompletion says whether a command is the one that shells ask by.
func isCompletion(name string) bool {
	return name == cobra.ShellCompRequestCmd || name == cobra.ShellCompNoDescRequestCmd
}
