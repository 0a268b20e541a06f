package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lookalike/gallery"
	"lookalike/picture/album"
	"lookalike/tensor"
)

// completionCases are command lines, the last word unfinished, and what a shell
// must offer for it.
var completionCases = []struct {
	line string
	want []string
}{
	{"lookalike sea", []string{"search"}},
	{"lookalike search ph", []string{"photos", "photos.idx"}},
	{"lookalike search photos.idx photos/", []string{"photos/b c.JPG", "photos/more"}},
	{"lookalike search --metric ", []string{"cosine", "euclidean", "inner-product"}},
	{"lookalike search --metric=c", []string{"cosine"}},
	{"lookalike search photos.idx --sheet pi", []string{"pictures.png"}},
	{"lookalike index photos --model v", []string{"vgg16", "vgg19"}},
	{"lookalike index photos --model m", []string{"model.safetensors"}},
	{"lookalike index photos --model vgg16 --layer block5_", []string{"block5_conv1", "block5_conv2", "block5_conv3", "block5_pool"}},
	{"lookalike index photos --pool a", []string{"avg"}},
	{"lookalike weights fetch vgg19", []string{"vgg19", "vgg19-notop"}},
	{"lookalike search photos.idx index:", []string{"index:cats", "index:dog.jpg"}},
	{"lookalike search photos.idx index:cats/t", []string{"index:cats/tiger.jpg", "index:cats/tom.jpg"}},
	{"lookalike search photos.idx x.jpg --filter l", []string{"label!=", "label="}},
	{"lookalike map photos.idx map.html --filter label=c", []string{"label=cats"}},
	{"lookalike search mine.txt index:", nil},
	{"lookalike --progress ", []string{"auto", "json", "lines", "none"}},
	{"lookalike version --threads ", nil},
}

// completionFolder has what the cases speak of.
func completionFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"photos/more/a.jpg", "photos/b c.JPG", "photos/notes.txt", "phrases.txt", "model.safetensors", "mine.txt", "pictures.png", "pitch.txt"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	g := gallery.Gallery{Recipe: gallery.Recipe{Model: gallery.Imported}, Vectors: tensor.New(3, 2)}
	for _, path := range []string{"cats/tiger.jpg", "cats/tom.jpg", "dog.jpg"} {
		g.Entries = append(g.Entries, gallery.Entry{Path: path, Label: album.LabelOf(path)})
	}
	if err := g.Save(filepath.Join(dir, "photos.idx")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A bash without the package bash-completion completes all of them.
func TestCompletionBash(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash")
	}
	const ask = `
source <(lookalike completion bash)
read -r -a COMP_WORDS < <(sed 's/=/ = /g' <<<"$1")
[[ $1 == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=63 COLUMNS=100
__start_lookalike 2>/dev/null
printf '%s\n' "${COMPREPLY[@]}"`
	dir := completionFolder(t)
	for _, c := range completionCases {
		cmd := exec.CommandContext(t.Context(), bash, "--noprofile", "--norc", "-c", ask, "bash", c.line)
		cmd.Dir = dir
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", c.line, err)
		}
		// Bash takes what stands behind a colon or = for a word, and escapes !.
		typed := c.line[strings.LastIndex(c.line, " ")+1:]
		whole := strings.NewReplacer("\n", "\n"+typed[:strings.LastIndexAny(typed, ":=")+1], `\!`, "!")
		if offered := strings.TrimSpace(string(out)); offered != "" && !strings.HasPrefix(typed, "-") {
			out = []byte(strings.TrimPrefix(whole.Replace("\n"+offered), "\n"))
		}
		compareOffers(t, c.line, string(out), c.want)
	}
}

// fish, which knows no suffixes of files, is told which there are.
func TestCompletionFish(t *testing.T) {
	fish, err := exec.LookPath("fish")
	if err != nil {
		t.Skip("there is no fish")
	}
	dir := completionFolder(t)
	for _, c := range completionCases {
		cmd := exec.CommandContext(t.Context(), fish, "--no-config", "-c", "lookalike completion fish | source; complete -C $argv[1]", c.line)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "HOME="+dir)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", c.line, err)
		}
		compareOffers(t, c.line, strings.ReplaceAll(string(out), "--metric=", ""), c.want)
	}
}

// compareOffers compares what a shell offers, a line each, perhaps with a
// description behind.
func compareOffers(t *testing.T, line, offered string, want []string) {
	t.Helper()
	var got []string
	for _, o := range strings.Split(strings.TrimSpace(offered), "\n") {
		o, _, _ = strings.Cut(o, "\t")
		o, _, _ = strings.Cut(o, "  (")
		if o != "" {
			got = append(got, strings.TrimSuffix(o, "/"))
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%q: offered are %q, want %q", line, got, want)
	}
}
