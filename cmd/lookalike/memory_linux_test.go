package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/image/tiff"

	"lookalike/gallery"
	"lookalike/internal/benchtest"
	"lookalike/internal/sweeptest"
	"lookalike/tensor"
	"lookalike/weights"
)

// tellPeak is the command peak: it runs the program and writes the most memory that it had,
// in bytes. It is a process of its own, for the system counts what the parent has as well.
func tellPeak() {
	cmd := exec.Command("lookalike", os.Args[1:]...)
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Printf("%v\n%s\x00%d", err, out, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss<<10)
		os.Exit(1)
	}
	fmt.Print(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10)
}

func peak(t *testing.T, args ...string) int64 {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "peak", args...)
	cmd.Env = append(os.Environ(), "LOOKALIKE_CACHE="+t.TempDir(), "XDG_CACHE_HOME="+t.TempDir())
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", args, err, out)
	}
	most, err := strconv.ParseInt(string(out), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d MB", strings.Join(args, " "), most/1e6)
	return most
}

// A memory limit is kept, within 5%.
func within(t *testing.T, limit int64, args ...string) {
	t.Helper()
	if most := peak(t, append(args, "--memory-limit", fmt.Sprintf("%dMB", limit/1e6), "--quiet")...); most > limit*105/100 {
		t.Errorf("%s: %d MB at its peak, the limit is %d", args, most/1e6, limit/1e6)
	}
}

// A line of CSV or JSON may be as long as its file; it takes the memory of its values,
// while they are read and written, and not of its text.
func TestMemoryOfLongLines(t *testing.T) {
	sweeptest.Slow(t, "large files take seconds")
	benchtest.SkipRacing(t)
	const n = 5_000_000
	row := strings.Repeat("0.1234,", n-1) + "1"
	for name, text := range map[string]string{"long.csv": row + "\n", "long.jsonl": `{"path":"a","vector":[` + row + "]}\n"} {
		dir := t.TempDir()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		index := filepath.Join(dir, "a.idx")
		within(t, 150e6, "import", file, "-o", index)
		within(t, 150e6, "export", index, "-o", filepath.Join(dir, "out"+filepath.Ext(name)))
		const want = " MB must be in memory at once, more than the memory limit of 75 MB leaves; give "
		if got := tooMuch(t, "import", file, "-o", filepath.Join(dir, "none.idx"), "--memory-limit", "75MB"); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// An import holds its vectors once, however many or long they are, and how the index is
// written takes little besides.
func TestMemoryOfImports(t *testing.T) {
	sweeptest.Slow(t, "large files take seconds")
	benchtest.SkipRacing(t)
	dir := t.TempDir()
	var b bytes.Buffer
	for i := range 400_000 {
		fmt.Fprintf(&b, "%d%s\n", i, strings.Repeat(",0.25", 39))
	}
	many := filepath.Join(dir, "many.csv")
	if err := os.WriteFile(many, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	within(t, 220e6, "import", many, "-o", filepath.Join(dir, "many.idx")) // 64 MB of vectors, 49 of what is known of pictures
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (32, %d), }", 1<<20)
	header += strings.Repeat(" ", 117-len(header)) + "\n"
	long := filepath.Join(dir, "long.npy")
	if err := os.WriteFile(long, append([]byte("\x93NUMPY\x01\x00\x76\x00"+header), make([]byte, 128<<20)...), 0o666); err != nil {
		t.Fatal(err)
	}
	within(t, 320e6, "import", long, "-o", filepath.Join(dir, "long.idx"))
	const want = "147 MB must be in memory at once, more than the memory limit of 150 MB leaves; give 184 MB or more\n"
	if got := tooMuch(t, "import", long, "-o", filepath.Join(dir, "none.idx"), "--memory-limit", "150MB"); !strings.Contains(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// What compares the vectors of an index holds them once, and works in a part of the limit;
// what needs them twice is refused.
func TestMemoryOfComparing(t *testing.T) {
	benchtest.SkipRacing(t)
	const n, d = 1000, 25_000
	dir := t.TempDir()
	x, paths := tensor.New(n, d), ""
	for i := range n {
		for j := range x.Row(i) {
			x.Row(i)[j] = float32((i*7+j*j)%1009%(11+i%3)) + float32(i%2)
		}
		paths += fmt.Sprintf("%d/%d\n", i%2, i)
	}
	vectors, names, index := filepath.Join(dir, "a.safetensors"), filepath.Join(dir, "paths"), filepath.Join(dir, "a.idx")
	err := weights.Save(vectors, map[string]*tensor.Tensor{"vectors": x}, nil)
	if err := errors.Join(err, os.WriteFile(names, []byte(paths), 0o666)); err != nil {
		t.Fatal(err)
	}
	printed(t, "import", vectors, "--paths", names, "-o", index)
	within(t, 160e6, "eval", index, "--metric", "cosine")
	within(t, 160e6, "threshold", index, "--share", "0.6", "--metric", "cosine")
	within(t, 160e6, "threshold", index, "--by", "distances", "--metric", "euclidean")
	within(t, 260e6, "dups", index, "--metric", "euclidean", "--within", "1")
	const want = "the vectors of 1000 pictures, twice: 200 MB must be in memory at once, more than the memory limit of 160 MB leaves"
	if got := tooMuch(t, "dups", index, "--metric", "euclidean", "--within", "1", "--memory-limit", "160MB"); !strings.Contains(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// Many photographs of 12 megapixels, of which several do not fit in the limit at once.
func TestMemoryOfPhotographs(t *testing.T) {
	sweeptest.Slow(t, "large files take seconds")
	benchtest.SkipRacing(t)
	photos := t.TempDir()
	m := image.NewYCbCr(image.Rect(0, 0, 4000, 3000), image.YCbCrSubsampleRatio420)
	for i := range m.Y {
		m.Y[i] = uint8(i / 7 * (i / 90001))
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	for k := range 8 {
		if err := os.WriteFile(filepath.Join(photos, strconv.Itoa(k)+".jpg"), append(b.Bytes(), byte(k)), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, limit := range []int64{130e6, 300e6} {
		within(t, limit, "dups", photos)
	}
	weights := filepath.Join("..", "..", "..", "shared", "weights", "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5")
	if _, err := os.Stat(weights); err != nil {
		t.Skipf("no weights of VGG16: %v", err)
	}
	within(t, 300e6, "index", photos, "-o", filepath.Join(t.TempDir(), "a.idx"), "--model", "vgg16", "--weights", weights)
}

// VGG keeps within a limit near what one picture and the weights take, whether these are
// mapped or read; below, it is refused before a picture is read.
func TestMemoryOfNetworks(t *testing.T) {
	sweeptest.Slow(t, "VGG takes seconds")
	benchtest.SkipRacing(t)
	photos, dir := drawn(t, 1), t.TempDir()
	mapped, read := filepath.Join(dir, "mapped.safetensors"), filepath.Join(dir, "read.safetensors")
	if err := writeVGG(mapped); err != nil {
		t.Fatal(err)
	}
	printed(t, "convert", mapped, read, "--half")
	for weights, want := range map[string]string{
		mapped: "a picture on its way through vgg16, besides weights of 58 MB: ",
		read:   "a picture on its way through vgg16: ",
	} {
		index := []string{"index", photos, "-o", weights + ".idx", "--model", "vgg16", "--weights", weights}
		got := tooMuch(t, append(index, "--memory-limit", "150MB")...)
		_, more, ok := strings.Cut(got, want)
		if !ok || !strings.Contains(more, " MB must be in memory at once, more than the memory limit of 150 MB leaves; give ") {
			t.Errorf("%q, want %q", got, want)
		}
		within(t, 225e6, index...)
	}
	within(t, 225e6, "search", mapped+".idx", photos)
	within(t, 105e6, "convert", mapped, filepath.Join(dir, "again.npz"))
	within(t, 225e6, "index", photos, "-o", filepath.Join(dir, "large.idx"), "--model", "vgg16", "--weights", mapped, "--layer", "block1_conv1", "--pool", "avg")
	const want = "the arrays, of which 58 MB are mapped: 16 MB must be in memory at once, more than the memory limit of 80 MB leaves; give 97 MB or more\n"
	if got := tooMuch(t, "convert", mapped, filepath.Join(dir, "none.npz"), "--memory-limit", "80MB"); !strings.Contains(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// A task of bench that the limit does not leave room for is refused before the first is
// measured.
func TestMemoryOfBench(t *testing.T) {
	const want = "the task gemm: 439 MB must be in memory at once, more than the memory limit of 300 MB leaves; give 508 MB or more; choose others with --task\n"
	if got := tooMuch(t, "bench", "--task", "small,gemm", "--memory-limit", "300MB"); !strings.Contains(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// Small files that are large pictures, several at once: who fits in half of the limit is
// decoded, and a TIFF of 16 bits a channel in a single strip, which takes more, is not.
func TestMemoryOfBombs(t *testing.T) {
	sweeptest.Slow(t, "large pictures take seconds")
	benchtest.SkipRacing(t)
	data, err := os.ReadFile("../../picture/testdata/bomb.webp")
	if err != nil {
		t.Fatal(err)
	}
	bombs := t.TempDir()
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(bombs, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for k := range 8 {
		const w, h = 2000, 1500
		size := binary.LittleEndian.Uint32(data[21:]) &^ (1<<28 - 1)
		binary.LittleEndian.PutUint32(data[21:], size|uint32(w-1)|uint32(h-1-k)<<14)
		write(strconv.Itoa(k)+".webp", data)
	}
	var b bytes.Buffer
	if err := tiff.Encode(&b, image.NewNRGBA64(image.Rect(0, 0, 3000, 2000)), &tiff.Options{Compression: tiff.Deflate}); err != nil {
		t.Fatal(err)
	}
	write("a.tiff", b.Bytes())
	within(t, 170e6, "dups", bombs, "--threads", "4")
}

// What the store has mapped of the index counts, also when all pictures are taken out and
// the file is written anew.
func TestMemoryOfUpdates(t *testing.T) {
	sweeptest.Slow(t, "large files take seconds")
	benchtest.SkipRacing(t)
	photos, dir := drawn(t, 1), t.TempDir()
	index, vectors := filepath.Join(dir, "a.idx"), filepath.Join(dir, "a.safetensors")
	printed(t, "index", photos, "-o", index, "--model", "perceptual", "--quiet")
	printed(t, "export", index, "-o", vectors)
	f, err := weights.Open(vectors)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const n = 50_000
	entries := make([]gallery.Entry, n)
	for i := range entries {
		entries[i] = gallery.Entry{Path: fmt.Sprintf("gone/%06d.jpg", i), Label: "gone"}
	}
	text, err := json.Marshal(entries)
	if err != nil {
		t.Fatal(err)
	}
	shape, _ := f.Shape("vectors")
	metadata := map[string]string{"recipe": f.Metadata()["recipe"], "entries": string(text)}
	err = weights.Save(vectors, map[string]*tensor.Tensor{"vectors": tensor.New(n, shape[1])}, metadata)
	if err := errors.Join(err, os.Remove(index)); err != nil {
		t.Fatal(err)
	}
	printed(t, "import", vectors, "-o", index, "--photos", photos)
	within(t, 70e6, "index", photos, "-o", index, "--model", "perceptual") // of 65 MB
}

// Training keeps within a limit near what it takes, with validation, early stopping and
// sheets; below, it is refused before memory is taken.
func TestMemoryOfTraining(t *testing.T) {
	benchtest.SkipRacing(t)
	photos, dir := drawn(t, 8), t.TempDir()
	train := func(name string, args ...string) []string {
		return append([]string{"train", photos, "-o", filepath.Join(dir, name+".safetensors")}, args...)
	}
	within(t, 228e6, train("a", "--size", "128", "--epochs", "2", "--validation", "0.5", "--patience", "1", "--sheets", dir)...)
	within(t, 228e6, train("a", "--epochs", "3", "--resume")...)
	for want, args := range map[string][]string{
		"learning from 32 pictures of 224x224 at a time: 513 MB must be in memory at once, more than the memory limit of 200 MB leaves; give 590 MB or more, or --batch 4 or less\n":              train("none"),
		"learning from 1 picture of 512x512 at a time: 449 MB must be in memory at once, more than the memory limit of 200 MB leaves; give 519 MB or more, or --batch 1 and --size 304 or less\n": train("none", "--size", "512"),
		"525 MB must be in memory at once, more than the memory limit of 200 MB leaves; give 604 MB or more, or --batch 1 and --size 176 or less\n":                                               train("none", "--embedding", "arcface", "--base", "encoder"),
	} {
		if got := tooMuch(t, append(args, "--memory-limit", "200MB")...); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", args, got, want)
		}
	}
}

// tooMuch returns the message of a command that fails within its memory limit, the last
// argument.
func tooMuch(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "peak", append(args, "--quiet")...)
	out, err := cmd.Output()
	if err == nil {
		t.Fatalf("%s: done, with %s bytes at its peak", args, out)
	}
	message, most, _ := strings.Cut(string(out), "\x00")
	limit, _ := strconv.ParseInt(strings.TrimSuffix(args[len(args)-1], "MB"), 10, 64)
	if bytes, err := strconv.ParseInt(most, 10, 64); err != nil || bytes > limit*1e6*105/100 {
		t.Errorf("%s: %s bytes until it was refused", args, most)
	}
	return message
}
