package training

import (
	"fmt"
	"sort"

	"lookalike/internal/checkpoint"
	"lookalike/internal/memory"
	"lookalike/internal/words"
	"lookalike/nn"
)

// besideTraining is what the process has in memory while it learns, besides what
// training itself takes: what decodes pictures, writes the model, and waits for the
// garbage collector (measured: 10 to 20 MB).
const besideTraining = 16e6

// memoryOf tells what training takes on pictures of a size.
type memoryOf func(size int, cfg nn.FitConfig) (int64, error)

// MemoryError is that training takes more memory than the limit that the process was
// given leaves.
type MemoryError struct {
	Err error // how much it takes, and which limit there is

	// What would fit: batches of that many pictures, and pictures of that many pixels a
	// side; 0 is those that were asked for. Both are 0 where nothing would.
	Batch, Size int
}

func (e *MemoryError) Error() string {
	switch {
	case e.Size > 0:
		return fmt.Sprintf("%v, or batches of 1 and pictures of %dx%d or less", e.Err, e.Size, e.Size)
	case e.Batch > 0:
		return fmt.Sprintf("%v, or batches of %d or less", e.Err, e.Batch)
	}
	return e.Err.Error()
}

func (e *MemoryError) Unwrap() error { return e.Err }

// reserve sets apart what training takes on so many pictures of a size, so that pictures
// are decoded and kept in what that leaves of the memory limit. If it does not fit, the
// error, a MemoryError, says what would: smaller batches, or smaller pictures.
func reserve(t *checkpoint.Training, size, pictures int, of memoryOf) (release func(), err error) {
	take := func(size, batch int) (n int64, err error) {
		in := func(batch int) (n int64) {
			if err == nil {
				n, err = of(size, nn.FitConfig{Batch: batch, ValidationSplit: t.Validation})
			}
			return n
		}
		n = in(batch) + besideTraining
		if t.EarlyStop != nil { // keeps the parameters once more, the fourth part of what does not grow with the batch
			n += (2*in(1) - in(2)) / 4
		}
		return n, err
	}
	batch := max(1, min(t.Batch, pictures))
	n, err := take(size, batch)
	if err != nil {
		return nil, err
	}
	if release, err = memory.Reserve(n); err == nil {
		return release, nil
	}
	much := &MemoryError{Err: fmt.Errorf("learning from %s of %dx%d at a time: %w", words.Count(batch, "picture"), size, size, err)}
	if len(t.Losses) > 0 { // it goes on as it began
		return nil, much
	}
	fits := func(size, batch int) bool {
		n, err := take(size, batch)
		return err == nil && memory.Allows(n) == nil
	}
	if most := sort.Search(batch-1, func(i int) bool { return !fits(size, i+1) }); most > 0 {
		much.Batch = most
		return nil, much
	}
	const step = 16 // of sizes
	if most := sort.Search(size/step, func(i int) bool { return !fits((i+1)*step, 1) }); most > 0 {
		much.Batch, much.Size = 1, most*step
	}
	return nil, much
}
