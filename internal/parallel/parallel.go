// Package parallel runs the parts of one job on several goroutines and returns
// when all are done. Nothing outlives a call.
package parallel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// For calls f(i) for every i in [0, n), on at most GOMAXPROCS goroutines, the
// caller's among them. Parts are handed out in order as goroutines get free, so
// f must not depend on which goroutine runs it. A panic in f is raised again in
// the caller.
func For(n int, f func(i int)) {
	workers := min(n, runtime.GOMAXPROCS(0))
	if workers <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var (
		next  atomic.Int64
		wait  sync.WaitGroup
		once  sync.Once
		cause any
	)
	work := func() {
		defer func() {
			if r := recover(); r != nil {
				next.Store(int64(n)) // let the others stop early
				once.Do(func() { cause = r })
			}
		}()
		for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
			f(int(i))
		}
	}
	for range workers - 1 {
		wait.Go(work)
	}
	work()
	wait.Wait()
	if cause != nil {
		panic(cause)
	}
}

// Spans cuts [0, n) into parts of at most size and calls f(lo, hi) for each, in
// parallel. The cut depends on n and size only, never on the number of
// goroutines, so sums taken part by part are the same on every machine.
func Spans(n, size int, f func(lo, hi int)) {
	For((n+size-1)/size, func(i int) { f(i*size, min(n, (i+1)*size)) })
}
