package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"lookalike"
	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/describe"
	"lookalike/gallery"
	"lookalike/internal/measure"
	"lookalike/vgg"
)

// Suffixes by which files are offered.
var (
	indexFiles   = []string{"idx"}
	pictureFiles = []string{"jpg", "jpeg", "png", "gif", "bmp", "tif", "tiff", "webp"}
	archiveFiles = []string{"zip", "tar", "tar.gz", "tgz"}
	drawingFiles = []string{"png", "jpg", "jpeg"}
	weightFiles  = []string{"safetensors", "h5", "keras", "npz", "pth"}
)

// argumentOffer returns what can stand for one of the words of a command's first line.
func argumentOffer(words []string, at int, args []string, typed string) cli.Offer {
	switch word := words[at]; {
	case strings.HasPrefix(typed, indexPrefix) && words[0] != word:
		return cli.Offer{Parts: picturesIn(args[0], typed)}
	case word == "DIR|INDEX", word == "PHOTOS|INDEX", word == "INDEX", strings.HasSuffix(word, ".idx"):
		return cli.Offer{Files: indexFiles} // shells offer folders with any files
	case word == "SOURCE":
		return cli.Offer{Files: archiveFiles}
	case strings.Contains(word, "DIR"), word == "FOLDER":
		return cli.Offer{Folders: true}
	case word == "PICTURE", word == "QUERY", word == "A", word == "B":
		return cli.Offer{Files: pictureFiles}
	case word == "MODEL|INDEX":
		return cli.Offer{Files: slices.Concat(weightFiles, indexFiles)}
	case word == "MODEL", word == "WEIGHTS", word == "IN":
		return cli.Offer{Files: weightFiles}
	}
	return cli.Offer{Any: true}
}

// flagOffer returns what can stand for a flag's value, which help calls word.
func flagOffer(cmd *cobra.Command, f *pflag.Flag, word string, args []string, typed string) cli.Offer {
	switch {
	case f.Name == "filter" && len(args) > 0:
		return cli.Offer{Parts: conditions(args[0], typed)}
	case f.Name == "metric":
		return cli.Offer{Words: metricWords}
	case f.Name == "pool":
		return cli.Offer{Words: []string{vgg.None.String(), vgg.Average.String(), vgg.Max.String()}}
	case f.Name == "ground":
		return cli.Offer{Words: []string{"none", "white", "black"}}
	case f.Name == "layer":
		return cli.Offer{Words: layerWords(cmd)}
	case f.Name == "base":
		return cli.Offer{Words: append([]string{"encoder"}, describe.Networks...)}
	case f.Name == "embedding":
		return cli.Offer{Words: []string{"arcface"}}
	case f.Name == "monitor":
		return cli.Offer{Words: []string{"loss", "val_loss"}}
	case f.Name == "by":
		return cli.Offer{Words: []string{gallery.FromLabels, gallery.FromDistances}}
	case f.Name == "task":
		var names []string
		for _, t := range measure.Tasks {
			names = append(names, t.Name)
		}
		return cli.Offer{Words: names}
	case f.Name == "model" && cmd.Flags().Lookup("layer") != nil:
		return cli.Offer{Words: append(slices.Clone(describe.Networks), describe.Perceptual), Files: weightFiles}
	case f.Name == "model", f.Name == "weights", f.Name == "from":
		return cli.Offer{Files: weightFiles}
	case f.Name == "config":
		return cli.Offer{Files: []string{"toml"}}
	case f.Name == "html":
		return cli.Offer{Files: []string{"html"}}
	case f.Name == "sheet", f.Name == "confusion", f.Name == "why", f.Name == "curve":
		return cli.Offer{Files: drawingFiles}
	case word == "DIR":
		return cli.Offer{Folders: true}
	case strings.Contains(word, "FILE"):
		return cli.Offer{Any: true}
	}
	return cli.Offer{} // a number, or a word that nobody knows beforehand
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

func completionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print what makes a shell complete the commands of this program",
		Long: `Prints a script that makes bash, zsh, fish or powershell complete commands, flags,
and their values when the tabulator is pressed: index files where an index is
meant, pictures, folders, networks, layers, metrics, and from an index its
pictures behind index: and its labels behind --filter label=.

To have it in every new shell:

  bash   lookalike completion bash \
           > ~/.local/share/bash-completion/completions/lookalike
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
		ValidArgs: cli.Shells,
		RunE: func(cmd *cobra.Command, args []string) error {
			return cli.WriteCompletion(a.Out, cmd.Root(), args[0])
		},
	}
}
