package gallery

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

// A sum is of all bytes, and a file that fails on the way has none.
func TestSum(t *testing.T) {
	data := bytes.Repeat([]byte("picture"), 10000)
	whole := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	if sum, err := Sum(whole); err != nil || sum != sha256.Sum256(data) {
		t.Errorf("%x, %v", sum, err)
	}
	failed := errors.New("failed")
	torn := func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(bytes.NewReader(data), iotest.ErrReader(failed))), nil
	}
	if sum, err := Sum(torn); err != failed || sum != [32]byte{} {
		t.Errorf("%x, %v", sum, err)
	}
	if _, err := Sum(func() (io.ReadCloser, error) { return nil, failed }); err != failed {
		t.Error(err)
	}
}
