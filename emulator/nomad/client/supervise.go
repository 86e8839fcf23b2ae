package client

import (
	"fmt"
	"time"

	"github.com/hashicorp/nomad/api"
)

// ending is how one process of a task ended.
type ending struct {
	success bool
	renew   bool // it was stopped to start again at once: not a matter of the restart policy
	message string
}

// supervise watches over a process until it has ended, and ends it when it must.
func (t *task) supervise(p *process) ending {
	var change templateChange // what templates have changed since it was last acted on
	var due <-chan time.Time  // when to act on it
	for {
		changes := t.alloc.n.changes()
		if err := t.files.refresh(&change); err != nil {
			p.stop(t.kill)
			return ending{message: err.Error()}
		}
		if due == nil && change.any() {
			due = time.After(change.splay)
		}
		select {
		case <-p.ended:
			return ending{success: p.success, message: p.message}
		case <-t.stopping:
			t.set(api.TaskKilling, fmt.Sprintf("sent %s: %s", t.kill.signal, t.stopWhy), func() {})
			t.shutdownDelay(p)
			p.stop(t.kill)
			return ending{message: t.stopWhy}
		case why := <-t.restarts:
			t.set(api.TaskRestartSignal, why, func() {})
			p.stop(t.kill)
			return ending{message: why}
		case <-due:
			if change.restart {
				p.stop(t.kill)
				return ending{renew: true, message: "a template changed"}
			}
			for _, signal := range change.signals {
				t.set(api.TaskSignaling, fmt.Sprintf("sent %s: a template changed", signal), func() {})
				p.signal(signal)
			}
			change, due = templateChange{}, nil
		case <-changes:
		}
	}
}

// shutdownDelay waits between taking the services of a task away and stopping it, or until the process has ended itself.
func (t *task) shutdownDelay(p *process) {
	if t.spec.ShutdownDelay <= 0 {
		return
	}
	select {
	case <-time.After(t.spec.ShutdownDelay):
	case <-p.ended:
	}
}
