package cli

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"lookalike/internal/words"
)

// Progress shows how far a long job is: as a bar where standard error is a
// terminal, as a line now and then where it is not, as events for programs, and
// not at all if the program is to be quiet. --progress says which.
type Progress struct {
	bars   *mpb.Progress // nil without a terminal
	bar    *mpb.Bar
	events *events   // for programs, or nil
	out    io.Writer // where lines go
	err    io.Writer // the terminal
	each   time.Duration

	mu   sync.Mutex
	job  job
	told time.Time // when the last line was written
}

// job is what a progress shows.
type job struct {
	name        string   // the same from start to end
	heads       []string // what is being done, from the longest wording to the shortest
	unit        string   // of what is counted, in plural
	done, total int
	start       time.Time

	// The rate is that since a moment by when so much was done.
	since  time.Time
	before int
	warm   bool // the first batch, which takes longer, is over

	// Of what comes next so much is under way since done was told last.
	ahead int
	told  time.Time
	least int // that has been shown: the count does not go back
}

// lineEvery is how often a line is written where there is no terminal.
const lineEvery = 5 * time.Second

// Progress starts to show a job of total parts. The caller must call End.
func (t *Terminal) Progress(what, unit string, total int) *Progress {
	now := time.Now()
	p := &Progress{out: t.Err, err: t.Err, each: lineEvery, told: now,
		job: job{name: what, heads: []string{what}, unit: unit, total: total, start: now, since: now}}
	switch {
	case t.Quiet, t.Way == "none":
		p.out = io.Discard
	case t.Way == "json":
		p.events, p.each = t.events, eventEvery
		p.events.write(p.job.event("progress", now))
	case t.watched():
		p.bars = mpb.New(mpb.WithOutput(t.Err), mpb.WithAutoRefresh())
		p.bar = p.bars.MustAdd(0, mpb.BarFillerFunc(p.fill), mpb.BarFillerTrim())
		p.out = p.bars
	}
	return p
}

// Set tells how much is done, and in other words what, if heads are given.
func (p *Progress) Set(done int, heads ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.job.set(done, 0, now)
	if len(heads) > 0 {
		p.job.heads = heads
	}
	p.tell(now)
}

// SetAhead is Set for work that is done in batches: so much is done, and so much more is
// under way, of which as much is shown as done as the rate lets expect.
func (p *Progress) SetAhead(done, ahead int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.job.set(done, ahead, now)
	p.tell(now)
}

// set notes how much is done, and how much is under way.
func (j *job) set(done, ahead int, now time.Time) {
	if j.ahead > 0 {
		j.least = j.shown(now)
	}
	if done > j.done && (ahead > 0 || j.ahead > 0) {
		if j.done > j.before && !j.warm {
			j.since, j.before, j.warm = j.told, j.done, true
		}
	}
	if done != j.done || j.told.IsZero() {
		j.done, j.told = done, now
	}
	j.ahead = ahead
}

// tell writes a line, if it is time for one.
func (p *Progress) tell(now time.Time) {
	switch {
	case p.bars != nil, now.Sub(p.told) < p.each:
		return
	case p.events != nil:
		p.events.write(p.job.event("progress", now))
	default:
		fmt.Fprintln(p.out, p.job.text(now))
	}
	p.told = now
}

// Reword tells in other words what is being done.
func (p *Progress) Reword(heads ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.job.heads = heads
}

// NoLines keeps from writing lines where there is no terminal: the caller does.
func (p *Progress) NoLines() {
	if p.events == nil {
		p.each = math.MaxInt64
	}
}

// Total is how much there is to do, 0 if it is not known.
func (p *Progress) Total() int { return p.job.total }

// Restart counts the time from now on: what came before says nothing about the
// rate of what is counted.
func (p *Progress) Restart() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.job.since, p.job.before = time.Now(), p.job.done
}

// Stopping tells that the work has been asked to stop, what is done before that, and how long
// it takes: the time for what is under way.
func (p *Progress) Stopping(what string) {
	p.mu.Lock()
	in := ""
	now := time.Now()
	if speed, _, ok := p.job.speed(now); ok && p.job.ahead > 0 {
		in = " in about " + words.Duration(float64(max(p.job.done+p.job.ahead-p.job.shown(now), 1))/speed)
	}
	p.mu.Unlock()
	if p.bars != nil {
		p.Reword(fmt.Sprintf("Stopping%s: %s; Ctrl-C again ends at once", in, what), fmt.Sprintf("Stopping%s; Ctrl-C again ends at once", in), "Stopping"+in, "Stopping")
		return
	}
	p.Line("Stopping%s: %s", in, what)
}

// Line writes a line that stays.
func (p *Progress) Line(format string, args ...any) {
	if p.events != nil {
		p.events.write(textEvent{"note", fmt.Sprintf(format, args...)})
		return
	}
	start := ""
	if p.bars != nil {
		start = lineStart
	}
	fmt.Fprintf(p.out, start+format+"\n", args...)
}

// lineStart takes the cursor back to the start of the line. The terminal moves
// it when it shows ^C, and mpb then redraws from there.
const lineStart = "\r"

// End takes the bar away. It may be called again.
func (p *Progress) End() {
	p.mu.Lock()
	if p.events != nil {
		p.events.write(p.job.event("end", time.Now()))
		p.events, p.out, p.each = nil, io.Discard, math.MaxInt64
	}
	p.mu.Unlock()
	if p.bars != nil {
		p.bar.Abort(true)
		p.bars.Wait()
		fmt.Fprint(p.err, lineStart+"        "+lineStart)
		p.bars, p.out = nil, p.err
	}
}

// fill draws the bar's line.
func (p *Progress) fill(w io.Writer, s decor.Statistics) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, err := io.WriteString(w, lineStart+p.job.draw(time.Now(), s.AvailableWidth))
	return err
}

const (
	shortestBar = 10
	longestBar  = 40
)

// draw is the job as one line with a bar, at most width characters. Where that
// is narrow, what matters least is left out.
func (j job) draw(now time.Time, width int) string {
	count, rate, left := j.numbers(now)
	done := j.shown(now)
	for _, head := range j.heads {
		for _, tail := range []string{words.Spaced(count, rate, left), words.Spaced(count, left), cmp.Or(left, count)} {
			room := min(width-len(head)-len(tail)-4, longestBar)
			if room >= shortestBar {
				filled := min(room*done/max(j.total, 1), room)
				return words.Spaced(head, strings.Repeat("█", filled)+strings.Repeat("░", room-filled), tail)
			}
		}
	}
	line := words.Spaced(j.heads[len(j.heads)-1], left)
	return line[:min(len(line), max(width, 0))]
}

// text is the job as a line without a bar.
func (j job) text(now time.Time) string {
	count, rate, left := j.numbers(now)
	return words.Spaced(j.heads[0], count, rate, left)
}

// numbers are how much is done, how fast, and how long the rest will take; the
// latter are empty as long as they are not known.
func (j job) numbers(now time.Time) (count, rate, left string) {
	count = fmt.Sprintf("%d/%d", j.shown(now), j.total)
	if speed, seconds, ok := j.speed(now); ok {
		rate = words.PerSecond(speed) + " " + j.unit + "/s"
		left = words.Duration(seconds) + " left"
	}
	return count, rate, left
}

// shown is how much people are told is done: of what is under way, as much as the rate so
// far lets expect.
func (j job) shown(now time.Time) int {
	took := j.told.Sub(j.since).Seconds()
	if j.ahead < 1 || j.done <= j.before || took <= 0 {
		return j.done
	}
	more := float64(j.done-j.before) / took * now.Sub(j.told).Seconds()
	return max(j.done+int(min(more, float64(j.ahead))), min(j.least, j.done+j.ahead))
}

// speed is how much is done in a second, and how many seconds the rest will take.
func (j job) speed(now time.Time) (perSecond, left float64, ok bool) {
	elapsed, done := now.Sub(j.since).Seconds(), j.shown(now)
	if done <= j.before || elapsed <= 0 {
		return 0, 0, false
	}
	perSecond = float64(done-j.before) / elapsed
	return perSecond, float64(max(j.total-done, 0)) / perSecond, true
}
