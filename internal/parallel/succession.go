package parallel

import (
	"sync/atomic"
	"time"
)

// succession tells whether calls of Awake follow each other so closely that a goroutine
// should be started, and stay, for work that is over before a processor wakes: a small
// network makes one prediction after the other.
//
// That pays while the goroutine has a processor of its own. Beside a busy process it is
// preempted now and then while it has a part, and the caller waits for it, some
// milliseconds, in which it would have made many predictions alone. So who is preempted
// stays away, the longer the more often it happens.
type succession struct {
	ended atomic.Int64 // when the last call was over
	count atomic.Int64 // of calls that followed the one before at once
	until atomic.Int64 // when goroutines that were preempted may come back
	away  atomic.Int64 // how long they stay away
}

const (
	// successive is how many calls make a succession.
	successive = 3

	// absence is how long a goroutine that only waits is not heard of if it has been
	// preempted: less than the shortest slice of time that others get.
	absence = 500 * time.Microsecond

	// Goroutines stay away for a time between these, four times as long each time. When
	// they were back for long without being preempted, it is the least again.
	leastAway, mostAway = 20 * time.Millisecond, 2 * time.Second
	longUndisturbed     = 100 * time.Millisecond
)

// begin notes that a call begins.
func (s *succession) begin() {
	if now() < time.Duration(s.ended.Load())+patience {
		s.count.Add(1)
	} else {
		s.count.Store(0)
	}
}

// end notes that a call is over.
func (s *succession) end() { s.ended.Store(int64(now())) }

// follow tells whether calls follow each other, and nobody has been preempted lately.
func (s *succession) follow() bool {
	if s.count.Load() < successive {
		return false
	}
	t := now()
	return t > time.Duration(s.until.Load()) && (awake.Load() > 0 || t < time.Duration(s.ended.Load())+patience)
}

// preempted notes that a goroutine has lost its processor.
func (s *succession) preempted() {
	t, until := now(), time.Duration(s.until.Load())
	if t < until {
		return // it is known
	}
	away := leastAway
	if t < until+longUndisturbed {
		away = min(4*time.Duration(s.away.Load()), mostAway)
	}
	s.away.Store(int64(away))
	s.until.Store(int64(t + away))
}
