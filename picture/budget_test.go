package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// limitMemory sets the process's memory limit for a test.
func limitMemory(t *testing.T, bytes int64) {
	old := debug.SetMemoryLimit(bytes)
	t.Cleanup(func() { debug.SetMemoryLimit(old) })
}

// A picture is refused if half of the memory limit is not enough to decode it.
func TestMemoryLimit(t *testing.T) {
	var p, j bytes.Buffer
	if err := errors.Join(png.Encode(&p, image.NewRGBA(image.Rect(0, 0, 3000, 2000))), jpeg.Encode(&j, image.NewGray(image.Rect(0, 0, 3000, 2000)), nil)); err != nil {
		t.Fatal(err)
	}
	cmyk, err := os.ReadFile("testdata/decode/cmyk.jpg")
	if err != nil {
		t.Fatal(err)
	}
	const cmykNeed = 4*48*40 + 3*45*37 // planes in whole blocks, and light
	const want = "3000 x 2000 pixels take some 24 MB to decode, more than half of what the memory limit leaves (47 MB)"
	for _, c := range []struct {
		data  []byte
		limit int64
		err   string
	}{{p.Bytes(), 49e6, ""}, {p.Bytes(), 47e6, want}, {j.Bytes(), 83e6, ""},
		{cmyk, int64(8*len(cmyk) - 8), fmt.Sprintf("the file has more than %d bytes, an eighth of the memory limit", len(cmyk)-1)},
		{cmyk, 2 * cmykNeed, ""}, {cmyk, 2*cmykNeed - 2, "45 x 37 pixels take"}} {
		limitMemory(t, c.limit)
		_, err := Decode(bytes.NewReader(c.data), Options{})
		switch {
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("limit %d: error %v, want %s", c.limit, err, c.err)
		case c.err == "" && err != nil:
			t.Errorf("limit %d: %v", c.limit, err)
		}
	}
}

// Together, decoders keep to the budget; alone, each gets what it needs.
func TestBudget(t *testing.T) {
	limitMemory(t, 200)
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(1000, 2)
		inside, most, done := int64(0), int64(0), 0
		var mu sync.Mutex
		for _, n := range []int64{60, 60, 40, 150, 30, 1, 100, 50, 50} {
			go func() {
				b.take(n)
				mu.Lock()
				inside += n
				if inside > n {
					most = max(most, inside)
				}
				mu.Unlock()
				time.Sleep(time.Second) // all others come, and wait
				mu.Lock()
				inside -= n
				done++
				mu.Unlock()
				b.give(n)
			}()
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if done != 9 || most > 100 || most < 61 || b.used != 0 {
			t.Errorf("%d of 9 decoders ended, several held up to %d of a budget of 100, %d left at the end", done, most, b.used)
		}
	})
}
