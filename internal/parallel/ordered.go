package parallel

import (
	"cmp"
	"context"
	"runtime"
	"sync"
)

// Ordered calls work(i) for every i in [0, n), several at a time, and use with
// what it returned, on the caller's goroutine and in order. At most two results a
// processor wait for use. An error of use, or the end of ctx, ends it and is
// returned; a panic in work is raised again in the caller.
func Ordered[T any](ctx context.Context, n int, work func(i int) T, use func(i int, v T) error) error {
	type result struct {
		v     T
		cause any // what work panicked with
	}
	workers := cmp.Or(min(runtime.GOMAXPROCS(0), n), 1)
	ahead := 2 * workers
	// Job i answers on slots[i%ahead]; never more than ahead jobs are open,
	// so neither side blocks on the other for good.
	jobs := make(chan int, ahead)
	slots := make([]chan result, ahead)
	for i := range slots {
		slots[i] = make(chan result, 1)
	}
	do := func(i int) (r result) {
		defer func() { r.cause = recover() }()
		r.v = work(i)
		return
	}
	var wait sync.WaitGroup
	defer wait.Wait()
	defer close(jobs)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for range workers {
		wait.Go(func() {
			for i := range jobs {
				if ctx.Err() != nil {
					return
				}
				slots[i%ahead] <- do(i)
			}
		})
	}
	for i := range min(ahead, n) {
		jobs <- i
	}
	for i := range n {
		var got result
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case got = <-slots[i%ahead]:
		}
		if got.cause != nil {
			panic(got.cause)
		}
		if i+ahead < n {
			jobs <- i + ahead
		}
		if err := use(i, got.v); err != nil {
			return err
		}
	}
	return nil
}
