package memory

import (
	"runtime/debug"
	"testing"
)

func TestShare(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	debug.SetMemoryLimit(1000 << 20)
	if got := Share(512<<20, 4); got != 250<<20 {
		t.Errorf("a quarter of 1000 MiB is %d bytes", got)
	}
	if got := Share(100<<20, 4); got != 100<<20 {
		t.Errorf("a cache of 100 MiB gets %d bytes", got)
	}
	if now := debug.SetMemoryLimit(-1); now != 1000<<20 {
		t.Errorf("the limit was changed to %d", now)
	}
}
