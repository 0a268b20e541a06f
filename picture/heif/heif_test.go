//go:build !noheif && !js && !wasip1

package heif

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
)

// The code of the decoders is what was tried, and the changes to it are found.
func TestCode(t *testing.T) {
	for name, c := range map[string]struct {
		code []byte
		sum  string
		make func() ([]byte, error)
	}{
		"libheif": {heifWasm, "f700a96304b6f7cb796a360e7387b5cc8346c2d720b90cd8df8d6a376686a0a2", libheif},
		"libavif": {avifWasm, "1ee2423413384d54b3fa4e2882424d60a2a05f5fe7ec573535fdb6b531071a9b", libavif},
	} {
		if sum := sha256.Sum256(c.code); hex.EncodeToString(sum[:]) != c.sum {
			t.Errorf("%s is another: %x", name, sum)
		}
		if _, err := c.make(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A decoder gets no more memory than it may have, and says so.
func TestMemory(t *testing.T) {
	for name, d := range map[string]*decoder{"libheif": &hevc, "libavif": &av1} {
		i, err := newInstance(d, 8<<20)
		if err != nil {
			t.Fatal(name, err)
		}
		defer i.Close()
		if _, err := i.take(9 << 20); err == nil || err.Error() != "it would take over 8 MB of memory" {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
