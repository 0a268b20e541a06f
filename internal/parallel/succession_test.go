package parallel

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// clock lets a test say how much time passes. It begins long after whatever went before.
func clock(t *testing.T) (pass func(time.Duration)) {
	was := now
	at := was() + time.Hour
	now = func() time.Duration { return at }
	t.Cleanup(func() { now = was; calls = succession{} })
	calls = succession{}
	return func(d time.Duration) { at += d }
}

// Work that is too short to wake a processor for starts a goroutine once calls follow
// each other, and none where they are far apart.
func TestGoroutineForSuccession(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	held, release := holdBack(t)
	pass := clock(t)
	defer func() {
		calls = succession{} // what was held back has nothing to stay for
		release()
	}()
	var loop Loop[int]
	predict := func() int {
		Awake(func() { loop.For(2, waking/2, 0, func(int, int) {}) })
		return *held
	}
	for i := range 10 {
		if n := predict(); n != 0 {
			t.Fatalf("call %d, long after the one before, started %d goroutines", i, n)
		}
		pass(patience)
	}
	for i := range successive {
		if n := predict(); n != 0 {
			t.Fatalf("call %d of a succession started %d goroutines", i, n)
		}
		pass(patience / 2)
	}
	if n := predict(); n != 1 {
		t.Errorf("a succession of calls started %d goroutines, want 1", n)
	}
	if n := predict(); n != 1 {
		t.Errorf("another was started for the next call, %d in all", n)
	}
}

// A succession ends in a bubble too, where no time passes while somebody works.
func TestSuccessionInBubble(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	settle()
	was := now
	t.Cleanup(func() { now = was; calls = succession{} })
	synctest.Test(t, func(t *testing.T) {
		now = func() time.Duration { return time.Since(time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)) }
		calls = succession{}
		var loop Loop[int]
		for range 20 {
			Awake(func() { loop.For(2, waking/2, 0, func(int, int) {}) })
		}
		if !calls.follow() {
			t.Error("no succession")
		}
		settle()
	})
}

// A goroutine that was preempted stays away, longer each time, and no longer than that
// once it has been back undisturbed.
func TestPreemptedStaysAway(t *testing.T) {
	pass := clock(t)
	s := &calls
	for range successive + 1 {
		s.begin()
		s.end()
	}
	away := func() (d time.Duration) {
		s.preempted()
		for !s.follow() {
			pass(time.Millisecond)
			d += time.Millisecond
			s.end()
			if d > time.Minute {
				t.Fatal("it never comes back")
			}
		}
		return d
	}
	if !s.follow() {
		t.Fatal("no succession")
	}
	first := away()
	if first < leastAway || first > 2*leastAway {
		t.Errorf("at first it stays away for %v, want about %v", first, leastAway)
	}
	last := first
	for range 3 {
		d := away()
		if d < 2*last {
			t.Errorf("it stays away for %v after %v, want longer", d, last)
		}
		last = d
	}
	for range 5 {
		last = away()
	}
	if last > 2*mostAway {
		t.Errorf("it stays away for %v, want %v at most", last, mostAway)
	}
	for range 2 * longUndisturbed / time.Millisecond {
		pass(time.Millisecond)
		s.end()
	}
	if d := away(); d != first {
		t.Errorf("after long without being preempted it stays away for %v, want %v", d, first)
	}
}
