//go:build !noheif && (linux || darwin || freebsd)

package heif

import (
	"github.com/tetratelabs/wazero/experimental"
	"golang.org/x/sys/unix"
)

// linear is memory of a decoder: addresses for the most that it may have, of which the
// system gives pages as they are used. Go's would be copied as it grows, and stay until
// the garbage collector has been there.
type linear []byte

func newMemory(most uint64) experimental.LinearMemory {
	all, err := unix.Mmap(-1, 0, int(most), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return linear(nil)
	}
	return linear(all)
}

// Reallocate implements experimental.LinearMemory.
func (m linear) Reallocate(size uint64) []byte {
	if size > uint64(len(m)) {
		return nil
	}
	return m[:size]
}

// Free implements experimental.LinearMemory.
func (m linear) Free() {
	if m != nil {
		unix.Munmap(m)
	}
}
