package hugepages

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

// Memory that was used before comes back as zeros, whole and of its length.
func TestFloats(t *testing.T) {
	for _, n := range []int{0, 1, 1000, size/4 - 1, size / 4, 5<<20 + 3} {
		for range 3 {
			s := Floats(n)
			if len(s) != n || slices.ContainsFunc(s, func(v float32) bool { return v != 0 }) {
				t.Fatalf("%d values where %d zeros are due", len(s), n)
			}
			for i := range s {
				s[i] = 1
			}
			runtime.GC()
		}
	}
}

// The system has marked large memory, first page to last.
func TestAdvice(t *testing.T) {
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Skip(err)
	}
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage"); err != nil || !strings.Contains(string(maps), "VmFlags") {
		t.Skip("a system without huge pages")
	}
	s := Floats(3 * size / 4)
	if maps, err = os.ReadFile("/proc/self/smaps"); err != nil {
		t.Fatal(err)
	}
	for _, at := range []*float32{&s[0], &s[len(s)-1]} {
		inside := false
		for _, line := range strings.Split(string(maps), "\n") {
			var begin, end uintptr
			if n, _ := fmt.Sscanf(line, "%x-%x ", &begin, &end); n == 2 {
				inside = begin <= uintptr(unsafe.Pointer(at)) && uintptr(unsafe.Pointer(at)) < end
			}
			if flags, ok := strings.CutPrefix(line, "VmFlags:"); ok && inside && !slices.Contains(strings.Fields(flags), "hg") {
				t.Errorf("memory at %p has the flags %s: huge pages were not asked for", at, flags)
			}
		}
	}
}
