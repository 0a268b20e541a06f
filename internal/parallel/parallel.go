// Package parallel runs the parts of one job on several goroutines and returns
// when all are done.
//
// A call waits for the goroutines that have begun a part, and for no others: one
// that was started and has found no processor yet may come when the call is over,
// touches nothing of it, and helps with the next call or ends.
package parallel

import (
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// For calls f(i) for every i in [0, n), on at most GOMAXPROCS goroutines, the
// caller's among them. Parts are handed out in order as goroutines get free, so
// f must not depend on which goroutine runs it. A panic in f is raised again in
// the caller. All parts together should take a millisecond or more; see Loop.
func For(n int, f func(i int)) { functions.For(n, Long, f, call) }

// Spans cuts [0, n) into parts of at most size and calls f(lo, hi) for each, in
// parallel. The cut depends on n and size only, never on the number of
// goroutines, so sums taken part by part are the same on every machine.
func Spans(n, size int, f func(lo, hi int)) { spanFunctions.Spans(n, size, Long, f, callSpan) }

var (
	functions     Loop[func(i int)]
	spanFunctions Loop[func(lo, hi int)]
)

func call(f func(i int), i int)               { f(i) }
func callSpan(f func(lo, hi int), lo, hi int) { f(lo, hi) }

// Loop is For and Spans for work that comes often and may be short. What the parts
// work on is a value, of which each gets a copy, so that no closure is needed; the
// memory of a call is kept for the next. A Loop is used by many goroutines at once.
type Loop[T any] struct{ jobs sync.Pool }

// For calls f(work, i) for every i in [0, n). One goroutine would take about that
// long for all of them: others help if that pays.
func (l *Loop[T]) For(n int, long time.Duration, work T, f func(work T, i int)) {
	helpers := worthwhile(n, long)
	if helpers == 0 {
		for i := range n {
			f(work, i)
		}
		return
	}
	l.run(n, helpers, loopJob[T]{work: work, part: f})
}

// Spans calls f(work, lo, hi) for the parts of [0, n), which are cut as Spans does it.
func (l *Loop[T]) Spans(n, size int, long time.Duration, work T, f func(work T, lo, hi int)) {
	parts := (n + size - 1) / size
	helpers := worthwhile(parts, long)
	if helpers == 0 {
		for i := range parts {
			f(work, i*size, min(n, (i+1)*size))
		}
		return
	}
	l.run(parts, helpers, loopJob[T]{work: work, span: f, total: n, size: size})
}

func (l *Loop[T]) run(n, helpers int, what loopJob[T]) {
	j, _ := l.jobs.Get().(*typedJob[T])
	if j == nil {
		j = new(typedJob[T])
		j.parts = j
		j.gate.Lock()
	}
	j.loopJob = what
	j.run(n, helpers)
	cause := j.panicked.Load()
	j.loopJob = loopJob[T]{}
	l.jobs.Put(j)
	if cause != nil {
		panic(*cause)
	}
}

// loopJob is what a call of Loop is to do.
type loopJob[T any] struct {
	work        T
	part        func(work T, i int)
	span        func(work T, lo, hi int) // in place of part
	total, size int
}

func (l *loopJob[T]) call(i int) {
	if l.span != nil {
		l.span(l.work, i*l.size, min(l.total, (i+1)*l.size))
	} else {
		l.part(l.work, i)
	}
}

type typedJob[T any] struct {
	job
	loopJob[T]
}

// Awake calls f, which makes many calls of For one soon after the other. In
// between, goroutines wait for the next without letting their processors sleep: to
// wake one takes a good part of a layer's time. They end with f, as soon as each
// notices; nobody waits for one that has no processor just then. Where calls of Awake
// follow each other at once, they stay from one to the next.
func Awake(f func()) {
	awake.Add(1)
	calls.begin()
	defer func() {
		calls.end()
		awake.Add(-1)
	}()
	f()
}

var (
	awake   atomic.Int64            // calls of Awake
	waiting atomic.Int64            // goroutines that wait for the next job
	coming  atomic.Int64            // goroutines that were started and have not begun
	offered [64]atomic.Pointer[job] // to all of them; a call that finds no place does its work alone

	calls succession // of Awake

	// Variables for tests: what starts a goroutine, and the time since the program began.
	start = func() { go help() }
	now   = func() time.Duration { return time.Since(begun) }
	begun = time.Now()
)

// Long is what a call of Loop takes that is always worth help.
const Long = time.Hour

const (
	// joining is how long the work of a goroutine should be for it to join, waking
	// how long all work should be to wake a processor that sleeps.
	joining = 15 * time.Microsecond
	waking  = 250 * time.Microsecond

	// patience is how long a goroutine waits without letting its processor sleep.
	patience = 200 * time.Microsecond

	// mostLooks is how often it looks for a job at most, which takes longer than that.
	mostLooks = 1 << 15
)

// Goroutines returns how many goroutines, the caller's among them, would share work that
// one of them does in the given time: for work that is cut by their number, and loses if
// one does all the pieces.
func Goroutines(long time.Duration) int { return 1 + worthwhile(math.MaxInt, long) }

// worthwhile returns how many goroutines should help the caller with work of n parts
// that it would do in the given time alone.
func worthwhile(n int, alone time.Duration) int {
	if n < 2 || alone < 2*joining {
		return 0
	}
	most := min(n, runtime.GOMAXPROCS(0)) - 1
	if alone < waking && !calls.follow() {
		most = min(most, int(waiting.Load()))
	}
	return min(most, int(alone/joining)-1)
}

// job is one call of a Loop, and then the next. Who comes late joins whichever goes on.
type job struct {
	parts interface{ call(i int) }
	n     int64
	next  atomic.Int64 // the part that is handed out next
	state atomic.Int64 // how many have joined and not left, the caller apart; vacancies; asleep

	// gate lets a caller pass that is asleep: it is locked until the last who leaves
	// unlocks it. (A channel would belong to the synctest bubble that made it.)
	gate sync.Mutex

	panicked atomic.Pointer[any]
}

// In a job's state.
const (
	joined  int64 = 1
	vacancy int64 = 1 << 31
	asleep  int64 = 1 << 62
)

// run does the job, with so many helpers at most, and returns when nobody is at it.
func (j *job) run(n, helpers int) {
	j.n = int64(n)
	j.next.Store(0)
	j.panicked.Store(nil)
	j.state.Store(int64(helpers) * vacancy)
	place := j.offer()
	defer j.end(place)
	if place != nil {
		for missing := int64(helpers) - waiting.Load() - coming.Load(); missing > 0; missing-- {
			coming.Add(1)
			start()
		}
	}
	j.work()
}

// work runs parts until none is left.
func (j *job) work() {
	defer func() {
		if r := recover(); r != nil {
			j.next.Store(j.n) // let the others stop early
			cause := r        // which takes memory, where r must not
			j.panicked.CompareAndSwap(nil, &cause)
		}
	}()
	for i := j.next.Add(1) - 1; i < j.n; i = j.next.Add(1) - 1 {
		j.parts.call(int(i))
	}
}

// offer lets others join and returns where it is offered, nil if all places are taken.
func (j *job) offer() *atomic.Pointer[job] {
	for i := range offered {
		if offered[i].Load() == nil && offered[i].CompareAndSwap(nil, j) {
			return &offered[i]
		}
	}
	return nil
}

// end lets nobody join any more and waits for those who have.
func (j *job) end(place *atomic.Pointer[job]) {
	if place != nil {
		place.Store(nil)
	}
	j.state.And(vacancy - 1) // no vacancies
	for begun := now(); j.state.Load() > 0; {
		if now() > begun+patience {
			calls.preempted()
			if j.state.Or(asleep) > 0 {
				j.gate.Lock()
			}
			return
		}
	}
}

// join takes one of the vacancies, if there is any.
func (j *job) join() bool {
	for s := j.state.Load(); s >= vacancy && s < asleep; s = j.state.Load() {
		if j.state.CompareAndSwap(s, s-vacancy+joined) {
			return true
		}
	}
	return false
}

// leave is the end of join. The caller, unless it is asleep, may go on meanwhile.
func (j *job) leave() {
	if j.state.Add(-joined) == asleep {
		j.gate.Unlock()
	}
}

// help works on what is offered, and on what comes while Awake wants it.
func help() {
	waiting.Add(1)
	coming.Add(-1)
	for j := next(); j != nil; j = next() {
		j.assist()
	}
}

// assist works on a job that has been joined.
func (j *job) assist() {
	defer j.leave()
	j.work()
	waiting.Add(1) // before the caller can go on
}

// next joins a job, for a goroutine that is counted as waiting until then.
func next() *job {
	begun := now()
	looks := 0 // the clock stands still in a test with [testing/synctest]
	for t, last := begun, begun; looks < mostLooks && t < begun+patience && (awake.Load() > 0 || calls.follow()); last, t = t, now() {
		looks++
		if t > last+absence {
			calls.preempted()
			break
		}
		if j := joinAny(); j != nil {
			waiting.Add(-1)
			return j
		}
	}
	waiting.Add(-1)
	return joinAny() // what was offered because this goroutine was counted
}

// joinAny joins one of the jobs that are offered.
func joinAny() *job {
	for i := range offered {
		if j := offered[i].Load(); j != nil && j.join() {
			return j
		}
	}
	return nil
}
