// Package damagetest feeds readers of files with damaged ones.
package damagetest

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

const (
	longest = 5 * time.Second // a file may take
	batch   = 100             // files between two looks at the memory taken
)

// Run has files, from the first to the one of number cases, changed in one to four
// places or, one in 16, cut short, and read. The reader may return an error or not,
// but it must end soon, without a panic, and take in the mean at most memory bytes
// a file. That only few files give an error fails the test, for then nothing has
// been tried.
func Run(t *testing.T, cases int, memory uint64, file func(n int) []byte, read func(n int, b []byte) error) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	var before, after runtime.MemStats
	started, failures := time.Now(), 0
	for n := range cases {
		if n%batch == 0 {
			runtime.ReadMemStats(&before)
		}
		b := bytes.Clone(file(n))
		if n%16 == 15 {
			b = b[:rng.IntN(len(b))]
		} else {
			change(b, rng)
		}
		took, failed := timed(n, b, read)
		if took > longest { // or the machine stood still
			took, _ = timed(n, b, read)
		}
		if took > longest {
			t.Fatalf("case %d took %v, twice", n, took)
		}
		if failed {
			failures++
		}
		if n%batch == batch-1 {
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; took > batch*memory {
				t.Fatalf("cases %d to %d took %d MB of memory", n-batch+1, n, took>>20)
			}
		}
	}
	t.Logf("%d cases, %d with an error, in %v", cases, failures, time.Since(started))
	if failures < cases/20 {
		t.Errorf("only %d of %d damaged files gave an error", failures, cases)
	}
}

// timed reads a file and says how long that took and whether it failed.
func timed(n int, b []byte, read func(n int, b []byte) error) (took time.Duration, failed bool) {
	begin := time.Now()
	failed = read(n, b) != nil
	return time.Since(begin), failed
}

// change changes one to four places: bits, bytes, and numbers of several bytes.
func change(b []byte, rng *rand.Rand) {
	for range 1 + rng.IntN(4) {
		at := rng.IntN(len(b))
		switch rng.IntN(5) {
		case 0:
			b[at] ^= 1 << rng.IntN(8)
		case 1:
			b[at] = byte(rng.Uint32())
		case 2:
			b[at] = 0xff
		case 3: // a large or an odd number
			for i := range min(1<<rng.IntN(4), len(b)-at) {
				b[at+i] = []byte{0, 0xff, 0x7f, 0x80, 1}[rng.IntN(5)]
			}
		case 4: // a piece from elsewhere, such as another structure's address
			from := rng.IntN(len(b))
			copy(b[at:min(at+8, len(b))], b[from:])
		}
	}
}
