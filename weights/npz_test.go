package weights

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"lookalike/tensor"
)

var npyHeader = regexp.MustCompile(`^\{'descr': '<([fU])(\d+)', 'fortran_order': False, 'shape': \(([\d,]*)\), \} *\n$`)

// parseNPZ reads float32 arrays into tensors and Unicode arrays into texts.
func parseNPZ(t *testing.T, path string) (map[string]*tensor.Tensor, map[string][]string) {
	t.Helper()
	archive, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	tensors, texts := map[string]*tensor.Tensor{}, map[string][]string{}
	for _, entry := range archive.File {
		r, err := entry.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r) // checks the CRC
		if err != nil {
			t.Fatal(err)
		}
		if string(b[:8]) != "\x93NUMPY\x01\x00" {
			t.Fatalf("%s starts with %q", entry.Name, b[:8])
		}
		start := 10 + int(binary.LittleEndian.Uint16(b[8:]))
		if start%64 != 0 {
			t.Errorf("%s: data start at byte %d, want a multiple of 64", entry.Name, start)
		}
		m := npyHeader.FindStringSubmatch(string(b[10:start]))
		if m == nil {
			t.Fatalf("%s: header %q", entry.Name, b[10:start])
		}
		var shape []int
		for part := range strings.SplitSeq(strings.TrimSuffix(m[3], ","), ",") {
			var d int
			if _, err := fmt.Sscan(part, &d); err == nil {
				shape = append(shape, d)
			}
		}
		var words []uint32
		for word := range slices.Chunk(b[start:], 4) {
			words = append(words, binary.LittleEndian.Uint32(word))
		}
		name := strings.TrimSuffix(entry.Name, ".npy")
		if m[1] == "f" {
			values := make([]float32, len(words))
			for i, w := range words {
				values[i] = math.Float32frombits(w)
			}
			tensors[name] = tensor.From(values, shape...)
			continue
		}
		var width int
		fmt.Sscan(m[2], &width)
		texts[name] = []string{}
		for item := range slices.Chunk(words, width) {
			var s strings.Builder
			for _, w := range item {
				if w != 0 {
					s.WriteRune(rune(w))
				}
			}
			texts[name] = append(texts[name], s.String())
		}
		if !slices.Equal(shape, []int{len(texts[name])}) {
			t.Errorf("%s: shape %v for %d texts", name, shape, len(texts[name]))
		}
	}
	return tensors, texts
}

func TestSaveNPZ(t *testing.T) {
	tensors := example()
	texts := map[string][]string{
		"paths": {"a.jpg", "", "Ünïcode/日本.png", "emoji/🦊.gif", strings.Repeat("long/", 50)},
		"blank": {"", ""},
		"no":    {},
	}
	path := filepath.Join(t.TempDir(), "a.npz")
	if err := SaveNPZ(path, tensors, texts); err != nil {
		t.Fatal(err)
	}
	first, _ := os.ReadFile(path)
	if err := SaveNPZ(path, example(), texts); err != nil {
		t.Fatal(err)
	}
	if second, _ := os.ReadFile(path); !bytes.Equal(first, second) {
		t.Error("the same arrays gave other bytes")
	}

	gotTensors, gotTexts := parseNPZ(t, path)
	if len(gotTensors) != len(tensors) || len(gotTexts) != len(texts) {
		t.Errorf("%d and %d arrays, want %d and %d", len(gotTensors), len(gotTexts), len(tensors), len(texts))
	}
	for name, want := range tensors {
		got := gotTensors[name]
		if got == nil || !slices.Equal(got.Shape(), want.Shape()) || !slices.Equal(bitsOf(got.Data()), bitsOf(want.Data())) {
			t.Errorf("%q: %v came back as %v", name, want, got)
		}
	}
	for name, want := range texts {
		if got := gotTexts[name]; !slices.Equal(got, want) {
			t.Errorf("%q: %q came back as %q", name, want, got)
		}
	}
}

func TestSaveNPZRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npz")
	for what, err := range map[string]error{
		"zero":      SaveNPZ(path, nil, map[string][]string{"a": {"b\x00"}}),
		"not UTF-8": SaveNPZ(path, nil, map[string][]string{"a": {"\xff"}}),
		"twice":     SaveNPZ(path, map[string]*tensor.Tensor{"a": tensor.New(1)}, map[string][]string{"a": nil}),
		"no folder": SaveNPZ(filepath.Join(path, "b"), nil, nil),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("a refused file was written: %v", err)
	}
}
