package parallel

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
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
