package weights

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lookalike/tensor"
)

func bitsOf(values []float32) []uint32 {
	b := make([]uint32, len(values))
	for i, v := range values {
		b[i] = math.Float32bits(v)
	}
	return b
}

// mixed.safetensors and mixed.json are made by testdata/make_mixed.py.
func TestReadsPythonsFile(t *testing.T) {
	text, err := os.ReadFile("testdata/mixed.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]struct {
		Shape []int
		Bits  []uint32
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	f, err := Open("testdata/mixed.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()

	if got, names := f.Names(), slices.Sorted(maps.Keys(want)); !slices.Equal(got, names) {
		t.Errorf("names %q, want %q", got, names)
	}
	if got := f.Metadata(); !maps.Equal(got, map[string]string{"format": "np", "made by": "make_mixed.py"}) {
		t.Errorf("metadata %q", got)
	}
	for name, want := range want {
		got, err := f.Tensor(name)
		if err != nil {
			t.Error(err)
			continue
		}
		shape, ok := f.Shape(name)
		if !ok || !slices.Equal(shape, want.Shape) || !slices.Equal(got.Shape(), want.Shape) {
			t.Errorf("%s: shapes %v and %v, want %v", name, shape, got.Shape(), want.Shape)
		}
		if !slices.Equal(bitsOf(got.Data()), want.Bits) {
			t.Errorf("%s: %v differ from Python's values", name, got.Data())
		}
	}
	if _, err := f.Tensor("absent"); err == nil || !strings.Contains(err.Error(), `mixed.safetensors: there is no array "absent"`) {
		t.Errorf("an absent array: %v", err)
	}
}

// Every binary16 value against its definition in float64.
func TestHalf(t *testing.T) {
	for h := range 1 << 16 {
		sign, exponent, fraction := h>>15, h>>10&31, float64(h&1023)
		want := math.Ldexp(1+fraction/1024, exponent-15)
		switch {
		case exponent == 0:
			want = math.Ldexp(fraction, -24)
		case exponent == 31 && fraction == 0:
			want = math.Inf(1)
		case exponent == 31:
			want = math.NaN()
		}
		want = math.Copysign(want, 1-2*float64(sign))
		got := float64(fromHalf(uint16(h)))
		if math.IsNaN(want) != math.IsNaN(got) || !math.IsNaN(want) && math.Float64bits(got) != math.Float64bits(want) {
			t.Errorf("%#04x: %g, want %g", h, got, want)
		}
	}
}

func example() map[string]*tensor.Tensor {
	rng := rand.New(rand.NewPCG(1, 2))
	values := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
		return v
	}
	nan := float32(math.NaN())
	return map[string]*tensor.Tensor{
		"large":         tensor.From(values(3*chunkBytes/4+1), 3*chunkBytes/4+1),
		"matrix":        tensor.From(values(35), 5, 7),
		"scalar":        tensor.From(values(1)),
		"none":          tensor.New(3, 0, 2),
		"odd":           tensor.From([]float32{nan, float32(math.Inf(-1)), 0, 1e-45}, 4),
		`"<ä>\n` + "\n": tensor.From(values(3), 3),
	}
}

func TestSaveThenOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.safetensors")
	tensors, metadata := example(), map[string]string{"": "empty key", "text": "<ü>\x00\n", "a": ""}
	if err := Save(path, tensors, metadata); err != nil {
		t.Fatal(err)
	}
	first, _ := os.ReadFile(path)
	if n := binary.LittleEndian.Uint64(first); (8+n)%64 != 0 {
		t.Errorf("data start at byte %d, want a multiple of 64", 8+n)
	}
	if err := Save(path, example(), maps.Clone(metadata)); err != nil {
		t.Fatal(err)
	}
	if second, _ := os.ReadFile(path); !bytes.Equal(first, second) {
		t.Error("the same arrays gave other bytes")
	}

	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := f.Metadata(); !maps.Equal(got, metadata) {
		t.Errorf("metadata %q, want %q", got, metadata)
	}
	if got, want := f.Names(), slices.Sorted(maps.Keys(tensors)); !slices.Equal(got, want) {
		t.Errorf("names %q, want %q", got, want)
	}
	for name, want := range tensors {
		got, err := f.Tensor(name)
		if err != nil {
			t.Error(err)
		} else if !slices.Equal(got.Shape(), want.Shape()) || !slices.Equal(bitsOf(got.Data()), bitsOf(want.Data())) {
			t.Errorf("%q: %v came back as %v", name, want, got)
		}
	}
}

func TestSaveRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.safetensors")
	one := map[string]*tensor.Tensor{"a": tensor.New(1)}
	for what, err := range map[string]error{
		"reserved name":    Save(path, map[string]*tensor.Tensor{"__metadata__": tensor.New(1)}, nil),
		"name not UTF-8":   Save(path, map[string]*tensor.Tensor{"\xff": tensor.New(1)}, nil),
		"key not UTF-8":    Save(path, one, map[string]string{"\xff": ""}),
		"value not UTF-8":  Save(path, one, map[string]string{"a": "\xff"}),
		"header too large": Save(path, one, map[string]string{"a": strings.Repeat("x", maxHeader)}),
		"no folder":        Save(filepath.Join(path, "b"), one, nil),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("a refused file was written: %v", err)
	}
}

// file puts a header before size bytes of data.
func file(header string, size int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, size)...)
}

func TestBadFiles(t *testing.T) {
	deep := strings.Repeat("[", 100_000)
	for _, c := range []struct {
		what    string
		content []byte
		want    string // part of the message
	}{
		{"empty", nil, "the file is empty"},
		{"HDF5", []byte("\x89HDF\r\n\x1a\n\x00\x00\x00\x00\x00\x08\x08\x00"), "hdf5"},
		{"zip", []byte("PK\x03\x04\x14\x00\x00\x00\x00\x00\x00\x00"), "zip"},
		{"LFS", []byte("version https://git-lfs.github.com/spec/v1\n"), "Git LFS"},
		{"web page", []byte("<!DOCTYPE html>"), "HTML"},
		{"text", []byte("hello, world, how are you"), `"hello, world, how ar"`},
		{"short", []byte{1, 2, 3}, "starts with"},
		{"length only", file("", 0), "starts with"},
		{"length beyond file", file("{}", 0)[:9], "cut short"},
		{"length beyond limit", append(binary.LittleEndian.AppendUint64(nil, maxHeader+1), '{'), "limit"},
		{"bad JSON", file(`{"a":}`, 0), "byte 14"},
		{"two values", file(`{}{}`, 0), "header"},
		{"not UTF-8", file("{\"\xff\":1}", 0), "UTF-8"},
		{"deep JSON", file(`{"a":`+deep, 0), "header"},
		{"array is a number", file(`{"a":1}`, 0), `"a": byte 14`},
		{"array is null", file(`{"a":null}`, 0), `"a"`},
		{"twice", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), `"a" comes twice`},
		{"twice, escaped", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\u0061":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), `"a" comes twice`},
		{"key twice", file(`{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), `"dtype" comes twice`},
		{"unknown key", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}`, 4), `"x": unknown key`},
		{"key in capitals", file(`{"a":{"DTYPE":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), `"DTYPE"`},
		{"no dtype", file(`{"a":{"shape":[1],"data_offsets":[0,4]}}`, 4), "missing"},
		{"no shape", file(`{"a":{"dtype":"F32","data_offsets":[0,4]}}`, 4), "missing"},
		{"no offsets", file(`{"a":{"dtype":"F32","shape":[1]}}`, 4), "missing"},
		{"shape null", file(`{"a":{"dtype":"F32","shape":null,"data_offsets":[0,4]}}`, 4), `"shape"`},
		{"dimension null", file(`{"a":{"dtype":"F32","shape":[null],"data_offsets":[0,0]}}`, 0), `"shape"`},
		{"dimension negative", file(`{"a":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}}`, 4), `"shape"`},
		{"dimension fraction", file(`{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}`, 4), `"shape"`},
		{"dimension string", file(`{"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}}`, 4), `"shape"`},
		{"dimension huge", file(`{"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4]}}`, 4), `"shape"`},
		{"rank", file(`{"a":{"dtype":"F32","shape":[`+strings.Repeat("1,", maxRank)+`1],"data_offsets":[0,4]}}`, 4), "more than 32"},
		{"product overflows", file(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0), "too large"},
		{"bytes overflow", file(`{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}}`, 0), "too large"},
		{"three offsets", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}`, 4), "data_offsets"},
		{"one offset", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}`, 4), "data_offsets"},
		{"offsets reversed", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}`, 4), `"a": bytes 4 to 0`},
		{"data cut short", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 7), "cut short"},
		{"data too long", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 5), "1 bytes after"},
		{"wrong length", file(`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`, 8), "takes 12 bytes"},
		{"unknown dtype", file(`{"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}}`, 4), `"F33"`},
		{"overlap", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), `"b" starts at byte 4`},
		{"gap", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}`, 12), `"b" starts at byte 8`},
		{"gap at start", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), `"a" starts at byte 4`},
		{"metadata of numbers", file(`{"__metadata__":{"a":1}}`, 0), `"__metadata__": "a"`},
		{"metadata null", file(`{"__metadata__":null}`, 0), `"__metadata__"`},
	} {
		t.Run(c.what, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "bad.bin")
			if err := os.WriteFile(path, c.content, 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := Open(path)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v; want it to name the file and have %q", err, c.want)
			}
		})
	}
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("a folder was opened")
	}
	if _, err := Open("testdata/absent"); !os.IsNotExist(err) && !strings.Contains(fmt.Sprint(err), "testdata/absent") {
		t.Errorf("absent file: %v", err)
	}
}

func TestDoubleOutOfRange(t *testing.T) {
	b := file(`{"a":{"dtype":"F64","shape":[2],"data_offsets":[0,16]}}`, 0)
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(math.Inf(1)))
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(1e300))
	f, err := Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Tensor("a"); err == nil || !strings.Contains(err.Error(), "1e+300") {
		t.Errorf("error %v, want one that names 1e+300", err)
	}
}

// The values of a large file take at most twice its size, float16 included.
func TestMemory(t *testing.T) {
	const n = 4 << 20
	for dtype, size := range map[string]int{"F16": 2, "BF16": 2, "F32": 4, "F64": 8} {
		content := file(fmt.Sprintf(`{"a":{"dtype":%q,"shape":[%d],"data_offsets":[0,%d]}}`, dtype, n, n*size), n*size)
		got, err := measured(content)
		if err != nil {
			t.Fatal(err)
		}
		if limit := 2*uint64(len(content)) + 2*chunkBytes; got > limit {
			t.Errorf("%s: took %d bytes for a file of %d", dtype, got, len(content))
		}
	}
	claim := append(binary.LittleEndian.AppendUint64(nil, maxHeader), "{}      "...)
	if got, err := measured(claim); err == nil || got > chunkBytes {
		t.Errorf("a file of %d bytes that claims a header of %d: took %d bytes, error %v", len(claim), maxHeader, got, err)
	}
}
