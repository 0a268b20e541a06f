package picture

import (
	"math"
	"sync"

	"lookalike/internal/memory"
)

// Decoding takes several times the memory that a picture takes afterwards. Pictures that
// are decoded at the same time share a budget, so that many decoders do not multiply the
// memory of the largest picture: 4 GiB, or half of the process's memory limit (see
// debug.SetMemoryLimit) if that is less.
const (
	decodingBytes int64 = 4 << 30
	decodingPart        = 2

	filePart = 8 // of the limit, that a file may have
)

// decoding is the memory that decoders have at the moment.
var decoding = budget{freed: sync.NewCond(new(sync.Mutex))}

type budget struct {
	freed *sync.Cond
	used  int64
}

// take waits until n bytes are in the budget, or nobody else has any.
func (b *budget) take(n int64) {
	b.freed.L.Lock()
	defer b.freed.L.Unlock()
	for b.used > 0 && b.used+n > share(decodingBytes) {
		b.freed.Wait()
	}
	b.used += n
}

func (b *budget) give(n int64) {
	b.freed.L.Lock()
	b.used -= n
	b.freed.L.Unlock()
	b.freed.Broadcast()
}

// mostBytes is what decoding one picture may take: no more than the budget if the process
// has a memory limit, and anything otherwise.
func mostBytes() int64 { return share(math.MaxInt64) }

func share(most int64) int64 { return int64(memory.Share(int(min(most, math.MaxInt)), decodingPart)) }

func shareOfFile() int64 { return int64(memory.Share(defaultMaxBytes, filePart)) }
