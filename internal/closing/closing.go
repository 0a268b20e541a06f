// Package closing lets what is in use on many goroutines be closed: calls in flight
// are waited for, later ones refused.
package closing

import (
	"io/fs"
	"sync"
)

// Error is of what has been closed, by its name, such as "vgg: the model". It is
// [io/fs.ErrClosed].
type Error string

func (e Error) Error() string { return string(e) + " has been closed" }

// Is makes it one error for all packages.
func (e Error) Is(target error) bool { return target == fs.ErrClosed }

// Guard counts the calls in flight. Its zero value is open. A sync.RWMutex would
// not do: a call that is in flight while Close waits may enter once more, for
// something that it needs, and would wait for Close, which waits for it.
type Guard struct {
	mu       sync.Mutex
	calls    int
	closed   bool // nobody enters any more
	released bool
	left     sync.Cond
}

// Enter begins a call, which Leave ends. It is false once Close has been called.
func (g *Guard) Enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.calls++
	return true
}

// Leave ends what Enter began.
func (g *Guard) Leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.calls--; g.calls < 0 {
		panic("closing.Leave: more calls have ended than begun")
	}
	if g.calls == 0 {
		g.left.Broadcast()
	}
}

// Close refuses further calls, waits for the end of those in flight, and then calls
// release, which may be nil. It is called once; another Close waits too, and returns
// nil.
func (g *Guard) Close(release func() error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	g.left.L = &g.mu
	for g.calls > 0 {
		g.left.Wait()
	}
	if g.released || release == nil {
		return nil
	}
	g.released = true
	return release()
}
