package exchange

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"lookalike/gallery"
	"lookalike/gallery/internal/gallerytest"
	"lookalike/tensor"
	"lookalike/weights"
)

// What Export writes comes back, as far as the format holds it.
func TestImportOfExport(t *testing.T) {
	want := gallerytest.Example(40, 7)
	for _, format := range Formats {
		file := filepath.Join(t.TempDir(), "vectors"+format)
		if err := Export(want, file); err != nil {
			t.Fatal(err)
		}
		got, err := Import(file)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got.Vectors, want.Vectors) {
			t.Errorf("%s: other vectors", format)
		}
		for i, e := range got.Entries {
			other := want.Entries[i]
			switch format {
			case ".npy":
				if e.Path != "row-0000"+string(rune('0'+i/10))+string(rune('0'+i%10)) || e.Label != "" {
					t.Errorf("%s: %+v", format, e)
				}
			case ".npz":
				other.Width, other.Height = 0, 0
				fallthrough
			default:
				if e != other {
					t.Errorf("%s: %+v, want %+v", format, e, other)
				}
			}
		}
		if strings.Contains(".csv.jsonl", format) && !reflect.DeepEqual(got.Files, want.Files) {
			t.Errorf("%s: other files", format)
		}
		if same := got.Recipe == want.Recipe; same != (format == ".safetensors") || !same && got.Recipe.Model != gallery.Imported {
			t.Errorf("%s: recipe %+v", format, got.Recipe)
		}
		t.Run("saved"+format, func(t *testing.T) {
			if back, err := gallery.Open(gallerytest.Save(t, got)); err != nil || !reflect.DeepEqual(back.Vectors, want.Vectors) {
				t.Errorf("opened: %v", err)
			}
		})
	}
}

func TestImportRefuses(t *testing.T) {
	for text, c := range map[string]struct{ name, want string }{
		"1,2\n3,4,5\n":                       {"a.csv", "wrong number of fields"},
		"path,v0\na,x\n":                     {"b.csv", `line 2, column 2: "x" is no number`},
		"path,v0\n\"a\nb\",1\nc,y\n":         {"p.csv", `line 4, column 2: "y" is no number`},
		"[1,2]":                              {"q.jsonl", "object 0: it is no object but of the type array"},
		"{\"vector\":[1,1e39]}":              {"r.jsonl", `object 0: "vector" does not take the number 1e39`},
		"{\"vector\":[1,":                    {"s.jsonl", "object 0: the file is cut short"},
		"path,score,v0\na,1,2\n":             {"c.csv", `column "score"`},
		"1,NaN\n":                            {"d.csv", "vector 0 has NaN at place 1"},
		",path,v0\n0,a,1\n":                  {"l.csv", "column 1 has no name"},
		"path,v1,v0\na,1,2\n":                {"m.csv", `"v0" comes after "v1"`},
		"v0,v0\n1,2\n":                       {"n.csv", `"v0" comes after "v0"`},
		"{\"vector\":[1,null]}":              {"o.jsonl", "null"},
		"1,2\n3,4,5,6\n":                     {"t.csv", "record on line 2: wrong number of fields"},
		"1,2\n\n3\n":                         {"u.csv", "record on line 3: wrong number of fields"},
		"1,x\n":                              {"v.csv", `column "1" is neither`},
		"path,v0\na,\"1\"\"\"\n":             {"w.csv", `line 2, column 2: "1\"" is no number`},
		"{\"vector\":[1,\"x\"]}":             {"x.jsonl", `object 0: "vector" does not take the string`},
		"{\"vector\":[1,[2]]}":               {"y.jsonl", `object 0: "vector" does not take the array`},
		"{\"vector\":7}":                     {"z.jsonl", `object 0: "vector" does not take the number`},
		"{\"vector\":null}":                  {"a1.jsonl", "null"},
		"{\"label\":5,\"vector\":[1]}":       {"a2.jsonl", `object 0: "label" does not take the number`},
		"{\"vector\":[1]}x":                  {"a3.jsonl", "object 1: invalid character 'x'"},
		"{\"vector\":[1}":                    {"a4.jsonl", "object 0: invalid character '}'"},
		"{\"vector\":[1]":                    {"a5.jsonl", "object 0: the file is cut short"},
		"{\"vector\":[1],\"x\":{\"y\":[1":    {"a6.jsonl", "object 0: the file is cut short"},
		"path\na\n":                          {"e.csv", "no vector"},
		"{\"vector\":[1]}{\"vector\":[1,2]}": {"f.jsonl", "picture 1 has 2 values"},
		"{\"path\":\"a\"}":                   {"g.jsonl", "no vector"},
		"{\"sha256\":\"aa\",\"vector\":[1]}": {"h.jsonl", "no SHA-256"},
		"":                                   {"i.csv", "no vectors"},
		"nothing":                            {"j.npz", "j.npz"},
		"words":                              {"k.txt", "must end in one of"},
	} {
		file := filepath.Join(t.TempDir(), c.name)
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Import(file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want one with %q", text, err, c.want)
		}
	}
	line := filepath.Join(t.TempDir(), "line.npz")
	if err := weights.SaveNPZ(line, map[string]*tensor.Tensor{"vectors": tensor.New(6)}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := Import(line); err == nil || !strings.Contains(err.Error(), "shape [6]; [n, d] is wanted") {
		t.Errorf("one vector alone: %v", err)
	}
	numbers := filepath.Join(t.TempDir(), "numbers.npz")
	if err := weights.SaveNPZ(numbers, map[string]*tensor.Tensor{"vectors": tensor.New(2, 3), "labels": tensor.New(2)}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := Import(numbers); err == nil || !strings.Contains(err.Error(), "labels are numbers") {
		t.Errorf("labels that are numbers: %v", err)
	}
}

// Lines of numbers have no names, and spreadsheets mark UTF-8.
func TestImportPlainCSV(t *testing.T) {
	for _, text := range []string{"1,2\n3,4\n", "\ufeff1,2\r\n3,4\r\n", "\ufeffv0,v1\n1,2\n3,4\n"} {
		file := filepath.Join(t.TempDir(), "plain.csv")
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		g, err := Import(file)
		if err != nil || len(g.Entries) != 2 || !slices.Equal(g.Vectors.Data(), []float32{1, 2, 3, 4}) || g.Entries[1].Path != "row-000001" {
			t.Errorf("%q: %+v, %v", text, g, err)
		}
	}
}

// Of a field that comes twice the last one counts, of others none, and names are taken as
// encoding/json takes them.
func TestImportObjects(t *testing.T) {
	file := filepath.Join(t.TempDir(), "objects.jsonl")
	text := "\ufeff" + `{"vector":[7,8,9],"other":{"a":[1,{"b":null}],"c":"d"},"PATH":"a","Vector":[1,2],"label":null}` + "\n" + `{"path":"b","vector":[3,4],"none":[]}`
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	g, err := Import(file)
	if err != nil || !slices.Equal(g.Vectors.Data(), []float32{1, 2, 3, 4}) || g.Entries[0].Path != "a" || g.Entries[1].Path != "b" {
		t.Errorf("%+v, %v", g, err)
	}
}
