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
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"lookalike/internal/atomicfile"
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
	maxRank     = 32
	metadataKey = "__metadata__"
	chunkBytes  = 64 << 10 // values are converted through a buffer of this size
)

// dtypes gives each element type's size and, for those that can be read, the
// conversion.
var dtypes = map[string]struct {
	size    int
	convert func(dst []float32, src []byte) error
}{
	"F32": {4, convertF32}, "F64": {8, convertF64}, "F16": {2, convertF16}, "BF16": {2, convertBF16},
	"BOOL": {size: 1}, "U8": {size: 1}, "I8": {size: 1}, "F8_E4M3": {size: 1}, "F8_E5M2": {size: 1},
	"I16": {size: 2}, "U16": {size: 2}, "I32": {size: 4}, "U32": {size: 4}, "I64": {size: 8}, "U64": {size: 8},
}

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

func readSafetensors(r io.ReaderAt, size int64) (*File, error) {
	var length [8]byte
	if _, err := r.ReadAt(length[:], 0); err != nil {
		return nil, fmt.Errorf("safetensors: length of the header: %w", err)
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > maxHeader {
		return nil, fmt.Errorf("safetensors: header of %d bytes, the limit is %d", n, maxHeader)
	}
	if int64(n) > size-8 {
		return nil, fmt.Errorf("safetensors: header of %d bytes in a file of %d: the file is cut short or damaged", n, size)
	}
	text := make([]byte, n)
	if _, err := r.ReadAt(text, 8); err != nil && !(err == io.EOF && size == 8+int64(n)) {
		return nil, fmt.Errorf("safetensors: header: %w", err)
	}
	records, metadata, err := parseHeader(text)
	if err != nil {
		return nil, fmt.Errorf("safetensors: header: %w", err)
	}
	dataStart := 8 + int64(n)
	if err := checkLayout(records, size-dataStart); err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	file := &File{metadata: metadata, arrays: make(map[string]array, len(records))}
	for _, rec := range records {
		file.arrays[rec.name] = array{rec.shape, func(dst []float32) error {
			return readValues(dst, io.NewSectionReader(r, dataStart+rec.begin, rec.end-rec.begin), rec.dtype)
		}}
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
		count := int64(1)
		for _, d := range rec.shape {
			if d != 0 && count > math.MaxInt/8/int64(d) {
				return fmt.Errorf("array %q: shape %v is too large", rec.name, rec.shape)
			}
			count *= int64(d)
		}
		if want := count * int64(dtype.size); rec.end-rec.begin != want {
			return fmt.Errorf("array %q: %s%v takes %d bytes, the file has %d", rec.name, rec.dtype, rec.shape, want, rec.end-rec.begin)
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

// readValues fills dst from r, a chunk at a time.
func readValues(dst []float32, r io.Reader, dtype string) error {
	t := dtypes[dtype]
	if t.convert == nil {
		return fmt.Errorf("values of type %s cannot be read as float32", dtype)
	}
	buf := make([]byte, min(chunkBytes, len(dst)*t.size))
	for len(dst) > 0 {
		n := min(len(dst), len(buf)/t.size)
		if _, err := io.ReadFull(r, buf[:n*t.size]); err != nil {
			return err
		}
		if err := t.convert(dst[:n], buf); err != nil {
			return err
		}
		dst = dst[n:]
	}
	return nil
}

func convertF32(dst []float32, src []byte) error {
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
	}
	return nil
}

// convertF64 rounds to nearest; a finite value outside float32's range is an error.
func convertF64(dst []float32, src []byte) error {
	for i := range dst {
		v := math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:]))
		dst[i] = float32(v)
		if math.IsInf(float64(dst[i]), 0) && !math.IsInf(v, 0) {
			return fmt.Errorf("value %g does not fit float32", v)
		}
	}
	return nil
}

func convertBF16(dst []float32, src []byte) error {
	for i := range dst {
		dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
	}
	return nil
}

func convertF16(dst []float32, src []byte) error {
	for i := range dst {
		dst[i] = fromHalf(binary.LittleEndian.Uint16(src[2*i:]))
	}
	return nil
}

// fromHalf converts an IEEE 754 binary16 value, exactly.
func fromHalf(h uint16) float32 {
	sign, exponent, fraction := uint32(h>>15)<<31, uint32(h>>10&31), uint32(h&1023)
	switch exponent {
	case 0: // zero or subnormal: fraction * 2^-24
		return math.Float32frombits(math.Float32bits(float32(fraction)*0x1p-24) | sign)
	case 31: // infinity or NaN
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// Save writes arrays as a safetensors file of float32, in the order of their
// names: the same input gives the same bytes. The data start at a multiple of 8
// bytes. The file appears whole or not at all.
func Save(path string, tensors map[string]*tensor.Tensor, metadata map[string]string) error {
	header, err := makeHeader(tensors, metadata)
	if err != nil {
		return fmt.Errorf("weights: write %s: %w", path, err)
	}
	err = atomicfile.Write(path, func(w io.Writer) error {
		if _, err := w.Write(header); err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(tensors)) {
			if err := writeValues(w, tensors[name].Data()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	return nil
}

// makeHeader returns the header with its length before it. encoding/json writes
// the keys of a map in sorted order.
func makeHeader(tensors map[string]*tensor.Tensor, metadata map[string]string) ([]byte, error) {
	type entry struct {
		Dtype   string   `json:"dtype"`
		Shape   []int    `json:"shape"`
		Offsets [2]int64 `json:"data_offsets"`
	}
	object := map[string]any{}
	place := int64(0)
	for _, name := range slices.Sorted(maps.Keys(tensors)) {
		if name == metadataKey || !utf8.ValidString(name) {
			return nil, fmt.Errorf("an array cannot have the name %q", name)
		}
		t := tensors[name]
		end := place + 4*int64(t.Len())
		object[name] = entry{"F32", append([]int{}, t.Shape()...), [2]int64{place, end}}
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
	text = append(text, bytes.Repeat([]byte{' '}, -len(text)&7)...)
	if len(text) > maxHeader {
		return nil, fmt.Errorf("names, shapes and metadata take %d bytes, the limit is %d", len(text), maxHeader)
	}
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...), nil
}

// writeValues writes values little-endian, a chunk at a time.
func writeValues(w io.Writer, values []float32) error {
	buf := make([]byte, 0, min(chunkBytes, 4*len(values)))
	for chunk := range slices.Chunk(values, chunkBytes/4) {
		buf = buf[:0]
		for _, v := range chunk {
			buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
		}
		if _, err := w.Write(buf); err != nil {
			return err
		}
	}
	return nil
}
