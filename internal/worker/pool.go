package worker

import (
	"runtime"
	"sync"
)

// pool has the processes of this program.
type pool struct {
	freed *sync.Cond
	busy  int
	idle  []*process
}

var processes = pool{freed: sync.NewCond(new(sync.Mutex))}

// take returns a process that has nothing to do.
func (o *pool) take() (*process, error) {
	o.freed.L.Lock()
	for o.busy >= runtime.GOMAXPROCS(0) {
		o.freed.Wait()
	}
	o.busy++
	var p *process
	if n := len(o.idle); n > 0 {
		p, o.idle = o.idle[n-1], o.idle[:n-1]
	}
	o.freed.L.Unlock()
	if p != nil {
		return p, nil
	}
	p, err := start()
	if err != nil {
		o.give(nil)
	}
	return p, err
}

// give takes a process back, if it lives.
func (o *pool) give(p *process) {
	o.freed.L.Lock()
	o.busy--
	if p != nil && !p.ended {
		p.pixels = nil // what waits takes no memory
		o.idle = append(o.idle, p)
	}
	o.freed.L.Unlock()
	o.freed.Signal()
}
