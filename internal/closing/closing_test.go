package closing

import (
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"
	"testing"
)

// Close waits for calls in flight, releases once, and lets none in afterwards.
func TestGuard(t *testing.T) {
	for range 10 {
		var g Guard
		var open atomic.Bool
		var released atomic.Int32
		open.Store(true)
		var all, begun sync.WaitGroup
		for range 8 {
			begun.Add(1)
			all.Go(func() {
				for first := true; g.Enter(); first = false {
					if first {
						begun.Done()
					}
					if !open.Load() {
						t.Error("released while a call is in flight")
					}
					g.Leave()
				}
			})
		}
		begun.Wait()
		for range 3 {
			all.Go(func() {
				if err := g.Close(func() error { open.Store(false); released.Add(1); return nil }); err != nil {
					t.Error(err)
				}
				if open.Load() {
					t.Error("Close returns before the release")
				}
			})
		}
		all.Wait()
		if n := released.Load(); n != 1 || g.Enter() {
			t.Fatalf("released %d times", n)
		}
	}
}

// A call in flight that enters once more while Close waits is refused, not stuck.
func TestNested(t *testing.T) {
	var g Guard
	g.Enter()
	done := make(chan error)
	go func() { done <- g.Close(nil) }()
	for g.Enter() { // until Close has begun
		g.Leave()
	}
	select {
	case <-done:
		t.Fatal("Close has not waited")
	default:
	}
	g.Leave()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// The error of the first release is Close's, once.
func TestError(t *testing.T) {
	var g Guard
	failed := errors.New("failed")
	if err := g.Close(func() error { return failed }); err != failed {
		t.Error(err)
	}
	if err := g.Close(func() error { return failed }); err != nil {
		t.Error(err)
	}
	if err := error(Error("weights: a")); !errors.Is(err, fs.ErrClosed) || err.Error() != "weights: a has been closed" {
		t.Error(err)
	}
}
