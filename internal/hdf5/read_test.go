package hdf5

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

type expectedValue struct {
	Shape  []int    `json:"shape"`
	Values []string `json:"values"`
}

type expectedFile struct {
	Datasets   map[string]expectedValue `json:"datasets"`
	Attributes map[string]expectedValue `json:"attributes"`
	Groups     map[string][]string      `json:"groups"`
}

func readJSON(t *testing.T, name string, v any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// fixture opens a file of testdata from memory.
func fixture(t testing.TB, name string) *File {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	f, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return f
}

// sameFloats compares with numbers as make.py writes them, bit by bit.
func sameFloats(t *testing.T, what string, got []float32, want []string) {
	t.Helper()
	if len(want) == 2 && want[0] == "crc32" {
		var b []byte
		for _, v := range got {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
		if sum := strconv.FormatUint(uint64(crc32.ChecksumIEEE(b)), 10); sum != want[1] {
			t.Errorf("%s: %d values with checksum %s, want %s: %v", what, len(got), sum, want[1], got[:min(20, len(got))])
		}
		return
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", what, len(got), len(want))
		return
	}
	for i, text := range want {
		v, err := strconv.ParseFloat(text, 32)
		if err != nil {
			t.Fatal(err)
		}
		if math.Float32bits(got[i]) != math.Float32bits(float32(v)) {
			t.Errorf("%s: value %d is %v, want %s", what, i, got[i], text)
			return
		}
	}
}

// TestFixtures reads everything that h5py wrote.
func TestFixtures(t *testing.T) {
	var files map[string]expectedFile
	readJSON(t, "expected.json", &files)
	for name, want := range files {
		t.Run(name, func(t *testing.T) {
			root := fixture(t, name).Root()
			for path, names := range want.Groups {
				g, err := root.Group(path)
				if err != nil {
					t.Error(err)
				} else if !slices.Equal(g.Names(), names) {
					t.Errorf("%s has %q, want %q", path, g.Names(), names)
				}
			}
			for path, want := range want.Datasets {
				d, err := root.Dataset(path)
				if err != nil {
					t.Error(err)
					continue
				}
				if !slices.Equal(d.Shape(), want.Shape) {
					t.Errorf("%s: shape %v, want %v", path, d.Shape(), want.Shape)
				}
				got := make([]float32, d.Len())
				if err := d.ReadFloat32(got); err != nil {
					t.Error(err)
					continue
				}
				sameFloats(t, path, got, want.Values)
			}
			for path, want := range want.Attributes {
				path, name, _ := strings.Cut(path, "@")
				o, err := root.Object(path)
				if err != nil {
					t.Error(err)
					continue
				}
				a, err := o.Attr(name)
				if err != nil {
					t.Error(err)
					continue
				}
				what := path + "@" + name
				if !slices.Equal(a.Shape(), want.Shape) {
					t.Errorf("%s: shape %v, want %v", what, a.Shape(), want.Shape)
				}
				if class := a.Type().Class; class == String || class == VarString {
					if got, err := a.Strings(); err != nil || !slices.Equal(got, want.Values) {
						t.Errorf("%s: %q, %v, want %q", what, got, err, want.Values)
					}
					continue
				}
				got, err := a.Floats()
				if err != nil {
					t.Error(err)
					continue
				}
				sameFloats(t, what, got, want.Values)
			}
			if n := len(want.Datasets) + len(want.Attributes); n < 1 {
				t.Errorf("only %d values to compare", n)
			}
		})
	}
	if len(files) < 15 {
		t.Errorf("%d files", len(files))
	}
}

// TestPages: the data blocks of a large extensible array are in pages.
func TestPages(t *testing.T) {
	packed, err := os.ReadFile("testdata/paged.h5.gz.gz")
	if err != nil {
		t.Fatal(err)
	}
	var b io.Reader = bytes.NewReader(packed)
	for range 2 {
		if b, err = gzip.NewReader(b); err != nil {
			t.Fatal(err)
		}
	}
	file, err := io.ReadAll(b)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	d, err := f.Root().Dataset("pages")
	if err != nil {
		t.Fatal(err)
	}
	values, err := d.Ints()
	if err != nil || len(values) != 272_000 {
		t.Fatalf("%d values, %v", len(values), err)
	}
	for i, v := range values {
		if v != int64(i%101) {
			t.Fatalf("value %d is %d", i, v)
		}
	}
}

// TestContiguous: what is said to lie in one piece is there.
func TestContiguous(t *testing.T) {
	for _, name := range []string{"layouts_earliest.h5", "layouts_latest.h5", "userblock_earliest.h5", "userblock_latest.h5"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		path := "contiguous"
		if strings.HasPrefix(name, "user") {
			path = "value"
		}
		root := fixture(t, name).Root()
		d, err := root.Dataset(path)
		if err != nil {
			t.Fatal(err)
		}
		offset, n, ok := d.Contiguous()
		if !ok || n != int64(4*d.Len()) {
			t.Fatalf("%s: %d bytes at %d, %v", name, n, offset, ok)
		}
		for i := range d.Len() {
			if v := math.Float32frombits(binary.LittleEndian.Uint32(b[offset+int64(4*i):])); v != float32(i) {
				t.Errorf("%s: value %d is %v", name, i, v)
			}
		}
		if path == "contiguous" {
			for _, other := range []string{"compact", "chunks/plain/single"} {
				d, err := root.Dataset(other)
				if err != nil {
					t.Fatal(err)
				}
				if _, _, ok := d.Contiguous(); ok {
					t.Errorf("%s: %s is not contiguous", name, other)
				}
			}
		}
	}
}

func TestInts(t *testing.T) {
	root := fixture(t, "types_latest.h5").Root()
	for _, name := range []string{"i1", "u1", "i2", "i2be", "u2", "i4", "u4be", "i8", "i8be", "u8"} {
		d, err := root.Dataset("types/" + name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.Ints()
		if want := []int64{0, 1, 2, 3, 4, 5}; err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v, want %v", name, got, err, want)
		}
	}
	a, err := fixture(t, "texts_latest.h5").Root().Attr("shape")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := a.Ints(); err != nil || !slices.Equal(got, []int64{3, 224, 224}) {
		t.Errorf("shape: %v, %v", got, err)
	}
}

// TestRefuses: what cannot be read is named, with its place.
func TestRefuses(t *testing.T) {
	type refusal struct{ path, says string }
	common := []refusal{
		{"external_link", "a link to another file"},
		{"dangling", `no object "nowhere"`},
		{"circle", "soft links"},
		{"a", "soft links"},
		{"external", "external files"},
		{"lzf", `filter 32000 "lzf"`},
		{"scaled", "filter 6"},
		{"compound", "compound"},
		{"text", "variable length"},
		{"fixed_text", "string"},
		{"array", "array"},
		{"never", "never written"},
		{"never_chunked", "never_chunked"},
		{"half_written", "never written"},
		{"opaque", "opaque"},
		{"complex", "type co"},
		{"absent", `no object "absent"`},
		{"compound/x", "no group"},
	}
	for file, list := range map[string][]refusal{
		"refused_earliest.h5": common, "refused_latest.h5": common,
		"virtual_earliest.h5": {{"virtual", "virtual datasets"}}, "virtual_latest.h5": {{"virtual", "virtual datasets"}},
	} {
		root := fixture(t, file).Root()
		for _, r := range list {
			d, err := root.Dataset(r.path)
			if err == nil {
				if d.Len() > 1000 {
					t.Errorf("%s: %s has %d elements", file, r.path, d.Len())
					continue
				}
				err = d.ReadFloat32(make([]float32, d.Len()))
			}
			if err == nil || !strings.Contains(err.Error(), r.says) || !strings.Contains(err.Error(), r.path) {
				t.Errorf("%s: %s: %v, want it to say %q", file, r.path, err, r.says)
			}
		}
	}
	for what, b := range map[string][]byte{
		"nothing":    nil,
		"a JPEG":     []byte("\xff\xd8\xff\xe0 and so on"),
		"the start":  []byte(Signature),
		"version 99": []byte(Signature + strings.Repeat("\x63", 100)),
	} {
		if _, err := Open(bytes.NewReader(b), int64(len(b))); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

// TestManyReaders is for the race detector: readers share what has been read of
// the file's structure.
func TestManyReaders(t *testing.T) {
	f := fixture(t, "layouts_latest.h5")
	texts := fixture(t, "texts_earliest.h5")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, name := range []string{"contiguous", "chunks/all/tree", "chunks/all/fixed", "compact"} {
				d, err := f.Root().Dataset(name)
				if err != nil {
					t.Error(err)
					return
				}
				if err := d.ReadFloat32(make([]float32, d.Len())); err != nil {
					t.Error(err)
				}
			}
			a, err := texts.Root().Attr("list")
			if err != nil {
				t.Error(err)
				return
			}
			if list, err := a.Strings(); err != nil || len(list) != 3 {
				t.Error(list, err)
			}
		})
	}
	wg.Wait()
}

func ExampleOpen() {
	b, err := os.ReadFile("testdata/userblock_latest.h5")
	if err != nil {
		panic(err)
	}
	f, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		panic(err)
	}
	d, err := f.Root().Dataset("group/deflated")
	if err != nil {
		panic(err)
	}
	values := make([]float32, d.Len())
	err = d.ReadFloat32(values)
	t := d.Type()
	fmt.Println(f.Root().Names(), d.Shape(), &t, values, err)
	// Output: [group value] [4] float32 [0 1 2 3] <nil>
}
