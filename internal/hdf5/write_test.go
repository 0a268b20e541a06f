package hdf5

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// floats32 returns a function that puts values out as float32.
func floats32(values ...float32) func(io.Writer) error {
	return func(w io.Writer) error { return binary.Write(w, binary.LittleEndian, values) }
}

// written has everything that a Builder can write.
func written() *Builder {
	b := new(Builder)
	b.Attribute("", "version", "3.15.1")
	b.Attribute("", "lists", []string{"conv2d", "", "Größe 画像", strings.Repeat("long ", 2000)})
	b.Attribute("", "numbers", []int{1, -2, math.MaxInt32})
	b.Attribute("", "no_numbers", []int{})
	b.Array("layers/conv2d/vars/0", 32, []int{2, 3}, floats32(1, -2, 3, float32(math.Inf(1)), 0x1p-140, 6))
	b.Array("layers/conv2d/vars/1", 16, []int{3}, func(w io.Writer) error {
		_, err := w.Write([]byte{0, 0x3c, 0, 0x40, 0, 0xc2}) // 1, 2, -3
		return err
	})
	b.Attribute("layers/conv2d/vars", "name", "block1_conv1")
	b.Attribute("layers/conv2d/vars/0", "axis", -1)
	b.Array("scalar", 32, nil, floats32(0.1))
	b.Array("none", 32, []int{4, 0}, nil)
	b.Group("layers/flatten")
	for i := range 300 {
		b.Array(fmt.Sprintf("many/%d", i), 32, []int{1}, floats32(float32(i)))
	}
	return b
}

func TestWriteStructure(t *testing.T) {
	var first, second bytes.Buffer
	b := written()
	if err := b.Write(&first); err != nil {
		t.Fatal(err)
	}
	if err := b.Write(&second); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Errorf("written twice: other bytes, error %v", err)
	}
	second.Reset()
	if err := written().Write(&second); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Errorf("the same calls: other bytes, error %v", err)
	}

	file := first.Bytes()
	le := binary.LittleEndian
	if string(file[:12]) != "\x89HDF\r\n\x1a\n\x02\x08\x08\x00" {
		t.Errorf("superblock %x", file[:12])
	}
	if end := le.Uint64(file[28:]); end != uint64(len(file)) {
		t.Errorf("the superblock says that the file ends at %d, it does at %d", end, len(file))
	}
	if le.Uint32(file[44:]) != lookup3(file[:44]) {
		t.Error("checksum of the superblock")
	}
	// Walk by hand: links lead to objects, layouts to values.
	arrays := 0
	var walk func(at uint64, path string)
	walk = func(at uint64, path string) {
		h := file[at:]
		if string(h[:6]) != "OHDR\x02\x02" || at%8 != 0 {
			t.Fatalf("%s: header at %d starts with %q", path, at, h[:6])
		}
		n := 10 + le.Uint32(h[6:])
		if le.Uint32(h[n:]) != lookup3(h[:n]) {
			t.Errorf("%s: checksum", path)
		}
		for m := h[10:n]; len(m) > 0; {
			kind, size := m[0], le.Uint16(m[1:])
			body := m[4 : 4+size]
			m = m[4+size:]
			switch kind {
			case 0x06: // link
				length := le.Uint16(body[3:])
				name := string(body[5 : 5+length])
				walk(le.Uint64(body[5+length:]), path+"/"+name)
			case 0x08: // layout
				arrays++
				data, bytes := le.Uint64(body[2:]), le.Uint64(body[10:])
				if path == "/none" {
					if data != math.MaxUint64 || bytes != 0 {
						t.Errorf("%s: %d bytes at %d", path, bytes, data)
					}
					continue
				}
				if data%64 != 0 || data+bytes > uint64(len(file)) {
					t.Errorf("%s: %d bytes at %d of %d", path, bytes, data, len(file))
				}
				if i := strings.TrimPrefix(path, "/many/"); i != path {
					if got := math.Float32frombits(le.Uint32(file[data:])); fmt.Sprint(got) != i {
						t.Errorf("%s holds %v", path, got)
					}
				}
			}
		}
	}
	walk(le.Uint64(file[36:]), "")
	if arrays != 304 {
		t.Errorf("%d arrays, want 304", arrays)
	}
}

// TestLookup3: values that the libraries of HDF5 wrote.
func TestLookup3(t *testing.T) {
	for text, want := range map[string]uint32{
		"": 0xdeadbeef,
		// the superblock of an empty file of h5py with libver="latest"
		"\x89HDF\r\n\x1a\n\x03\x08\x08\x00" + strings.Repeat("\x00", 8) + strings.Repeat("\xff", 8) + "\xc3\x00\x00\x00\x00\x00\x00\x00\x30\x00\x00\x00\x00\x00\x00\x00": 0x37611a06,
	} {
		if got := lookup3([]byte(text)); got != want {
			t.Errorf("%q: %#x, want %#x", text, got, want)
		}
	}
}

func TestWriteThenRead(t *testing.T) {
	var file bytes.Buffer
	if err := written().Write(&file); err != nil {
		t.Fatal(err)
	}
	f, err := Open(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	attribute := func(o Object, name string) *Attribute {
		t.Helper()
		a, err := o.Attr(name)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	root := f.Root()
	if got, err := attribute(root, "lists").Strings(); err != nil || len(got) != 4 || got[1] != "" || got[2] != "Größe 画像" || len(got[3]) != 10_000 {
		t.Errorf("lists: %q, %v", got, err)
	}
	if got, err := attribute(root, "numbers").Ints(); err != nil || !slices.Equal(got, []int64{1, -2, math.MaxInt32}) {
		t.Errorf("numbers: %v, %v", got, err)
	}
	if got := attribute(root, "no_numbers").Shape(); !slices.Equal(got, []int{0}) {
		t.Errorf("no_numbers: shape %v", got)
	}
	if got := root.Names(); !slices.Equal(got, []string{"layers", "many", "none", "scalar"}) {
		t.Errorf("the root has %q", got)
	}
	vars, err := root.Group("layers/conv2d/vars")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := attribute(vars, "name").Strings(); err != nil || !slices.Equal(got, []string{"block1_conv1"}) {
		t.Errorf("name: %q, %v", got, err)
	}
	for path, want := range map[string]struct {
		shape  []int
		values []float32
	}{
		"layers/conv2d/vars/0": {[]int{2, 3}, []float32{1, -2, 3, float32(math.Inf(1)), 0x1p-140, 6}},
		"layers/conv2d/vars/1": {[]int{3}, []float32{1, 2, -3}},
		"scalar":               {nil, []float32{0.1}},
		"none":                 {[]int{4, 0}, nil},
		"many/299":             {[]int{1}, []float32{299}},
	} {
		d, err := root.Dataset(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		got := make([]float32, d.Len())
		if err := d.ReadFloat32(got); err != nil || !slices.Equal(d.Shape(), want.shape) || !slices.Equal(got, want.values) {
			t.Errorf("%s: %v%v, %v, want %v%v", path, d.Shape(), got, err, want.shape, want.values)
		}
		if offset, _, plain := d.Contiguous(); strings.HasSuffix(path, "vars/0") && (!plain || offset%64 != 0) {
			t.Errorf("%s: at %d, to be used in place: %v", path, offset, plain)
		}
	}
}

func TestWriteMistakes(t *testing.T) {
	broken := errors.New("broken")
	for want, build := range map[string]func(b *Builder){
		`"a/b" is there already`:              func(b *Builder) { b.Array("a/b", 32, nil, floats32(1)); b.Array("a/b", 32, nil, floats32(1)) },
		`"a" cannot be a group`:               func(b *Builder) { b.Array("a", 32, nil, floats32(1)); b.Array("a/b", 32, nil, floats32(1)) },
		`"" cannot be a name`:                 func(b *Builder) { b.Array("a//b", 32, nil, floats32(1)) },
		`path "": "" cannot`:                  func(b *Builder) { b.Array("", 32, nil, floats32(1)) },
		`"." cannot be a name`:                func(b *Builder) { b.Group("a/.") },
		"cannot be a name":                    func(b *Builder) { b.Group("a\x00") },
		`path "\xff"`:                         func(b *Builder) { b.Group("\xff") },
		"too long":                            func(b *Builder) { b.Group(strings.Repeat("a", 40_000)) },
		"33 dimensions":                       func(b *Builder) { b.Array("a", 32, make([]int, 33), nil) },
		"contains a zero":                     func(b *Builder) { b.Attribute("a", "b", "c\x00") },
		`attribute "b" of "a" is there`:       func(b *Builder) { b.Attribute("a", "b", "c"); b.Attribute("a", "b", 1) },
		`attribute "b" of "a" takes 72035`:    func(b *Builder) { b.Attribute("a", "b", make([]int, 9000)) },
		`attribute "" of "a"`:                 func(b *Builder) { b.Attribute("a", "", 1) },
		`array "a": 4 bytes were written for`: func(b *Builder) { b.Array("a", 32, []int{2}, floats32(1)) },
		`array "c": 8 bytes were written for`: func(b *Builder) { b.Array("c", 16, []int{2}, floats32(1, 2)) },
		"broken":                              func(b *Builder) { b.Array("c", 16, []int{2}, func(io.Writer) error { return broken }) },
		"more than 65535 texts": func(b *Builder) {
			for i := range 1 << 16 {
				b.Attribute("a", fmt.Sprint(i), fmt.Sprint(i))
			}
		},
	} {
		b := new(Builder)
		build(b)
		if err := b.Write(io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if err := written().Write(&full{}); !errors.Is(err, errFull) {
		t.Errorf("a full disk: error %v", err)
	}
}

var errFull = errors.New("disk full")

// full takes 3000 bytes.
type full struct{ n int }

func (f *full) Write(p []byte) (int, error) {
	if f.n += len(p); f.n > 3000 {
		return 0, errFull
	}
	return len(p), nil
}

// TestWriteReadByH5py needs LOOKALIKE_PYTHON, the name of a Python with h5py.
func TestWriteReadByH5py(t *testing.T) {
	python := os.Getenv("LOOKALIKE_PYTHON")
	if python == "" {
		t.Skip("LOOKALIKE_PYTHON names no Python with h5py")
	}
	path := filepath.Join(t.TempDir(), "a.h5")
	var file bytes.Buffer
	if err := written().Write(&file); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, file.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), python, filepath.Join("testdata", "read_written.py"), path).CombinedOutput()
	if err != nil || string(out) != "ok\n" {
		t.Errorf("%v\n%s", err, out)
	}
}
