// Package parallel runs the parts of one job on several goroutines and returns
// when all are done. Nothing outlives a call.
package parallel

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
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
	j := &job{n: int64(n), f: f, done: make(chan struct{}, 1)}
	missing := int64(workers) - 1
	if ready := min(missing, waiting.Load()); ready > 0 {
		j.vacant.Store(ready)
		if offered.CompareAndSwap(nil, j) {
			missing -= ready
		}
	}
	j.running.Add(missing)
	for range missing {
		go help(j)
	}
	j.work()
	offered.CompareAndSwap(j, nil)
	for start := time.Now(); j.running.Load() > 0; {
		if time.Since(start) > patience {
			<-j.done
		}
	}
	if j.cause != nil {
		panic(j.cause)
	}
}

// Spans cuts [0, n) into parts of at most size and calls f(lo, hi) for each, in
// parallel. The cut depends on n and size only, never on the number of
// goroutines, so sums taken part by part are the same on every machine.
func Spans(n, size int, f func(lo, hi int)) {
	For((n+size-1)/size, func(i int) { f(i*size, min(n, (i+1)*size)) })
}

// Awake calls f, which makes many calls of For one soon after the other. In
// between, goroutines wait for the next without letting their processors sleep: to
// wake one takes a good part of a layer's time. They end with f.
func Awake(f func()) {
	awake.Add(1)
	defer func() {
		if awake.Add(-1) == 0 {
			for waiting.Load() > 0 && awake.Load() == 0 {
				runtime.Gosched()
			}
		}
	}()
	f()
}

var (
	awake   atomic.Int64        // calls of Awake
	waiting atomic.Int64        // goroutines that wait for the next job
	offered atomic.Pointer[job] // to them
)

// patience is how long a goroutine waits without letting its processor sleep.
const patience = 200 * time.Microsecond

// job is one call of For.
type job struct {
	n       int64
	f       func(i int)
	next    atomic.Int64  // the part that is handed out next
	vacant  atomic.Int64  // how many of those that wait may still join
	running atomic.Int64  // goroutines that have joined and not left, but for the caller's
	done    chan struct{} // one leaves as the last
	once    sync.Once
	cause   any // of a panic
}

// work runs parts until none is left.
func (j *job) work() {
	defer func() {
		if r := recover(); r != nil {
			j.next.Store(j.n) // let the others stop early
			j.once.Do(func() { j.cause = r })
		}
	}()
	for i := j.next.Add(1) - 1; i < j.n; i = j.next.Add(1) - 1 {
		j.f(int(i))
	}
}

func (j *job) leave() {
	if j.running.Add(-1) == 0 {
		select {
		case j.done <- struct{}{}:
		default: // has been said before
		}
	}
}

// help works on j and then, while Awake wants it, on what is offered.
func help(j *job) {
	for j != nil {
		j.work()
		waiting.Add(1) // before the caller can return
		j.leave()
		j = nil
		for start := time.Now(); j == nil && awake.Load() > 0 && time.Since(start) < patience; {
			j = join()
		}
		waiting.Add(-1)
		if j == nil {
			j = join() // what was offered because this goroutine was counted
		}
	}
}

// join returns the job that is offered, if there is one with a vacancy. The job may
// be over by now; then nothing is left of it to do.
func join() *job {
	j := offered.Load()
	if j == nil {
		return nil
	}
	j.running.Add(1)
	left := j.vacant.Add(-1)
	if left < 0 {
		j.leave()
		return nil
	}
	if left == 0 {
		offered.CompareAndSwap(j, nil)
	}
	return j
}
