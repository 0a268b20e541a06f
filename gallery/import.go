package gallery

import (
	"bufio"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"lookalike/picture"
	"lookalike/tensor"
	"lookalike/weights"
)

// Imported is the model of a recipe whose vectors another program has made:
// no picture can be described as these were.
const Imported = "imported"

// ImportFormats are the ends of the names that Import knows.
var ImportFormats = ExportFormats

// Import reads vectors from a file that [Gallery.Export] or another program has
// written, in the format that the name's end says:
//
//	.npz, .safetensors  "vectors", [n, d], or the only array of two dimensions; in
//	                    .npz the texts "paths" and "labels", in safetensors what
//	                    Export has written, if they are there
//	.npy                an array [n, d]
//	.csv                a line of names with path, label, … and v0, v1, … as Export
//	                    writes it, or lines of nothing but numbers
//	.jsonl              an object a line with "vector" and perhaps "path", "label", …
//
// A picture without a path is called by its number, row-000017; without a label,
// it has the name of the folder in its path. Only vectors of an index whose recipe
// is in the file, without principal components, can be compared with pictures:
// others have the model [Imported]. Entries are in the order of the file.
func Import(file string) (*Gallery, error) {
	var g *Gallery
	var err error
	switch strings.ToLower(filepath.Ext(file)) {
	case ".npz", ".npy", ".safetensors":
		g, err = importArrays(file)
	case ".csv":
		g, err = importLines(file, readCSV)
	case ".jsonl":
		g, err = importLines(file, readJSONLines)
	default:
		err = fmt.Errorf("the name must end in one of %s", strings.Join(ImportFormats, ", "))
	}
	if err == nil && len(g.Entries) == 0 {
		err = errors.New("there are no vectors in it")
	}
	if err != nil {
		return nil, fmt.Errorf("gallery: cannot import %s: %w", file, err)
	}
	for i, v := range g.Vectors.Data() {
		if v-v != 0 {
			d := g.Vectors.Dim(1)
			return nil, fmt.Errorf("gallery: cannot import %s: vector %d has %v at place %d", file, i/d, v, i%d)
		}
	}
	for i := range g.Entries {
		e := &g.Entries[i]
		if e.Path == "" {
			e.Path = fmt.Sprintf("row-%06d", i)
		}
		if e.Label == "" {
			e.Label = picture.LabelOf(e.Path)
		}
	}
	if g.Recipe == (Recipe{}) {
		from, err := filepath.Abs(file)
		if err != nil {
			return nil, fmt.Errorf("gallery: %w", err)
		}
		sum, err := weights.Fingerprint(file)
		if err != nil {
			return nil, fmt.Errorf("gallery: %w", err)
		}
		g.Recipe = Recipe{Model: Imported, WeightsSHA256: sum, WeightsFile: from, Preprocessing: "unknown", EXIF: "unknown"}
	}
	return g, nil
}

func importArrays(file string) (*Gallery, error) {
	f, err := weights.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	name := ""
	for _, candidate := range f.Names() {
		switch shape, _ := f.Shape(candidate); {
		case candidate == vectorsName:
			name = candidate
		case len(shape) != 2 || name == vectorsName:
		case name != "":
			return nil, fmt.Errorf("it holds several arrays of two dimensions, such as %q and %q; call the right one %q", name, candidate, vectorsName)
		default:
			name = candidate
		}
	}
	if all := f.Names(); name == "" && len(all) == 1 {
		name = all[0]
	}
	shape, ok := f.Shape(name)
	switch {
	case !ok:
		return nil, fmt.Errorf("it holds no array %q of shape [n, d]", vectorsName)
	case len(shape) != 2 || shape[1] < 1:
		return nil, fmt.Errorf("its vectors are an array of the shape %v; [n, d] is wanted, d at least 1", shape)
	}
	g := &Gallery{}
	if g.Vectors, err = f.Tensor(name); err != nil {
		return nil, err
	}
	g.Entries = make([]Entry, shape[0])
	for list, set := range map[string]func(e *Entry, text string){
		"paths":  func(e *Entry, text string) { e.Path = text },
		"labels": func(e *Entry, text string) { e.Label = text },
	} {
		if _, numbers := f.Shape(list); numbers {
			return nil, fmt.Errorf("its %s are numbers; write them as texts, such as numpy.asarray(%[1]s).astype(str)", list)
		}
		if !slices.Contains(f.TextNames(), list) {
			continue
		}
		texts, err := f.Texts(list)
		if err != nil {
			return nil, err
		}
		if len(texts) != len(g.Entries) {
			return nil, fmt.Errorf("%d vectors and %d %s", len(g.Entries), len(texts), list)
		}
		for i, text := range texts {
			set(&g.Entries[i], text)
		}
	}
	return g, g.importMetadata(f.Metadata())
}

// importMetadata takes over what Export has written of an index.
func (g *Gallery) importMetadata(metadata map[string]string) error {
	if text, ok := metadata["entries"]; ok {
		var entries []Entry
		if err := json.Unmarshal([]byte(text), &entries); err != nil || len(entries) != len(g.Entries) {
			return fmt.Errorf("its metadata are of %d pictures, the vectors of %d (%v)", len(entries), len(g.Entries), err)
		}
		g.Entries = entries
	}
	if text, ok := metadata["recipe"]; ok {
		var r Recipe
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			return fmt.Errorf("the recipe in its metadata: %w", err)
		}
		if r.PCA == "" { // else the components are not here
			g.Recipe = r
		}
	}
	return nil
}

// importLines reads a file picture by picture.
func importLines(file string, read func(r io.Reader, add func(exported) error) error) (*Gallery, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	g := &Gallery{}
	var values []float32
	d := 0
	err = read(bufio.NewReaderSize(f, 1<<16), func(e exported) error {
		switch {
		case len(e.Vector) == 0:
			return fmt.Errorf("picture %d has no vector", len(g.Entries))
		case d == 0:
			d = len(e.Vector)
		case d != len(e.Vector):
			return fmt.Errorf("picture %d has %d values, those before have %d", len(g.Entries), len(e.Vector), d)
		}
		file := File{Size: e.Size}
		if e.Modified != "" {
			if file.Modified, err = time.Parse(time.RFC3339Nano, e.Modified); err != nil {
				return fmt.Errorf("picture %d: %w", len(g.Entries), err)
			}
		}
		if sum, err := hex.DecodeString(e.SHA256); err != nil || len(sum) != len(file.SHA256) && len(sum) != 0 {
			return fmt.Errorf("picture %d: %q is no SHA-256", len(g.Entries), e.SHA256)
		} else {
			copy(file.SHA256[:], sum)
		}
		values = append(values, e.Vector...)
		g.Entries, g.Files = append(g.Entries, e.Entry), append(g.Files, file)
		return nil
	})
	if err == nil {
		g.Vectors = tensor.From(values, len(g.Entries), d)
	}
	return g, err
}

func readJSONLines(r io.Reader, add func(exported) error) error {
	dec := json.NewDecoder(r)
	for n := 0; ; n++ {
		var e exported
		err := dec.Decode(&e)
		wrong, isWrong := errors.AsType[*json.UnmarshalTypeError](err) // which speaks of Go's types
		switch {
		case err == io.EOF:
			return nil
		case err == io.ErrUnexpectedEOF:
			return fmt.Errorf("object %d: the file is cut short", n)
		case isWrong && wrong.Field == "":
			return fmt.Errorf("object %d: it is no object but of the type %s", n, wrong.Value)
		case isWrong:
			return fmt.Errorf("object %d: %q does not take the %s", n, wrong.Field, wrong.Value)
		case err != nil:
			return fmt.Errorf("object %d: %w", n, err)
		}
		if err := add(e); err != nil {
			return err
		}
	}
}

// byteOrderMark is what spreadsheets begin UTF-8 with.
const byteOrderMark = "\ufeff"

// nameColumns sets the names of columns that are no values, which must be among
// pictureColumns.
func nameColumns(names, header []string) error {
	last := -1 // value
	for i, name := range header {
		digits, isValue := strings.CutPrefix(name, "v")
		number, err := strconv.Atoi(digits)
		switch {
		case name == "":
			return fmt.Errorf("column %d has no name; a column of row numbers, as pandas writes it, must be left out (index=False)", i+1)
		case slices.Contains(pictureColumns, name):
			names[i] = name
		case !isValue || err != nil:
			return fmt.Errorf("column %q is neither of a picture (%s) nor a value (v0, v1, …)", name, strings.Join(pictureColumns, ", "))
		case number <= last:
			return fmt.Errorf("column %q comes after \"v%d\"; values must be in order, each once", name, last)
		default:
			last = number
		}
	}
	return nil
}

func readCSV(r io.Reader, add func(exported) error) error {
	in := csv.NewReader(r)
	in.ReuseRecord = true
	var names []string // of the columns; "" for a value
	for n := 1; ; n++ {
		line, err := in.Read()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if n == 1 {
			line[0] = strings.TrimPrefix(line[0], byteOrderMark)
			header := false
			for _, name := range line {
				if _, err := strconv.ParseFloat(name, 32); err != nil {
					header = true
				}
			}
			names = make([]string, len(line))
			if header {
				if err := nameColumns(names, line); err != nil {
					return err
				}
				continue
			}
		}
		var e exported
		for i, text := range line {
			number := 0.0
			switch names[i] {
			case "":
				number, err = strconv.ParseFloat(text, 32)
				e.Vector = append(e.Vector, float32(number))
			case "path":
				e.Path = strings.Clone(text)
			case "label":
				e.Label = strings.Clone(text)
			case "width":
				e.Width, err = strconv.Atoi(text)
			case "height":
				e.Height, err = strconv.Atoi(text)
			case "size":
				e.Size, err = strconv.ParseInt(text, 10, 64)
			case "modified":
				e.Modified = text
			case "sha256":
				e.SHA256 = text
			}
			if err != nil {
				line, _ := in.FieldPos(i)
				return fmt.Errorf("line %d, column %d: %q is no number that fits", line, i+1, text)
			}
		}
		if err := add(e); err != nil {
			return err
		}
	}
}
