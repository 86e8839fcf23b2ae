package client

import (
	"errors"
	"time"

	"github.com/hashicorp/nomad/api"
)

// errNotToRun is returned by what needs an allocation that is to run.
var errNotToRun = errors.New("restart of an alloc that should not run")

// RestartAllTasks has all tasks of an allocation stopped and started anew in
// their order, those as well that have ended well. It does not wait for that.
func (c *Client) RestartAllTasks(id string) error {
	a, err := c.find(id)
	if err != nil {
		return err
	}
	if a.isOver() {
		return errNotToRun
	}
	a.mu.Lock()
	a.rerun = true
	a.mu.Unlock()
	a.poke()
	return nil
}

// takeRerun reports, once, that all tasks are to be started anew.
func (a *allocRunner) takeRerun() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	is := a.rerun && !a.stopped && !a.halted
	a.rerun = false
	return is
}

// rerunTasks has all tasks but those of poststop started anew when it is their
// turn again.
func (a *allocRunner) rerunTasks() {
	for _, t := range a.tasks {
		if t.stage == poststop {
			continue
		}
		if t.reviveIfDone() {
			continue
		}
		_ = t.restart(restartRequest{event: restartSignaledEvent(userRestartAll)}) // one that does not run starts anyway
	}
}

// reviveIfDone has a task that has ended well begin anew, and one that has not
// ended wait for its turn. It reports whether it had ended.
func (t *taskRunner) reviveIfDone() bool {
	t.alloc.mu.Lock()
	defer t.alloc.mu.Unlock()
	if t.state.State == taskDead && t.state.Failed {
		return false
	}
	if t.isOpen {
		t.open, t.isOpen = make(chan struct{}), false
	}
	t.held = t.handle != nil
	if t.state.State != taskDead {
		return false
	}
	t.state.State, t.done = taskPending, make(chan struct{})
	t.recordLocked(restartSignaledEvent(userRestartAll))
	select {
	case t.revival <- struct{}{}:
	default:
	}
	return true
}

// awaitRevival waits until a task that has ended well is to begin anew; false is
// that it never will.
func (t *taskRunner) awaitRevival() bool {
	t.alloc.mu.Lock()
	final := t.state.Failed || !t.tracker.mayFinish || t.stage == poststop
	t.alloc.mu.Unlock()
	if final {
		return false
	}
	select {
	case <-t.revival:
		return true
	case <-t.alloc.overseen:
		return false
	case <-t.ctx.Done():
		return false
	}
}

// stopUnheard ends the allocations that are not to outlive so long a silence
// between the node and the servers.
func (s *session) stopUnheard(silence time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.runners {
		if limit := silenceLimit(a.group()); limit > 0 && silence >= limit {
			a.stop()
		}
	}
}

// silenceLimit is how long a group runs on without the servers; 0 is for ever.
func silenceLimit(group *api.TaskGroup) time.Duration {
	if group.Disconnect == nil || group.Disconnect.StopOnClientAfter == nil {
		return 0
	}
	return *group.Disconnect.StopOnClientAfter
}
