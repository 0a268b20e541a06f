package parallel

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestForVisitsEachPartOnce(t *testing.T) {
	for _, procs := range []int{1, 2, 7} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		for _, n := range []int{0, 1, 2, 3, 100} {
			seen := make([]atomic.Int32, n)
			For(n, func(i int) { seen[i].Add(1) })
			for i := range seen {
				if got := seen[i].Load(); got != 1 {
					t.Errorf("procs %d, n %d: part %d ran %d times", procs, n, i, got)
				}
			}
		}
	}
}

func TestSpansCutIsFixed(t *testing.T) {
	var parts [4]string
	Spans(10, 3, func(lo, hi int) { parts[lo/3] = fmt.Sprint(lo, hi) })
	if parts != [4]string{"0 3", "3 6", "6 9", "9 10"} {
		t.Error(parts)
	}
}

func TestPanicReachesCaller(t *testing.T) {
	defer func() {
		if r := recover(); r != "part 3" {
			t.Errorf("recovered %v", r)
		}
	}()
	For(10, func(i int) {
		if i == 3 {
			panic("part 3")
		}
	})
	t.Error("no panic")
}

// TestAwake runs short jobs one after the other, from several goroutines at once, and
// finds none of them left afterwards.
func TestAwake(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	before := runtime.NumGoroutine()
	var callers sync.WaitGroup
	for range 3 {
		callers.Go(func() {
			Awake(func() {
				for n := range 300 {
					var sum atomic.Int64
					For(n, func(i int) { sum.Add(int64(i)) })
					if want := int64(n * (n - 1) / 2); sum.Load() != want {
						t.Errorf("parts of %d add up to %d, want %d", n, sum.Load(), want)
					}
					if n%50 == 0 {
						time.Sleep(2 * patience) // those that wait have gone
					}
				}
			})
		})
	}
	callers.Wait()
	if waiting.Load() != 0 || offered.Load() != nil {
		t.Errorf("%d goroutines wait, job %v is offered", waiting.Load(), offered.Load())
	}
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}

func TestPanicWhileAwake(t *testing.T) {
	defer func() {
		if r := recover(); r != "part 3" {
			t.Errorf("recovered %v", r)
		}
		if awake.Load() != 0 {
			t.Errorf("%d calls of Awake", awake.Load())
		}
	}()
	Awake(func() {
		For(10, func(int) {})
		For(10, func(i int) {
			if i == 3 {
				panic("part 3")
			}
		})
	})
	t.Error("no panic")
}
