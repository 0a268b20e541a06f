package gallery

import (
	"bufio"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"lookalike/internal/memory"
	"lookalike/internal/regular"
	"lookalike/picture/album"
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
			e.Label = album.LabelOf(e.Path)
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
		g.Recipe = Recipe{Model: Imported, WeightsFingerprint: sum, WeightsFile: from, Preprocessing: "unknown", EXIF: "unknown"}
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
	if err := memory.Allows(takes(shape[0], shape[1])); err != nil {
		return nil, err
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
func importLines(file string, read func(*bufio.Reader, *rowsRead) error) (*Gallery, error) {
	f, err := regular.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	rows := &rowsRead{size: info.Size()}
	in := bufio.NewReaderSize(f, 1<<16)
	rows.position = func() int64 {
		at, _ := f.Seek(0, io.SeekCurrent)
		return at - int64(in.Buffered())
	}
	if err := read(in, rows); err != nil {
		return nil, err
	}
	g := &rows.g
	g.Vectors = tensor.From(rows.values, len(g.Entries), rows.width)
	return g, nil
}

// rowsRead is what has been read of a file. Values go to their place one by one, for a
// vector may be as long as the file.
type rowsRead struct {
	g        Gallery
	width    int // of a vector; 0 before the first is whole
	values   []float32
	size     int64        // of the file
	start    int64        // where its pictures begin
	position func() int64 // how much of it has been read
	full     error        // there is no memory for more values
}

// add takes in a value of the picture that is being read.
func (r *rowsRead) add(v float32) error {
	if len(r.values) == cap(r.values) {
		if err := r.makeRoom(); err != nil {
			return err
		}
	}
	r.values = append(r.values, v)
	return nil
}

// makeRoom makes room for the values that the rest of the file will hold, going by what
// was read, if that is enough to tell: to grow step by step takes twice the memory.
func (r *rowsRead) makeRoom() error {
	const few, enough, somewhatMore = 1 << 10, 1 << 20, 1.02
	n := len(r.values)
	more := max(n, few)
	if read := r.position() - r.start; read >= enough {
		left := max(0, r.size-r.start-read) // the file may grow
		more = few + int(somewhatMore*float64(n)*float64(left)/float64(read))
	}
	if err := memory.Allows(4 * int64(n+n+more)); err != nil { // of which n are copied
		return err
	}
	r.values = slices.Grow(r.values, more)
	return nil
}

// makeRoomForPictures makes room for as many pictures as there is for their vectors.
func (r *rowsRead) makeRoomForPictures() error {
	n := len(r.g.Entries)
	if n < cap(r.g.Entries) {
		return nil
	}
	more := max(1, cap(r.values)/r.width-n)
	if err := memory.Allows(takes(n+more, r.width)); err != nil {
		return err
	}
	r.g.Entries, r.g.Files = slices.Grow(r.g.Entries, more), slices.Grow(r.g.Files, more)
	return nil
}

// restart forgets the values of the picture that is being read.
func (r *rowsRead) restart() { r.values = r.values[:len(r.g.Entries)*r.width] }

// end completes a picture, whose values have been read.
func (r *rowsRead) end(e exported) (err error) {
	at := len(r.g.Entries)
	switch n := len(r.values) - at*r.width; {
	case n == 0:
		return fmt.Errorf("picture %d has no vector", at)
	case r.width == 0:
		r.width = n
	case r.width != n:
		return fmt.Errorf("picture %d has %d values, those before have %d", at, n, r.width)
	}
	file := File{Size: e.Size}
	if e.Modified != "" {
		if file.Modified, err = time.Parse(time.RFC3339Nano, e.Modified); err != nil {
			return fmt.Errorf("picture %d: %w", at, err)
		}
	}
	if sum, err := hex.DecodeString(e.SHA256); err != nil || len(sum) != len(file.SHA256) && len(sum) != 0 {
		return fmt.Errorf("picture %d: %q is no SHA-256", at, e.SHA256)
	} else {
		copy(file.SHA256[:], sum)
	}
	if err := r.makeRoomForPictures(); err != nil {
		return err
	}
	r.g.Entries, r.g.Files = append(r.g.Entries, e.Entry), append(r.g.Files, file)
	return nil
}

func readJSONLines(in *bufio.Reader, rows *rowsRead) error {
	dec := json.NewDecoder(in)
	dec.UseNumber()
	for n := 0; ; n++ {
		first, err := dec.Token()
		if err == io.EOF {
			return nil
		}
		var e exported
		switch {
		case err != nil:
		case first == json.Delim('{'):
			err = readObject(dec, &e, rows)
		case first != nil: // null is an object without anything
			err = fmt.Errorf("it is no object but of the type %s", jsonType(first))
		}
		switch {
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			return fmt.Errorf("object %d: the file is cut short", n)
		case err != nil:
			return fmt.Errorf("object %d: %w", n, err)
		}
		if err := rows.end(e); err != nil {
			return err
		}
	}
}

// readObject reads an object behind its brace.
func readObject(dec *json.Decoder, e *exported, rows *rowsRead) error {
	fields := map[string]any{
		"path": &e.Path, "label": &e.Label, "width": &e.Width, "height": &e.Height,
		"size": &e.Size, "modified": &e.Modified, "sha256": &e.SHA256,
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		name := strings.ToLower(key.(string)) // as encoding/json takes it
		if name == "vector" {
			rows.restart()
			err = readVector(dec, rows)
		} else if to := fields[name]; to != nil {
			err = dec.Decode(to)
		} else {
			err = skipValue(dec)
		}
		if wrong, is := errors.AsType[*json.UnmarshalTypeError](err); is { // which speaks of Go's types
			return fmt.Errorf("%q does not take the %s", name, wrong.Value)
		} else if err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return err
}

// readVector reads the numbers of an array. JSON's null, by which other programs write
// NaN, is no 0.
func readVector(dec *json.Decoder, rows *rowsRead) error {
	token, err := dec.Token()
	if err != nil {
		return err
	} else if token != json.Delim('[') && token != nil {
		return fmt.Errorf("\"vector\" does not take the %s", jsonType(token))
	}
	for token != nil {
		if token, err = dec.Token(); err != nil {
			return err
		} else if token == json.Delim(']') {
			return nil
		} else if token == nil {
			break
		}
		text, isNumber := token.(json.Number)
		if !isNumber {
			return fmt.Errorf("\"vector\" does not take the %s", jsonType(token))
		}
		number, err := strconv.ParseFloat(string(text), 32)
		if err != nil {
			return fmt.Errorf("\"vector\" does not take the number %s", text)
		}
		if err := rows.add(float32(number)); err != nil {
			return err
		}
	}
	return errors.New("a value of a vector is null")
}

// skipValue passes over a value of whatever length.
func skipValue(dec *json.Decoder) error {
	for depth := 0; ; {
		token, err := dec.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

// jsonType names what a value is that begins with a token.
func jsonType(token json.Token) string {
	switch token.(type) {
	case bool:
		return "bool"
	case string:
		return "string"
	case json.Number:
		return "number"
	}
	if token == json.Delim('[') {
		return "array"
	}
	return "object"
}

// byteOrderMark is what spreadsheets begin UTF-8 with.
const byteOrderMark = "\ufeff"

// columns are what the columns of a CSV file hold: a value, or one of pictureColumns by
// its number and one. A byte each, for there may be millions.
type columns struct {
	kinds []uint8
	last  int // value that has a name, and one
}

// name adds a column that has a name.
func (c *columns) name(name string) error {
	digits, isValue := strings.CutPrefix(name, "v")
	number, err := strconv.Atoi(digits)
	kind := slices.Index(pictureColumns, name) + 1
	switch {
	case name == "":
		return fmt.Errorf("column %d has no name; a column of row numbers, as pandas writes it, must be left out (index=False)", len(c.kinds)+1)
	case kind > 0:
	case !isValue || err != nil:
		return fmt.Errorf("column %q is neither of a picture (%s) nor a value (v0, v1, …)", name, strings.Join(pictureColumns, ", "))
	case number < c.last:
		return fmt.Errorf("column %q comes after \"v%d\"; values must be in order, each once", name, c.last-1)
	default:
		c.last = number + 1
	}
	c.kinds = append(c.kinds, uint8(kind))
	return nil
}

func readCSV(r *bufio.Reader, rows *rowsRead) error {
	if mark, _ := r.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
		r.Discard(len(byteOrderMark))
	}
	var c columns
	in := newCSVFields(r)
	header, begun := false, ""
	for n := 1; ; {
		var e exported
		i := 0
		for ; i == 0 || !in.last; i++ {
			field, _, err := in.next()
			if err == io.EOF && i == 0 {
				return nil
			} else if err != nil {
				return err
			}
			switch {
			case n == 1 && i == 0:
				begun = string(field)
				_, err := strconv.ParseFloat(begun, 32)
				header = err != nil
			case n > 1 && i >= len(c.kinds):
				return in.wrongCount()
			}
			if header && n == 1 {
				if err := c.name(string(field)); err != nil {
					return err
				}
				continue
			}
			if n == 1 {
				c.kinds = append(c.kinds, 0)
			}
			err = rows.take(&e, c.kinds[i], string(field))
			if rows.full != nil {
				return rows.full
			} else if err != nil && n == 1 {
				return (&columns{}).name(begun) // a line of names, and a number is none
			} else if err != nil {
				return fmt.Errorf("line %d, column %d: %q is no number that fits", in.fieldLine, i+1, field)
			}
		}
		if i != len(c.kinds) {
			return in.wrongCount()
		}
		if n++; n == 2 && header {
			rows.start = rows.position()
			continue
		}
		if err := rows.end(e); err != nil {
			return err
		}
	}
}

// take takes in a field of a column.
func (r *rowsRead) take(e *exported, kind uint8, text string) (err error) {
	if kind == 0 {
		number, err := strconv.ParseFloat(text, 32)
		r.full = cmp.Or(r.full, r.add(float32(number)))
		return err
	}
	switch pictureColumns[kind-1] {
	case "path":
		e.Path = text
	case "label":
		e.Label = text
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
	return err
}
