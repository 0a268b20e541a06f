package parallel

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lookalike/internal/benchtest"
)

// settle waits until no goroutine of an earlier call is on its way or waits for work. One
// that has found no processor yet may be on its way for long, on a busy machine.
func settle() {
	for coming.Load()+waiting.Load() > 0 {
		runtime.Gosched()
	}
}

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
	settle()
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
	for i := range offered {
		if j := offered[i].Load(); j != nil {
			t.Errorf("job %p is still offered", j)
		}
	}
	settle()
	for runtime.NumGoroutine() > before { // they have nothing to do but end
		runtime.Gosched()
	}
}

// holdBack keeps goroutines that are started from running, as processors do that are
// busy, and returns how many there are and what lets them run.
func holdBack(t *testing.T) (held *int, release func()) {
	settle()
	held = new(int)
	was := start
	start = func() { *held++ }
	t.Cleanup(func() { start = was })
	return held, func() {
		for ; *held > 0; *held-- {
			help()
		}
	}
}

// A call does not wait for a goroutine that finds no processor, and that goroutine,
// when it comes, does nothing of what is over.
func TestNobodyWaitsForWhoHasNotBegun(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	held, release := holdBack(t)
	var ran [3]int
	For(len(ran), func(i int) { ran[i]++ })
	if ran != [3]int{1, 1, 1} || *held != 2 {
		t.Errorf("parts ran %v times, %d goroutines were started; want one each, 2", ran, *held)
	}
	For(len(ran), func(i int) { ran[i]++ }) // those that come will do
	if ran != [3]int{2, 2, 2} || *held != 2 {
		t.Errorf("parts ran %v times, %d goroutines were started; want two each, 2", ran, *held)
	}
	release()
	if ran != [3]int{2, 2, 2} || coming.Load() != 0 || waiting.Load() != 0 {
		t.Errorf("parts ran %v times, %d goroutines come, %d wait", ran, coming.Load(), waiting.Load())
	}
}

// A goroutine that was started for one call helps with the next, whatever that is, and
// the call waits for it once it has begun.
func TestLateHelperJoinsTheNextCall(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	_, release := holdBack(t)
	For(2, func(int) {})
	var done atomic.Bool
	begun, finish := make(chan bool), make(chan bool)
	var helper sync.WaitGroup
	For(2, func(i int) {
		if i == 0 {
			helper.Go(release)
			<-begun
			close(finish)
			return
		}
		close(begun)
		<-finish
		runtime.Gosched()
		done.Store(true)
	})
	if !done.Load() {
		t.Error("the call is over before its helper")
	}
	helper.Wait()
}

// However many calls there are, jobs that are used again mix nothing up, and a call ends
// with its last part.
func TestJobsAreUsedAgain(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	type work struct {
		over *atomic.Bool
		seen *[8]atomic.Int32
	}
	var loop Loop[work]
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for n := range 2000 {
				w := work{new(atomic.Bool), new([8]atomic.Int32)}
				parts := 2 + n%7
				loop.For(parts, Long, w, func(w work, i int) {
					if w.over.Load() {
						t.Error("a part runs after the end")
					}
					w.seen[i].Add(1)
				})
				w.over.Store(true)
				for i := range w.seen {
					if got := w.seen[i].Load(); (got == 1) != (i < parts) || got > 1 {
						t.Errorf("part %d of %d ran %d times", i, parts, got)
					}
				}
			}
		})
	}
	callers.Wait()
}

// What is too short is not split, unless goroutines wait for it anyway; what wakes a
// processor is longer still.
func TestWorthwhile(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	settle()
	for _, c := range []struct {
		n       int
		alone   time.Duration
		waiting int64
		want    int
	}{
		{8, joining, 3, 0}, {8, 2*joining - 1, 3, 0}, {8, 2 * joining, 3, 1}, {8, 2 * joining, 0, 0}, {8, waking - 1, 2, 2},
		{8, waking, 0, 3}, {3, waking, 0, 2}, {1, Long, 3, 0}, {0, Long, 3, 0}, {8, Long, 0, 3},
	} {
		waiting.Add(c.waiting)
		if got := worthwhile(c.n, c.alone); got != c.want {
			t.Errorf("%d parts, %v, %d wait: %d helpers, want %d", c.n, c.alone, c.waiting, got, c.want)
		}
		if got := Goroutines(c.alone); c.n == 8 && got != 1+c.want {
			t.Errorf("%v, %d wait: %d goroutines, want %d", c.alone, c.waiting, got, 1+c.want)
		}
		waiting.Add(-c.waiting)
	}
}

// Exit ends only its goroutine: the call it was in leaves nobody behind who runs a part.
func TestGoexit(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	for range 100 {
		var running atomic.Int32
		var caller sync.WaitGroup
		caller.Go(func() {
			defer func() {
				if n := running.Load(); n != 0 {
					t.Errorf("%d parts run", n)
				}
			}()
			For(40, func(i int) {
				running.Add(1)
				defer running.Add(-1)
				runtime.Gosched()
				if i == 7 {
					runtime.Goexit()
				}
			})
		})
		caller.Wait()
	}
}

// A call of a Loop allocates nothing, alone or with helpers.
func TestLoopAllocates(t *testing.T) {
	var loop Loop[[]int]
	add := func(x []int, i int) { x[i]++ }
	x := make([]int, 2)
	for _, procs := range []int{1, 2} {
		benchtest.Allocations(t, "a call", procs, 200, 0, func() { loop.For(len(x), Long, x, add) })
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
