package published

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"
)

// Checksum tells what a file must hold.
type Checksum struct {
	Method string // "md5" or "sha256"
	Hex    string // in small letters
}

func (c Checksum) String() string { return c.Method + ":" + c.Hex }

// ParseChecksum reads "md5:…" or "sha256:…" with hexadecimal digits; without
// the method, the number of digits tells it.
func ParseChecksum(s string) (Checksum, error) {
	method, digits, named := strings.Cut(strings.ToLower(s), ":")
	if !named {
		method, digits = "md5", method
		if len(digits) == 2*sha256.Size {
			method = "sha256"
		}
	}
	c := Checksum{method, digits}
	raw, err := hex.DecodeString(digits)
	if h := c.hash(); h == nil || err != nil || len(raw) != h.Size() {
		return Checksum{}, fmt.Errorf("%q is no checksum: give md5:… with 32 or sha256:… with 64 hexadecimal digits", s)
	}
	return c, nil
}

// hash is nil for a method that is not known.
func (c Checksum) hash() hash.Hash {
	switch c.Method {
	case "md5":
		return md5.New()
	case "sha256":
		return sha256.New()
	}
	return nil
}

// Of returns the checksum, by the same method, of the file at path.
func (c Checksum) Of(ctx context.Context, path string) (Checksum, error) {
	f, err := os.Open(path)
	if err != nil {
		return Checksum{}, err
	}
	defer f.Close()
	return c.of(ctx, f)
}

func (c Checksum) of(ctx context.Context, r io.Reader) (Checksum, error) {
	h := c.hash()
	if h == nil {
		return Checksum{}, fmt.Errorf("there is no method %q of checksums, only md5 and sha256", c.Method)
	}
	buffer := make([]byte, 1<<20)
	for {
		if err := ctx.Err(); err != nil {
			return Checksum{}, err
		}
		n, err := r.Read(buffer)
		h.Write(buffer[:n])
		if err == io.EOF {
			return Checksum{c.Method, hex.EncodeToString(h.Sum(nil))}, nil
		}
		if err != nil {
			return Checksum{}, err
		}
	}
}
