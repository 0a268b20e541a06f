package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestJobDraw(t *testing.T) {
	start := time.Unix(1000, 0)
	now := start.Add(10 * time.Second)
	j := job{heads: []string{"epoch 2/10  batch 3/7  loss 0.1234", "epoch 2/10  loss 0.1234", "epoch 2/10"},
		unit: "images", done: 300, total: 1200, start: start, since: start}
	for width, want := range map[int]string{
		120: "epoch 2/10  batch 3/7  loss 0.1234  ██████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  300/1200  30 images/s  30s left",
		80:  "epoch 2/10  batch 3/7  loss 0.1234  ██░░░░░░░░░  300/1200  30 images/s  30s left",
		60:  "epoch 2/10  batch 3/7  loss 0.1234  ███░░░░░░░░░░░  30s left",
		40:  "epoch 2/10  ████░░░░░░░░░░░░░░  30s left",
		24:  "epoch 2/10  30s left",
		5:   "epoch",
		0:   "",
	} {
		if got := j.draw(now, width); got != want {
			t.Errorf("width %d:\n got %q\nwant %q", width, got, want)
		}
	}
	for width := range 200 {
		for _, done := range []int{0, 1, 1199, 1200, 1300} {
			j.done = done
			if line := j.draw(now, width); utf8.RuneCountInString(line) > width {
				t.Errorf("width %d: %q has %d characters", width, line, utf8.RuneCountInString(line))
			}
		}
	}
	j.done = 1200
	if line := j.draw(now, 120); strings.Contains(line, "░") || !strings.HasSuffix(line, "  0s left") {
		t.Errorf("at the end: %q", line)
	}
	if got, want := (job{heads: []string{"Indexing"}, unit: "images", total: 7}).draw(now, 80), "Indexing  "+strings.Repeat("░", 40)+"  0/7"; got != want {
		t.Errorf("at the beginning: %q, want %q", got, want)
	}
}

// TestJobAhead: work in batches is told as it is done, not as it is begun: the time left
// falls from second to second, and the count rises in each.
func TestJobAhead(t *testing.T) {
	const each, batch, total = 100 * time.Millisecond, 32, 320 // a tenth of a second a picture
	start := time.Unix(1000, 0)
	j := job{heads: []string{"Indexing"}, unit: "images", total: total, start: start, since: start}
	j.set(100, 0, start) // known from before
	j.before = 100
	at := func(pictures int) time.Time { return start.Add(time.Duration(pictures) * each) }
	j.set(100, batch, at(0)) // one is read at once
	j.set(108, batch, at(8)) // the first, small one
	shown, last := j.shown(at(8)), 1e9
	for n := 10; n <= total-100; n += 10 { // each second
		if n/batch > (n-10)/batch {
			described := n / batch * batch
			j.set(100+described, min(batch, total-100-described), at(described))
		}
		now := j.shown(at(n))
		_, left, ok := j.speed(at(n))
		if now <= shown || now > 100+n+1 {
			t.Errorf("after %d pictures %d are shown, a second before %d", n, now, shown)
		}
		if truth := float64(total-100-n) / 10; !ok || left > last || left > truth+1 || left < truth-1 {
			t.Errorf("after %d pictures %.1f s are left, a second before %.1f; it is %.1f", n, left, last, truth)
		}
		shown, last = now, left
	}
	// A batch that takes longer than the ones before.
	j = job{total: 100, start: start, since: start}
	j.set(8, 64, at(8))
	if got := j.shown(at(1000)); got != 72 {
		t.Errorf("%d are shown of 72 that are under way", got)
	}
	j.set(40, 32, at(1000))
	if got := j.shown(at(1000)); got != 72 {
		t.Errorf("the count goes back to %d", got)
	}
}

// TestStopping: whoever stops a run is told how long what is under way takes.
func TestStopping(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "told"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	terminal := Terminal{Err: file, Way: "lines"}
	p := terminal.Progress("Indexing", "images", 1000)
	p.NoLines()
	p.SetAhead(0, 8)
	p.job.since = time.Now().Add(-time.Hour) // in which 8 pictures were described
	p.SetAhead(8, 32)
	p.Stopping("saving them")
	p.End()
	told, err := os.ReadFile(file.Name())
	if want := "Stopping in about 4h00m: saving them\n"; err != nil || string(told) != want {
		t.Errorf("told %q (%v), want %q", told, err, want)
	}
}
