package weights

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lookalike/tensor"
)

// The fixtures are made by testdata/make_formats.py.

func openFixture(t testing.TB, name string) *File {
	t.Helper()
	f, err := Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// Every format gives the same network, by Tensor and by View, mapped or not.
func TestFormatsAgree(t *testing.T) {
	want := openFixture(t, "vgg.safetensors")
	for name, format := range map[string]string{
		"vgg_keras.npz":    "NumPy .npz",
		"vgg_deflated.npz": "NumPy .npz",
	} {
		f := openFixture(t, name)
		if f.Format() != format {
			t.Errorf("%s: format %q, want %q", name, f.Format(), format)
		}
		names := want.Names()
		if got := f.Names(); !slices.Equal(got, names) {
			t.Errorf("%s: names %q, want %q", name, got, names)
			continue
		}
		content, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Read(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			t.Fatal(err)
		}
		for _, array := range names {
			w, err := want.Tensor(array)
			if err != nil {
				t.Fatal(err)
			}
			for how, read := range map[string]func(string) (*tensor.Tensor, error){
				"Tensor": f.Tensor, "View": f.View, "View without a file": r.View,
			} {
				g, err := read(array)
				if err != nil {
					t.Error(err)
				} else if !slices.Equal(g.Shape(), w.Shape()) || !slices.Equal(bitsOf(g.Data()), bitsOf(w.Data())) {
					t.Errorf("%s: %s(%q) differs from vgg.safetensors", name, how, array)
				}
			}
		}
	}
}

// counts checks that an array of shape [2, 3, 4] is 0, 1, 2, …
func counts(t *testing.T, f *File, name string) {
	t.Helper()
	x, err := f.Tensor(name)
	if err != nil {
		t.Error(err)
		return
	}
	if !slices.Equal(x.Shape(), []int{2, 3, 4}) {
		t.Errorf("%q has shape %v", name, x.Shape())
	}
	for i, v := range x.Data() {
		if v != float32(i) {
			t.Errorf("%q: value %d is %g", name, i, v)
			return
		}
	}
}

func TestNumPy(t *testing.T) {
	for _, fixture := range []string{"arrays.npz", "arrays_deflated.npz"} {
		f := openFixture(t, fixture)
		wants := map[string][]float32{
			"scalar": {7}, "empty": {}, "negative": {-1, -128, 127}, "fortran line": {0, 1, 2, 3},
		}
		if n := len(f.Names()); fixture == "arrays.npz" && n != 20+2+len(wants)+3 {
			t.Errorf("%d arrays: %q", n, f.Names())
		}
		for _, name := range f.Names() {
			if _, special := wants[name]; !special {
				counts(t, f, name)
			}
		}
		for name, want := range wants {
			if x, err := f.Tensor(name); err != nil || !slices.Equal(x.Data(), want) {
				t.Errorf("%s: %q is %v, %v; want %v", fixture, name, x, err, want)
			}
		}
		if shape, _ := f.Shape("empty"); !slices.Equal(shape, []int{0, 5}) {
			t.Errorf("the empty array has shape %v", shape)
		}
		texts := []string{"texts", "texts big"}
		if got := f.TextNames(); !slices.Equal(got, texts) {
			t.Errorf("%s: lists of text %q", fixture, got)
		}
		for _, name := range texts {
			if got, err := f.Texts(name); err != nil || !slices.Equal(got, []string{"a.jpg", "", "日本", "🦊"}) {
				t.Errorf("%s: %q: %q, %v", fixture, name, got, err)
			}
		}
		if _, err := f.Texts("scalar"); err == nil || !strings.Contains(err.Error(), fixture) {
			t.Errorf("Texts of an array of numbers: %v", err)
		}
	}
	counts(t, openFixture(t, "fortran.npy"), "arr_0")
}

func TestTorch(t *testing.T) {
	f := openFixture(t, "tensors.pth")
	if n := len(f.Names()); n != 16 {
		t.Errorf("%d arrays: %q", n, f.Names())
	}
	for _, name := range f.Names() {
		if name != "nested.scalar" && name != "nested.empty" {
			counts(t, f, name)
		}
	}
	if x, err := f.Tensor("nested.scalar"); err != nil || len(x.Shape()) != 0 || x.Data()[0] != 7 {
		t.Errorf("scalar: %v, %v", x, err)
	}
	if x, err := f.Tensor("nested.empty"); err != nil || !slices.Equal(x.Shape(), []int{0, 5}) {
		t.Errorf("empty: %v, %v", x, err)
	}
}

func TestBadFormats(t *testing.T) {
	for name, want := range map[string]string{
		"expanded.pth": "more than a storage of 1 values",
		"module.pth":   `operation 0x63 'c': asks for Python's "torch.nn.modules.linear.Linear"`,
		"old.pth":      "torch.save(torch.load(",
	} {
		_, err := Open(filepath.Join("testdata", name))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", name, err, want)
		}
	}
}

// Pickles that ask for anything but tensors are refused, with the place.
func TestUnpickleRefuses(t *testing.T) {
	for code, want := range map[string]string{
		"\x80\x02cposix\nsystem\nX\x02\x00\x00\x00ls\x85R.": `byte 2: operation 0x63 'c': asks for Python's "posix.system"`,
		"\x80\x02c__builtin__\neval\n.":                     `"__builtin__.eval"`,
		"\x80\x02ccollections\nOrderedDict\nK\x01\x85R.":    "calls collections.OrderedDict with a tuple of 1",
		"\x80\x02ctorch\nFloatStorage\n)R.":                 "calls torch.FloatStorage",
		"\x80\x02}K\x01b.":                                  "",
		"\x80\x02K\x01K\x02b.":                              "sets the state of 1",
		"\x80\x02(i__main__\nX\n.":                          "byte 3: operation 0x69 'i'",
		"\x80\x04\x95":                                      "protocol 4",
		"\x80\x02(K\x01t":                                   "byte 6: the pickle ends here",
		"\x80\x02\x85.":                                     "the stack is empty",
		"\x80\x02(a.":                                       "the stack is empty",
		"\x80\x02t.":                                        "no mark",
		"\x80\x02h\x05.":                                    "nothing was kept as number 5",
		"\x80\x02}(K\x01u.":                                 "a key without a value",
		"\x80\x02X\xff\xff\xff\xffa.":                       "text of 4294967295 bytes",
		"\x80\x02K\x01Q.":                                   "1 is no storage's id",
		"\x80\x02\x8a\xffa.":                                "the pickle ends here",
		"\x80\x02c" + strings.Repeat("x", 300) + "\nx\n.":   "a name without an end",
		"\x80\x02" + strings.Repeat("N", maxOperations):     "more than 1048576 operations",
	} {
		_, err := unpickle([]byte(code))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.60q: error %v, want %q", code, err, want)
		}
	}
}

func TestNPYHeaders(t *testing.T) {
	for header, want := range map[string]string{
		"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n":                  "",
		`{"shape": (2L,), "fortran_order": True, "descr": "<f4"}`:                      "",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}":                      "takes 12 bytes, the file has 8",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, -1)}":                "where a dimension belongs",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296,4294967296,2)}": "too large",
		"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}":                       `type "|O"`,
		"{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}":                      `type "<c8"`,
		"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}":             `"'" belongs`,
		"{'descr': '', 'fortran_order': False, 'shape': (1,)}":                         "records",
		"{'descr': '<U0', 'fortran_order': False, 'shape': (1,)}":                      `type "<U0"`,
		"{'descr': '<U1', 'fortran_order': False, 'shape': (1, 2)}":                    "only lists",
		"{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}":                          `"False" belongs`,
		"{'descr': '<f4', 'fortran_order': False}":                                     "is missing",
		"{'descr': '<f4', 'descr': '<f4', 'shape': (2,)}":                              "comes twice",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}":              `unknown key "x"`,
		"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} + f()":                "after the end",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (2":                         "where a dimension belongs",
		"{'descr': '<f4": "no plain string",
		"[]":             `"{" belongs`,
	} {
		content := fmt.Appendf(nil, "\x93NUMPY\x01\x00%c\x00%s%s", len(header), header, make([]byte, 8))
		_, err := Read(bytes.NewReader(content), int64(len(content)))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: error %v, want %q", header, err, want)
		}
	}
}

// What was compressed a thousandfold takes no memory unasked, but can be read
// into a place that is there.
func TestInflationIsBounded(t *testing.T) {
	const n = 18 << 20
	var b bytes.Buffer
	archive := zip.NewWriter(&b)
	w, err := archive.Create("a.npy")
	if err != nil {
		t.Fatal(err)
	}
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d,)}", n)
	fmt.Fprintf(w, "\x93NUMPY\x01\x00%c\x00%s", len(header), header)
	for range n >> 18 {
		w.Write(make([]byte, 1<<20))
	}
	archive.Close()
	f, err := Read(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Tensor("a"); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("%d values out of %d bytes: %v", n, b.Len(), err)
	}
	x := tensor.New(n)
	x.Data()[n-1] = 1
	if err := Load(f, map[string]*tensor.Tensor{"a": x}); err != nil || x.Data()[n-1] != 0 {
		t.Errorf("loaded %g, %v", x.Data()[n-1], err)
	}
}
