//go:build unix

package kerneltest

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Edge returns a copy of s that ends where a page without access begins: reading
// or writing past it is a fault. Pages are given back when the test ends.
func Edge[T float32 | int32 | uint8](t *testing.T, s []T) []T {
	t.Helper()
	page := unix.Getpagesize()
	length := len(s) * int(unsafe.Sizeof(*new(T)))
	size := (length + page - 1) / page * page
	m, err := unix.Mmap(-1, 0, size+page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(m) })
	if err := unix.Mprotect(m[size:], unix.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	if len(s) == 0 {
		return unsafe.Slice((*T)(unsafe.Pointer(&m[0])), 0)
	}
	e := unsafe.Slice((*T)(unsafe.Pointer(&m[size-length])), len(s))
	copy(e, s)
	return e
}
