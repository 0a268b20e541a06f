package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"sync"
	"time"

	"lookalike/internal/words"
)

// With --progress json all that people would read on standard error is written
// for programs instead: one JSON object a line, an event. 'lookalike help
// progress' documents them; fields may be added there, but none taken out.

type progressEvent struct {
	Event   string   `json:"event"` // "progress", and once at last "end"
	Job     string   `json:"job"`
	Unit    string   `json:"unit"`
	Done    int      `json:"done"`
	Total   int      `json:"total"`             // 0 if it is not known
	Rate    *float64 `json:"per_second"`        // null as long as it is not known
	Elapsed float64  `json:"seconds"`           // since the job began
	Left    *float64 `json:"seconds_left"`      // null as long as it is not known
	Text    string   `json:"details,omitempty"` // of what is being done just now
}

type epochEvent struct {
	Event   string   `json:"event"` // "epoch"
	Epoch   int      `json:"epoch"` // from 1
	Epochs  int      `json:"epochs"`
	Loss    float64  `json:"loss"`
	ValLoss *float64 `json:"val_loss,omitempty"` // where pictures are kept for validation
	Samples int      `json:"samples"`
	Rate    float64  `json:"per_second"`
	Seconds float64  `json:"seconds"`
}

type skippedEvent struct {
	Event  string `json:"event"` // "skipped"
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// textEvent is "note" or "warning".
type textEvent struct {
	Event string `json:"event"`
	Text  string `json:"text"`
}

// endEvent is the last line of a run that failed ("error") or was stopped.
type endEvent struct {
	Event  string `json:"event"`
	Text   string `json:"text"`
	Status int    `json:"status"` // that the program exits with
}

// events writes them, each whole, from any goroutine.
type events struct {
	mu  sync.Mutex
	out io.Writer
}

func (e *events) write(event any) {
	line, err := json.Marshal(event)
	if err != nil { // a number that JSON has no word for, such as a loss that is infinite
		line, _ = json.Marshal(textEvent{"note", fmt.Sprintf("%+v", event)})
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.out.Write(append(line, '\n'))
}

// eventEvery is how often progress is told to programs.
const eventEvery = 200 * time.Millisecond

// event is the job as one.
func (j job) event(kind string, now time.Time) progressEvent {
	e := progressEvent{Event: kind, Job: j.name, Unit: j.unit, Done: j.done, Total: j.total, Elapsed: round3(now.Sub(j.start).Seconds())}
	if j.heads[0] != j.name {
		e.Text = j.heads[0]
	}
	if speed, left, ok := j.speed(now); ok {
		speed, left = round3(speed), round3(left)
		e.Rate, e.Left = &speed, &left
	}
	return e
}

// Epoch is what is told when an epoch of a training is over.
type Epoch struct {
	Epoch, Epochs int
	Loss, ValLoss float64 // the latter NaN without pictures for validation
	Samples       int
	Seconds       float64
}

// Epoch tells of an epoch, in a line that stays.
func (p *Progress) Epoch(e Epoch) {
	rate := float64(e.Samples) / e.Seconds
	var val *float64
	validation := ""
	if !math.IsNaN(e.ValLoss) {
		val, validation = &e.ValLoss, fmt.Sprintf("  validation %.6f", e.ValLoss)
	}
	if p.events != nil {
		p.events.write(epochEvent{"epoch", e.Epoch, e.Epochs, e.Loss, val, e.Samples, round3(rate), round3(e.Seconds)})
		return
	}
	p.Line("epoch %*d/%d  loss %.6f%s  %s %s/s  %.1fs", len(fmt.Sprint(e.Epochs)), e.Epoch, e.Epochs, e.Loss, validation,
		words.PerSecond(rate), p.job.unit, e.Seconds)
}

// round3 leaves three digits behind the point: more say nothing about times.
func round3(x float64) float64 { return float64(int64(x*1000+0.5)) / 1000 }
