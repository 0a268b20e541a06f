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

// The system has marked large memory, first page to last, and none once it is to be
// avoided.
func TestAdvice(t *testing.T) {
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Skip(err)
	}
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage"); err != nil || !strings.Contains(string(maps), "VmFlags") {
		t.Skip("a system without huge pages")
	}
	for name, s := range map[string][]float32{"Floats": Floats(3 * size / 4), "Make": Make[float32](3 * size / 4)} {
		if !marked(t, &s[0]) || !marked(t, &s[len(s)-1]) {
			t.Errorf("%s: huge pages were not asked for", name)
		}
	}
	Avoid()
	defer avoided.Store(false)
	if s := Floats(64 << 20); marked(t, &s[len(s)-1]) { // more than all before, so the end is new
		t.Error("huge pages were asked for that were to be avoided")
	}
}

// marked reports whether huge pages have been asked for at an address.
func marked(t *testing.T, at *float32) bool {
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	inside := false
	for _, line := range strings.Split(string(maps), "\n") {
		var begin, end uintptr
		if n, _ := fmt.Sscanf(line, "%x-%x ", &begin, &end); n == 2 {
			inside = begin <= uintptr(unsafe.Pointer(at)) && uintptr(unsafe.Pointer(at)) < end
		}
		if flags, ok := strings.CutPrefix(line, "VmFlags:"); ok && inside {
			return slices.Contains(strings.Fields(flags), "hg")
		}
	}
	t.Fatalf("the system does not know of memory at %p", at)
	return false
}
