package cli

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestJobDraw(t *testing.T) {
	start := time.Unix(1000, 0)
	now := start.Add(10 * time.Second)
	j := job{heads: []string{"epoch 2/10  batch 3/7  loss 0.1234", "epoch 2/10  loss 0.1234", "epoch 2/10"},
		unit: "images", done: 300, total: 1200, start: start}
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
