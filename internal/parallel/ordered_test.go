package parallel

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// Results come in order, and not many more are made than have been used.
func TestOrdered(t *testing.T) {
	for _, procs := range []int{1, 3} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		for _, n := range []int{0, 1, 100} {
			var begun atomic.Int64
			next := 0
			err := Ordered(t.Context(), n, func(i int) int { begun.Add(1); return i * i }, func(i, v int) error {
				if i != next || v != i*i {
					t.Errorf("%d: %d, expected %d", i, v, next)
				}
				if next++; int(begun.Load()) > next+2*procs+1 {
					t.Errorf("%d are done, %d used", begun.Load(), next)
				}
				return nil
			})
			if err != nil || next != n {
				t.Errorf("%d of %d, %v", next, n, err)
			}
		}
	}
}

// However Ordered ends, its error or panic reaches the caller. The bubble fails the
// test if a goroutine stays behind.
func TestOrderedEnds(t *testing.T) { synctest.Test(t, testOrderedEnds) }

func testOrderedEnds(t *testing.T) {
	enough := errors.New("enough")
	if err := Ordered(t.Context(), 50, func(i int) int { return i }, func(i, _ int) error {
		if i == 7 {
			return enough
		}
		return nil
	}); err != enough {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	if err := Ordered(ctx, 50, func(i int) int { return i }, func(int, int) error { cancel(enough); return nil }); err != enough {
		t.Errorf("error %v", err)
	}
	func() {
		defer func() {
			if r := recover(); r != "work" {
				t.Errorf("recovered %v", r)
			}
		}()
		Ordered(t.Context(), 50, func(int) int { panic("work") }, func(int, int) error { return nil })
	}()
}
