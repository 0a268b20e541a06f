package picture

import (
	"math"
	"runtime"
	"runtime/metrics"
	"sync"

	"lookalike/internal/memory"
)

// Decoding takes several times the memory that a picture takes afterwards. Pictures that
// are decoded at the same time share a budget, so that many decoders do not multiply the
// memory of the largest picture: 4 GiB, or half of the process's memory limit if that is
// less. The bytes of their files have one of their own, an eighth of it. What was given
// back counts until the garbage collector has had it: the process still has it.
var (
	decoding = newBudget(4<<30, 2)
	reading  = newBudget(512<<20, 8)
)

// budget is memory that goroutines share.
type budget struct {
	largest int64 // without a memory limit
	part    int64 // of the limit, otherwise

	freed   *sync.Cond
	used    int64
	garbage []garbage
}

// garbage is memory that was given back when the collector had been there so many times.
type garbage struct {
	bytes  int64
	cycles uint64
}

func newBudget(largest, part int64) *budget {
	return &budget{largest: largest, part: part, freed: sync.NewCond(new(sync.Mutex))}
}

// most is what the budget has in all.
func (b *budget) most() int64 { return int64(memory.Share(int(b.largest), int(b.part))) }

// alone is what one may have at all: no more than the budget if the process has a memory
// limit, and anything otherwise.
func (b *budget) alone() int64 {
	if memory.Limit() == math.MaxInt64 {
		return math.MaxInt64
	}
	return b.most()
}

// take waits until n bytes are in the budget, or nobody else has any.
func (b *budget) take(n int64) {
	b.freed.L.Lock()
	defer b.freed.L.Unlock()
	for b.used > 0 && b.used+n > b.most() {
		b.freed.Wait()
	}
	if left := b.uncollected(); left > 0 && b.used+left+n > b.most() {
		runtime.GC()
		b.garbage = nil
	}
	b.used += n
}

func (b *budget) give(n int64) {
	b.freed.L.Lock()
	b.used -= n
	b.garbage = append(b.garbage, garbage{n, cycles()})
	b.uncollected()
	b.freed.L.Unlock()
	b.freed.Broadcast()
}

// uncollected returns the garbage that there may still be. A cycle that was under way when
// memory was given back has perhaps missed it; the next one has not.
func (b *budget) uncollected() int64 {
	now, n := cycles(), int64(0)
	for len(b.garbage) > 0 && b.garbage[0].cycles+2 <= now {
		b.garbage = b.garbage[1:]
	}
	for _, g := range b.garbage {
		n += g.bytes
	}
	return n
}

// cycles is how many times the garbage collector has been through.
func cycles() uint64 {
	s := []metrics.Sample{{Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// shareOfFile is how large a file may be.
func shareOfFile() int64 { return int64(memory.Share(defaultMaxBytes, int(reading.part))) }
