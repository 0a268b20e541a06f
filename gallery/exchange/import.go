package exchange

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"lookalike/gallery"
	"lookalike/internal/memory"
	"lookalike/internal/regular"
	"lookalike/picture/album"
	"lookalike/tensor"
	"lookalike/weights"
)

// Import reads vectors from a file that [Export] or another program has
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
// others have the model [gallery.Imported]. Entries are in the order of the file.
func Import(file string) (*gallery.Gallery, error) {
	var g *gallery.Gallery
	var err error
	switch strings.ToLower(filepath.Ext(file)) {
	case ".npz", ".npy", ".safetensors":
		g, err = importArrays(file)
	case ".csv":
		g, err = importLines(file, readCSV)
	case ".jsonl":
		g, err = importLines(file, readJSONLines)
	default:
		err = fmt.Errorf("the name must end in one of %s", strings.Join(Formats, ", "))
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
	if g.Recipe == (gallery.Recipe{}) {
		from, err := filepath.Abs(file)
		if err != nil {
			return nil, fmt.Errorf("gallery: %w", err)
		}
		sum, err := weights.Fingerprint(file)
		if err != nil {
			return nil, fmt.Errorf("gallery: %w", err)
		}
		g.Recipe = gallery.Recipe{Model: gallery.Imported, WeightsFingerprint: sum, WeightsFile: from, Preprocessing: "unknown", EXIF: "unknown"}
	}
	return g, nil
}

func importArrays(file string) (*gallery.Gallery, error) {
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
	if err := gallery.CheckMemory(shape[0], shape[1]); err != nil {
		return nil, err
	}
	g := &gallery.Gallery{}
	if g.Vectors, err = f.Tensor(name); err != nil {
		return nil, err
	}
	g.Entries = make([]gallery.Entry, shape[0])
	for list, set := range map[string]func(e *gallery.Entry, text string){
		"paths":  func(e *gallery.Entry, text string) { e.Path = text },
		"labels": func(e *gallery.Entry, text string) { e.Label = text },
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
	return g, importMetadata(g, f.Metadata())
}

// importMetadata takes over what Export has written of an index.
func importMetadata(g *gallery.Gallery, metadata map[string]string) error {
	if text, ok := metadata["entries"]; ok {
		var entries []gallery.Entry
		if err := json.Unmarshal([]byte(text), &entries); err != nil || len(entries) != len(g.Entries) {
			return fmt.Errorf("its metadata are of %d pictures, the vectors of %d (%v)", len(entries), len(g.Entries), err)
		}
		g.Entries = entries
	}
	if text, ok := metadata["recipe"]; ok {
		var r gallery.Recipe
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			return fmt.Errorf("the recipe in its metadata: %w", err)
		}
		if r.PCA == "" { // else the components are not here
			g.Recipe = r
		}
	}
	return nil
}

// byteOrderMark is what spreadsheets and editors of Windows begin UTF-8 with.
const byteOrderMark = "\ufeff"

// importLines reads a file picture by picture.
func importLines(file string, read func(*bufio.Reader, *rowsRead) error) (*gallery.Gallery, error) {
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
	if mark, _ := in.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
		in.Discard(len(byteOrderMark))
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
	g        gallery.Gallery
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
	if err := gallery.CheckMemory(n+more, r.width); err != nil {
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
	file := gallery.File{Size: e.Size}
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
