//go:build unix

package kerneltest

import (
	"syscall"
	"testing"
	"unsafe"
)

// Edge returns a copy of s that ends where a page without access begins: reading
// or writing past it is a fault. Pages are given back when the test ends.
func Edge[T float32 | uint8](t *testing.T, s []T) []T {
	t.Helper()
	page := syscall.Getpagesize()
	length := len(s) * int(unsafe.Sizeof(*new(T)))
	size := (length + page - 1) / page * page
	m, err := syscall.Mmap(-1, 0, size+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(m) })
	if err := syscall.Mprotect(m[size:], syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	if len(s) == 0 {
		return unsafe.Slice((*T)(unsafe.Pointer(&m[0])), 0)
	}
	e := unsafe.Slice((*T)(unsafe.Pointer(&m[size-length])), len(s))
	copy(e, s)
	return e
}
