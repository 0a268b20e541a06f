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
		fmt.Printf("%v\n%s", err, out)
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
	lookalike(t, "index", photos, "-o", index, "--model", "perceptual", "--quiet")
	lookalike(t, "export", index, "-o", vectors)
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
	lookalike(t, "import", vectors, "-o", index, "--photos", photos)
	within(t, 70e6, "index", photos, "-o", index, "--model", "perceptual") // of 65 MB
}
