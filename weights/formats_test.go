package weights

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
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

// TestNumPyKinds: descriptions that others' programs write.
func TestNumPyKinds(t *testing.T) {
	read := func(descr string, values string) (*File, error) {
		header := "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (2,)}\n"
		file := npyMagic + "\x01\x00" + string([]byte{byte(len(header)), 0}) + header + values
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		w, err := z.Create("a.npy")
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, file)
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return Read(bytes.NewReader(b.Bytes()), int64(b.Len()))
	}
	for _, descr := range []string{"f4", "=f4", "<f4"} {
		f, err := read(descr, "\x00\x00\x80\x3f\x00\x00\x00\x40")
		if err != nil {
			t.Errorf("%s: %v", descr, err)
		} else if x, err := f.Tensor("a"); err != nil || !slices.Equal(x.Data(), []float32{1, 2}) {
			t.Errorf("%s: %v, %v", descr, x, err)
		}
	}
	for _, descr := range []string{"S7", "|S7"} {
		f, err := read(descr, "a.jpg\x00\x00日本\x00")
		if err != nil {
			t.Errorf("%s: %v", descr, err)
		} else if got, err := f.Texts("a"); err != nil || !slices.Equal(got, []string{"a.jpg", "日本"}) {
			t.Errorf("%s: %q, %v", descr, got, err)
		}
	}
	if f, err := read("S2", "ab\x93\xfa"); err != nil {
		t.Error(err)
	} else if _, err := f.Texts("a"); err == nil || !strings.Contains(err.Error(), "item 1") || !strings.Contains(err.Error(), "UTF-8") {
		t.Errorf("text that is not UTF-8: %v", err)
	}
	for _, descr := range []string{"|f4", "?f4", "S0", "S-1", "US4", "|U4", "O", "V8", "<", "=", "c8"} {
		if _, err := read(descr, "12345678"); err == nil || !strings.Contains(err.Error(), "cannot be read") {
			t.Errorf("%s: %v", descr, err)
		}
	}
}

// TestTorchKinds: what others' programs save.
func TestTorchKinds(t *testing.T) {
	x, err := openFixture(t, "expanded.pth").Tensor("a")
	if err != nil || !slices.Equal(x.Shape(), []int{1000, 1000}) || slices.Contains(x.Data(), 0) {
		t.Errorf("expanded: %v, %v", x.Shape(), err)
	}

	// A dictionary as pickle's protocol 4 writes it, of one tensor of shape rows x 2 in a
	// storage of 2 values, the rows some values apart, and with further arguments.
	text := func(s string) string { return "\x8c" + string(rune(len(s))) + s + "\x94" }
	saved := func(rows, apart byte, more string) []byte {
		tuple := func(a, b byte) string { return "K" + string([]byte{a}) + "K" + string([]byte{b}) + "\x86\x94" }
		code := "\x80\x04\x95\xff\x00\x00\x00\x00\x00\x00\x00}\x94" + text("w") + text("torch._utils") + text("_rebuild_tensor_v2") + "\x93\x94((" +
			text("storage") + text("torch") + text("FloatStorage") + "\x93\x94" + text("0") + text("cpu") + "K\x02t\x94Q" +
			"K\x00" + tuple(rows, 2) + tuple(apart, 1) + "\x89" + text("collections") + text("OrderedDict") + "\x93\x94)R\x94" + more + "t\x94R\x94s."
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for name, content := range map[string]string{"x/data.pkl": code, "x/data/0": "\x00\x00\x80\x3f\x00\x00\x00\x40"} {
			w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(w, content)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for _, c := range []struct {
		rows, apart byte
		more, want  string
	}{
		{1, 2, "", "[1 2]"},
		{3, 0, "}", "[1 2 1 2 1 2]"},
		{3, 1, "", "more than a storage of 2 values"},
		{1, 2, "}\x8c\x03neg\x88s", "resolve_neg"},
	} {
		file := saved(c.rows, c.apart, c.more)
		got := ""
		f, err := Read(bytes.NewReader(file), int64(len(file)))
		if err == nil {
			x, err = f.Tensor("w")
		}
		if err != nil {
			got = err.Error()
		} else {
			got = fmt.Sprint(x.Data())
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%d rows %d apart, %q: %s, want %s", c.rows, c.apart, c.more, got, c.want)
		}
	}
}

// TestSharedCases: files of other programs of which some were refused.
func TestSharedCases(t *testing.T) {
	refused := map[string]string{"conj": "ComplexFloatStorage", "legacy": "before version 1.6", "list": "a list", "module": "Sequential", "sparse": "sparse", "tensor": "a tensor"}
	files, _ := filepath.Glob("../../shared/cases/weights/k7-*.pth")
	if len(files) == 0 {
		t.Skip("no ../shared/cases/weights")
	}
	for _, path := range files {
		kind := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "k7-"), ".pth")
		f, err := Open(path)
		if want := refused[kind]; want != "" {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", kind, err, want)
			}
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		for _, name := range f.Names() {
			if _, err := f.Tensor(name); err != nil && f.Type(name) != "BOOL" {
				t.Errorf("%s: %q: %v", kind, name, err)
			}
		}
		f.Close()
	}
}

func TestBadFormats(t *testing.T) {
	for name, want := range map[string]string{
		"module.pth": `operation 0x63 'c': asks for Python's "torch.nn.modules.linear.Linear"`,
		"old.pth":    "torch.save(torch.load(",
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
		"\x80\x06":                                          "protocol 6",
		"\x80\x04\x95":                                      "the pickle ends here",
		"\x80\x04\x94":                                      "the stack is empty",
		"\x80\x04\x8c\x05posix\x8c\x06system\x93.":          `"posix.system"`,
		"\x80\x04K\x01\x8c\x01a\x93.":                       "name nothing",
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
