package weights

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"

	"lookalike/tensor"
)

// The safetensors format: the header's length as 8 bytes, little-endian; the
// header, a JSON object padded with spaces; the values, little-endian,
// row-major. The header has for each name {"dtype", "shape", "data_offsets":
// [begin, end)} with offsets from the end of the header, and under
// "__metadata__" an object of strings. The arrays cover the data without gap or
// overlap.

const (
	maxHeader   = 100_000_000 // the reference implementation's limit
	metadataKey = "__metadata__"
)

// looksLikeSafetensors says whether a file that starts so is safetensors, whole
// or not: after a plausible length comes the brace that the format demands.
func looksLikeSafetensors(start []byte) bool {
	return len(start) > 8 && start[8] == '{' && binary.LittleEndian.Uint64(start) < 1<<40
}

// record is one array's entry in the header.
type record struct {
	name       string
	dtype      string
	shape      []int
	begin, end int64
}

func readSafetensors(in *input) (*File, error) {
	start, err := in.bytes(0, 8)
	if err != nil {
		return nil, fmt.Errorf("safetensors: length of the header: %w", err)
	}
	n := binary.LittleEndian.Uint64(start)
	if n > maxHeader {
		return nil, fmt.Errorf("safetensors: header of %d bytes, the limit is %d", n, maxHeader)
	}
	text, err := in.bytes(8, int64(n))
	if err != nil {
		return nil, fmt.Errorf("safetensors: header: %w", err)
	}
	records, metadata, err := parseHeader(text)
	if err != nil {
		return nil, fmt.Errorf("safetensors: header: %w", err)
	}
	dataStart := 8 + int64(n)
	if err := checkLayout(records, in.size-dataStart); err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	file := &File{format: "safetensors", metadata: metadata, arrays: make(map[string]array, len(records))}
	for _, rec := range records {
		values, err := in.section(dataStart+rec.begin, rec.end-rec.begin)
		if err != nil {
			return nil, fmt.Errorf("safetensors: array %q: %w", rec.name, err)
		}
		if file.arrays[rec.name], err = values.array(rec.shape, dtypes[rec.dtype]); err != nil {
			return nil, fmt.Errorf("safetensors: array %q: %w", rec.name, err)
		}
	}
	return file, nil
}

// parseHeader reads the header token by token: encoding/json alone would take
// repeated names, null and other spellings of the keys.
func parseHeader(text []byte) (records []record, metadata map[string]string, err error) {
	if !utf8.Valid(text) {
		return nil, nil, errors.New("not UTF-8")
	}
	if err := json.Unmarshal(text, &struct{}{}); err != nil { // from here on the tokens are in order
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return nil, nil, fmt.Errorf("byte %d: %w", 8+syntax.Offset, err)
		}
		return nil, nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	err = readObject(dec, func(name string) error {
		if name == metadataKey {
			metadata = map[string]string{}
			return readObject(dec, func(key string) (err error) {
				metadata[key], err = readString(dec)
				return err
			})
		}
		rec := record{name: name, begin: -1}
		var hasShape bool
		err := readObject(dec, func(key string) (err error) {
			switch key {
			case "dtype":
				rec.dtype, err = readString(dec)
			case "shape":
				hasShape = true
				var dims []int64
				dims, err = readInts(dec, maxRank)
				for _, d := range dims {
					if int64(int(d)) != d {
						return fmt.Errorf("dimension %d is too large", d)
					}
					rec.shape = append(rec.shape, int(d))
				}
			case "data_offsets":
				var offsets []int64
				offsets, err = readInts(dec, 2)
				if err == nil && len(offsets) != 2 {
					err = fmt.Errorf("%d numbers, want 2", len(offsets))
				}
				if err == nil {
					rec.begin, rec.end = offsets[0], offsets[1]
				}
			default:
				err = errors.New("unknown key")
			}
			return err
		})
		if err == nil && (rec.dtype == "" || !hasShape || rec.begin < 0) {
			err = errors.New("dtype, shape or data_offsets is missing")
		}
		records = append(records, rec)
		return err
	})
	return records, metadata, err
}

// readObject reads a JSON object and calls value for each key, which must read
// that key's value from dec. No key may come twice.
func readObject(dec *json.Decoder, value func(key string) error) error {
	if err := readDelim(dec, '{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for dec.More() {
		key, err := readString(dec)
		if err != nil {
			return err
		}
		if seen[key] {
			return fmt.Errorf("byte %d: %q comes twice", 8+dec.InputOffset(), key)
		}
		seen[key] = true
		if err := value(key); err != nil {
			return fmt.Errorf("%q: %w", key, err)
		}
	}
	return readDelim(dec, '}')
}

func readDelim(dec *json.Decoder, want json.Delim) error {
	t, err := dec.Token()
	if err == nil && t != want {
		err = fmt.Errorf("byte %d: %v where %v belongs", 8+dec.InputOffset(), t, want)
	}
	return err
}

func readString(dec *json.Decoder) (string, error) {
	t, err := dec.Token()
	s, ok := t.(string)
	if err == nil && !ok {
		err = fmt.Errorf("byte %d: %v where a string belongs", 8+dec.InputOffset(), t)
	}
	return s, err
}

// readInts reads a JSON array of at most limit integers, none negative.
func readInts(dec *json.Decoder, limit int) ([]int64, error) {
	if err := readDelim(dec, '['); err != nil {
		return nil, err
	}
	var list []int64
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, err
		}
		number, _ := t.(json.Number)
		v, err := strconv.ParseInt(string(number), 10, 64)
		if err != nil || v < 0 {
			return nil, fmt.Errorf("byte %d: %v where an integer from 0 to 2^63-1 belongs", 8+dec.InputOffset(), t)
		}
		if len(list) == limit {
			return nil, fmt.Errorf("more than %d numbers", limit)
		}
		list = append(list, v)
	}
	return list, readDelim(dec, ']')
}

// checkLayout checks that every array's shape and type give its length in
// bytes, and that the arrays cover the data from 0 to size once. It sorts the
// records by place.
func checkLayout(records []record, size int64) error {
	for _, rec := range records {
		dtype, ok := dtypes[rec.dtype]
		if !ok {
			return fmt.Errorf("array %q: unknown dtype %q", rec.name, rec.dtype)
		}
		if rec.begin > rec.end || rec.end > size {
			return fmt.Errorf("array %q: bytes %d to %d of %d bytes of data: the file is cut short or damaged", rec.name, rec.begin, rec.end, size)
		}
		if err := checkSize(rec.shape, dtype, rec.end-rec.begin); err != nil {
			return fmt.Errorf("array %q: %w", rec.name, err)
		}
	}
	slices.SortFunc(records, func(a, b record) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	place := int64(0)
	for _, rec := range records {
		if rec.begin != place {
			return fmt.Errorf("array %q starts at byte %d of the data where %d is due: arrays overlap or leave a gap", rec.name, rec.begin, place)
		}
		place = rec.end
	}
	if place != size {
		return fmt.Errorf("%d bytes after the last array", size-place)
	}
	return nil
}

// Save writes arrays as a safetensors file of float32: the same input gives the
// same bytes. The file appears whole or not at all.
//
// The format allows no gaps between arrays. The data start at a multiple of 64
// bytes (a cache line, and the widest vector), and arrays whose size is such a
// multiple come first, so that these lie at multiples as well when the file is
// mapped.
func Save(path string, tensors map[string]*tensor.Tensor, metadata map[string]string, options ...Option) error {
	if err := checkTensors(tensors); err != nil {
		return fmt.Errorf("weights: write %s: %w", path, err)
	}
	how := settle(options)
	t := how.dtype()
	ragged := func(name string) int { return min(1, tensors[name].Len()*t.size%alignment) }
	names := slices.SortedFunc(maps.Keys(tensors), func(a, b string) int {
		return cmp.Or(cmp.Compare(ragged(a), ragged(b)), cmp.Compare(a, b))
	})
	header, err := makeHeader(names, tensors, t, metadata)
	if err != nil {
		return fmt.Errorf("weights: write %s: %w", path, err)
	}
	err = how.write(path, func(w io.Writer) error {
		if _, err := w.Write(header); err != nil {
			return err
		}
		for _, name := range names {
			if err := writeValues(w, tensors[name].Data(), t); err != nil {
				return fmt.Errorf("array %q: %w", name, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	return nil
}

const alignment = 64

// makeHeader returns the header with its length before it, for arrays that
// follow in the order of names. encoding/json writes the keys of a map sorted.
// checkTensors returns an error if one of the tensors to be written is nil.
func checkTensors(tensors map[string]*tensor.Tensor) error {
	for _, name := range slices.Sorted(maps.Keys(tensors)) {
		if tensors[name] == nil {
			return fmt.Errorf("there is no tensor for array %q", name)
		}
	}
	return nil
}

func makeHeader(names []string, tensors map[string]*tensor.Tensor, t dtype, metadata map[string]string) ([]byte, error) {
	type entry struct {
		Dtype   string   `json:"dtype"`
		Shape   []int    `json:"shape"`
		Offsets [2]int64 `json:"data_offsets"`
	}
	object := map[string]any{}
	place := int64(0)
	for _, name := range names {
		if name == metadataKey || !utf8.ValidString(name) {
			return nil, fmt.Errorf("an array cannot have the name %q", name)
		}
		end := place + int64(t.size)*int64(tensors[name].Len())
		object[name] = entry{t.name, append([]int{}, tensors[name].Shape()...), [2]int64{place, end}}
		place = end
	}
	for key, value := range metadata {
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			return nil, fmt.Errorf("metadata %q is not UTF-8", key)
		}
	}
	if len(metadata) > 0 {
		object[metadataKey] = metadata
	}
	text, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	text = append(text, bytes.Repeat([]byte{' '}, -(8+len(text))&(alignment-1))...)
	if len(text) > maxHeader {
		return nil, fmt.Errorf("names, shapes and metadata take %d bytes, the limit is %d", len(text), maxHeader)
	}
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...), nil
}
