package picture

import (
	"bytes"
	"errors"
	"io"

	"lookalike/internal/words"
)

// Read reads a file from its beginning and calls use with its bytes, which use must not
// keep. Of a file that Decode refuses it reads no more than necessary: the beginning of
// one that is not a picture, such as a video, and o.MaxBytes and one more of a larger one. The bytes of all files in use are bounded; who has to, waits. size is what is
// said of the file's, which need not be true. The error is that of use, or of reading
// without the path.
func Read(r io.Reader, size int64, o Options, use func(data []byte) error) error {
	switch {
	case use == nil:
		panic("picture.Read: use is nil")
	case r == nil:
		return errors.New("picture.Read: the reader is nil")
	}
	o = o.WithDefaults()
	var beginning [longestMagic]byte
	n, err := io.ReadFull(r, beginning[:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return words.Cause(err)
	}
	if _, err := formatOf(beginning[:n]); err != nil {
		return use(beginning[:n])
	}
	size = min(max(size, 0), o.MaxBytes+1) // saves copying if it is true
	reading.take(size)
	defer reading.give(size)
	data := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead))
	data.Write(beginning[:n])
	if _, err = data.ReadFrom(io.LimitReader(r, o.MaxBytes+1-int64(n))); err != nil {
		return words.Cause(err)
	}
	return use(data.Bytes())
}
