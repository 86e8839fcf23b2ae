package client

import (
	"fmt"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/client/process"
)

// ending is how one process of a task ended.
type ending struct {
	success bool
	renew   bool // it was stopped to start again at once: not a matter of the restart policy
	message string
}

// supervise watches over a process until it has ended, and ends it when it must.
func (t *task) supervise(p *process.Process) ending {
	var change templateChange // what templates have changed since it was last acted on
	var due <-chan time.Time  // when to act on it
	for {
		changes := t.alloc.n.changes()
		if err := t.files.refresh(&change); err != nil {
			p.Stop(t.kill.signal, t.kill.timeout)
			return ending{message: err.Error()}
		}
		if due == nil && change.any() {
			due = time.After(change.splay)
		}
		select {
		case <-p.Done():
			return endOf(p)
		case <-t.stopping:
			t.set(api.TaskKilling, fmt.Sprintf("sent %s: %s", t.kill.signal, t.stopWhy), func() {})
			t.shutdownDelay(p)
			p.Stop(t.kill.signal, t.kill.timeout)
			return ending{message: t.stopWhy}
		case why := <-t.restarts:
			t.set(api.TaskRestartSignal, why, func() {})
			p.Stop(t.kill.signal, t.kill.timeout)
			return ending{message: why}
		case <-due:
			if change.restart {
				p.Stop(t.kill.signal, t.kill.timeout)
				return ending{renew: true, message: "a template changed"}
			}
			for _, signal := range change.signals {
				t.set(api.TaskSignaling, fmt.Sprintf("sent %s: a template changed", signal), func() {})
				_ = p.Signal(signal) // one that has ended needs none
			}
			change, due = templateChange{}, nil
		case <-changes:
		}
	}
}

// shutdownDelay waits between taking the services of a task away and stopping it, or until the process has ended itself.
func (t *task) shutdownDelay(p *process.Process) {
	if t.spec.ShutdownDelay <= 0 {
		return
	}
	select {
	case <-time.After(t.spec.ShutdownDelay):
	case <-p.Done():
	}
}
