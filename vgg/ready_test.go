package vgg_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"lookalike/tensor"
	"lookalike/vgg"
)

// BenchmarkReady measures what a start costs: to open the weights, and what the first
// prediction takes beyond the later ones, each time in a new process. The files that
// LOOKALIKE_VGG16 names, apart by ":", should be in the page cache.
func BenchmarkReady(b *testing.B) {
	files := os.Getenv("LOOKALIKE_VGG16")
	if files == "" {
		b.Skip("LOOKALIKE_VGG16 names no weights")
	}
	for _, file := range strings.Split(files, ":") {
		b.Run("file="+filepath.Base(file), func(b *testing.B) {
			var opened, extra, later []float64
			for b.Loop() {
				cmd := exec.Command(os.Args[0], "-test.run=^TestStart$", "-test.v")
				cmd.Env = append(os.Environ(), "LOOKALIKE_START="+file)
				out, err := cmd.Output()
				if err != nil {
					b.Fatalf("%v\n%s", err, out)
				}
				_, line, _ := strings.Cut(string(out), "start: ")
				var open, first, next float64
				if _, err := fmt.Sscan(line, &open, &first, &next); err != nil {
					b.Fatalf("%v in %q", err, out)
				}
				opened, extra, later = append(opened, open), append(extra, open+first-next), append(later, next)
			}
			for unit, of := range map[string][]float64{"ms-open": opened, "ms-open-and-first-extra": extra, "ms-later": later} {
				slices.Sort(of)
				b.ReportMetric(of[len(of)/2], unit)
			}
			b.ReportMetric(extra[len(extra)-1], "ms-most")
		})
	}
}

// TestStart is one start for BenchmarkReady.
func TestStart(t *testing.T) {
	file := os.Getenv("LOOKALIKE_START")
	if file == "" {
		t.Skip("only run by BenchmarkReady")
	}
	x := tensor.New(1, 224, 224, 3)
	for i := range x.Data() {
		x.Data()[i] = float32(i%256) - 128
	}
	start := time.Now()
	m, err := vgg.Open(file, vgg.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	opened := time.Since(start)
	layers := m.Layers()
	var times []time.Duration
	for range 6 {
		start := time.Now()
		if _, err := m.Outputs(t.Context(), x, layers[len(layers)-1].Name); err != nil {
			t.Fatal(err)
		}
		times = append(times, time.Since(start))
	}
	later := slices.Clone(times[1:])
	slices.Sort(later)
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	fmt.Println("start:", ms(opened), ms(times[0]), ms(later[len(later)/2]))
}

// What a network takes from a file in memory it does not make anew: no zeros of the
// same size, which would be made, cleared and thrown away.
func TestLoadMakesNoKernels(t *testing.T) {
	src := &mapped{arrays{values: random16()}}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	m := load(t, src, vgg.Config{NoTop: true})
	runtime.ReadMemStats(&after)
	defer m.Close()
	if made := after.TotalAlloc - before.TotalAlloc; made > 4<<20 {
		t.Errorf("loading 59 MB that are in memory made %d MB", made>>20)
	}
}
