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

// Where large pieces are taken one after the other, those before are collected in time.
func TestRoom(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	Keep(120e6) // of which the runtime has 90
	const piece = 20e6
	var last []byte
	for range 100 {
		Room(piece)
		last = make([]byte, piece)
		if now := heap(); now > 90e6 {
			t.Fatalf("%d bytes are on the heap with one piece of %d in use", now, len(last))
		}
	}
}

// The runtime gets what the program leaves; who sets the runtime's limit afterwards is heard.
func TestKeep(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	defer Outside(-60e6)
	for limit, want := range map[int64][2]int64{300e6: {252e6, 198e6}, 32e6: {10.8e6, 8e6}, 220e6: {180e6, 126e6}} {
		Keep(limit)
		if got := debug.SetMemoryLimit(-1); got != want[0] {
			t.Errorf("of %d bytes the runtime has %d, want %d", limit, got, want[0])
		}
		Outside(60e6)
		if got := debug.SetMemoryLimit(-1); got != want[1] || Limit() != limit || Left() != max(0, limit-60e6) {
			t.Errorf("of %d bytes the runtime has %d, with 60 MB outside, want %d; the limit is told as %d", limit, got, want[1], Limit())
		}
		Outside(-60e6)
	}
	Outside(60e6)
	debug.SetMemoryLimit(500e6)
	Outside(0)
	if Limit() != 500e6 {
		t.Errorf("the limit is told as %d", Limit())
	}
}

// What is reserved is taken out of what Share divides and Allows leaves, until it is released.
func TestReserve(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	Keep(300e6)
	release, err := Reserve(180e6)
	if err != nil || Left() != 120e6 || Share(1e9, 4) != 30e6 || Limit() != 300e6 {
		t.Errorf("with 180 of 300 MB reserved: %v; left are %d, a fourth is %d, the limit %d", err, Left(), Share(1e9, 4), Limit())
	}
	const want = "101 MB must be in memory at once, more than the memory limit of 300 MB leaves; give 313 MB or more"
	if _, err := Reserve(101e6); err == nil || err.Error() != want {
		t.Errorf("another 101 MB: %v, want %s", err, want)
	}
	release()
	release()
	if err := Allows(280e6); err != nil || Left() != 300e6 {
		t.Errorf("after the release %d are left, 280 MB: %v", Left(), err)
	}
	debug.SetMemoryLimit(200e6)
	if release, err = Reserve(400e6); err != nil || Left() != 200e6 {
		t.Errorf("beyond the runtime's own limit: %v, %d left", err, Left())
	} else {
		release()
	}
}
