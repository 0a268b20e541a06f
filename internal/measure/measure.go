// Package measure times the engine's work at shapes that other engines are timed
// at too, so that the rows of both can be laid side by side.
package measure

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/cpuid/v2"

	"lookalike/internal/cpu"
)

// Row is one measurement: what was done, how, and how long it took. The names in
// JSON are those of the scripts in shared/peers. What does not apply is zero.
type Row struct {
	Task   string `json:"task"`
	Engine string `json:"engine"`

	Kernels string `json:"kernels,omitempty"` // tier of ours
	Threads int    `json:"threads"`

	Batch   int    `json:"batch,omitempty"`
	M       int    `json:"m,omitempty"` // product [m, k] x [k, n]
	N       int    `json:"n,omitempty"` // or n vectors
	D       int    `json:"d,omitempty"` // of d values
	Queries int    `json:"queries,omitempty"`
	K       int    `json:"k,omitempty"` // or k neighbours
	Metric  string `json:"metric,omitempty"`
	Data    string `json:"data,omitempty"` // what the vectors are, if not noise

	MinMS            float64 `json:"min_ms,omitempty"`
	MedianMS         float64 `json:"median_ms,omitempty"`
	MinMSPerImage    float64 `json:"min_ms_per_image,omitempty"`
	MedianMSPerImage float64 `json:"median_ms_per_image,omitempty"`
	MinMSPerQuery    float64 `json:"min_ms_per_query,omitempty"`
	MedianMSPerQuery float64 `json:"median_ms_per_query,omitempty"`
	GFLOPS           float64 `json:"gflops,omitempty"`    // of the best run
	GBPerS           float64 `json:"gb_per_s,omitempty"`  // of the best run
	Runs             int     `json:"runs,omitempty"`      // after one to warm up
	Spread           float64 `json:"spread,omitempty"`    // (longest - shortest) / median
	MaxRSSMB         int     `json:"maxrss_mb,omitempty"` // of the process until now; 0 where the system does not tell
	CPU              string  `json:"cpu"`
}

// newRow returns a row of ours, without figures yet.
func newRow(task string) Row {
	return Row{Task: task, Engine: "lookalike", Kernels: cpu.Tier(), Threads: runtime.GOMAXPROCS(0)}
}

// Finish fills in what is known of this machine and process.
func (r Row) Finish() Row {
	r.CPU = cmp.Or(strings.TrimSpace(cpuid.CPU.BrandName), "unknown")
	r.MaxRSSMB = maxRSS()
	return r
}

// BestMS is the shortest time in milliseconds, for a picture, a query or all.
func (r Row) BestMS() float64 { return cmp.Or(r.MinMSPerImage, r.MinMSPerQuery, r.MinMS) }

// MidMS is the median of those times.
func (r Row) MidMS() float64 { return cmp.Or(r.MedianMSPerImage, r.MedianMSPerQuery, r.MedianMS) }

// Shape describes the work's size: "64x50176x576" (m, n, k), "batch 8",
// "9144x32, 1 query".
func (r Row) Shape() string {
	switch {
	case r.M > 0:
		return fmt.Sprintf("%dx%dx%d", r.M, r.N, r.K)
	case r.Queries == 1:
		return fmt.Sprintf("%dx%d, 1 query", r.N, r.D)
	case r.Queries > 1:
		return fmt.Sprintf("%dx%d, %d queries", r.N, r.D, r.Queries)
	case r.Batch > 0:
		return fmt.Sprintf("batch %d", r.Batch)
	}
	return ""
}

// Key is equal for rows of the same work with the same threads, whoever did it.
func (r Row) Key() string {
	return strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s threads %d", r.Task, r.Metric, r.Data, r.Shape(), r.Threads)), " ")
}

// Milliseconds writes a time with three digits or more.
func Milliseconds(ms float64) string {
	switch {
	case ms < 1:
		return fmt.Sprintf("%.4f", ms)
	case ms < 100:
		return fmt.Sprintf("%.2f", ms)
	}
	return fmt.Sprintf("%.0f", ms)
}

// Times are the durations of runs of one piece of work, shortest first.
type Times []time.Duration

// Time runs f once to warm up and then runs times, and stops early if ctx ends.
func Time(ctx context.Context, runs int, f func() error) (Times, error) {
	var times Times
	for i := range runs + 1 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		start := time.Now()
		if err := f(); err != nil {
			return nil, err
		}
		if i > 0 {
			times = append(times, time.Since(start))
		}
	}
	slices.Sort(times)
	return times, nil
}

func (t Times) min() time.Duration    { return t[0] }
func (t Times) median() time.Duration { return t[len(t)/2] }

// took fills in how often the work was measured, and how steadily.
func (r Row) took(t Times) Row {
	r.Runs, r.Spread = len(t), t.spread()
	return r
}

// per returns the shortest and the median time of one of n parts of the work, in
// milliseconds.
func (t Times) per(n int) (best, median float64) {
	ms := float64(n) * float64(time.Millisecond)
	return float64(t.min()) / ms, float64(t.median()) / ms
}

// spread returns how far the runs lie apart, as a share of the median.
func (t Times) spread() float64 {
	return float64(t[len(t)-1]-t[0]) / float64(t.median())
}

// rate returns how many billions of n the best run did in a second.
func (t Times) rate(n float64) float64 { return n / t.min().Seconds() / 1e9 }
