package client

import (
	"sync"
	"time"

	"github.com/hashicorp/nomad/api"
)

// reports tells the servers what has become of allocations. What changes while
// they store one report makes up the next.
type reports struct {
	session *session
	wake    chan struct{}

	mu       sync.Mutex
	dirty    map[*allocRunner]bool
	neverRun []*api.Allocation
}

// reportPause is the least time between two reports, so that the changes of
// many allocations are few reports.
const reportPause = 10 * time.Millisecond

func newReports(s *session) *reports {
	return &reports{session: s, wake: make(chan struct{}, 1), dirty: map[*allocRunner]bool{}}
}

// add has the servers told of an allocation as it is then.
func (r *reports) add(a *allocRunner) {
	r.mu.Lock()
	r.dirty[a] = true
	r.mu.Unlock()
	r.poke()
}

// addNeverRun has the servers told that an allocation has ended.
func (r *reports) addNeverRun(alloc *api.Allocation) {
	r.mu.Lock()
	r.neverRun = append(r.neverRun, neverRun(alloc))
	r.mu.Unlock()
	r.poke()
}

func (r *reports) poke() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// send sends reports until the node ends.
func (r *reports) send() {
	for {
		select {
		case <-r.wake:
		case <-r.session.ctx.Done():
			return
		}
		pause := reportPause
		if err := r.sendOne(); err != nil {
			r.session.log.Debug("report is not heard", "node", r.session.name(), "error", err)
			pause = serverRetry
		}
		if !r.session.pause(pause) {
			return
		}
	}
}

// sendOne sends what there is to tell. What is not heard is told again.
func (r *reports) sendOne() error {
	r.mu.Lock()
	dirty, never := r.dirty, r.neverRun
	r.dirty, r.neverRun = map[*allocRunner]bool{}, nil
	r.mu.Unlock()
	updates := never
	for a := range dirty {
		if update := a.report(); update != nil {
			updates = append(updates, update)
		}
	}
	if len(updates) == 0 {
		return nil
	}
	err := r.session.options.Server.UpdateAllocations(updates)
	if err == nil {
		return nil
	}
	r.mu.Lock()
	for a := range dirty {
		r.dirty[a] = true
	}
	r.neverRun = append(never, r.neverRun...)
	r.mu.Unlock()
	r.poke()
	return err
}

// report is what to tell of an allocation; nil when its node ends.
func (a *allocRunner) report() *api.Allocation {
	a.mu.Lock()
	halted := a.halted
	a.mu.Unlock()
	if halted {
		return nil
	}
	return a.snapshot()
}
