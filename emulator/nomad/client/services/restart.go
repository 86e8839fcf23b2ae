package services

import (
	"fmt"
	"sync"
	"time"

	consul "github.com/hashicorp/consul/api"
	"github.com/hashicorp/nomad/api"
)

// restart is a check_restart: it restarts the task, or all of them, when the
// check has been unwell for as long as limit probes take, after a time of
// grace. A nil one never does. It is safe for concurrent use.
type restart struct {
	spec     *api.CheckRestart
	interval time.Duration
	fire     func()

	mu     sync.Mutex
	began  time.Time   // when the task last started
	unwell bool        // by the last status
	timer  *time.Timer // it has been unwell since; nil while it is well
}

// newRestart is nil for a check that restarts nothing.
func (a *allocation) newRestart(c check) *restart {
	spec := c.spec.CheckRestart
	if spec == nil || spec.Limit <= 0 {
		return nil
	}
	return &restart{spec: spec, interval: c.spec.Interval, began: time.Now(), fire: func() { a.restartTasks(c) }}
}

// begin says that the task has started: the time of grace begins.
func (r *restart) begin() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.began = time.Now()
	r.stopLocked()
	r.scheduleLocked()
}

// observe takes in a status.
func (r *restart) observe(status string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unwell = status == consul.HealthCritical || status == consul.HealthWarning && !r.spec.IgnoreWarnings
	r.scheduleLocked()
}

// stop ends it for good.
func (r *restart) stop() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unwell = false
	r.stopLocked()
}

func (r *restart) stopLocked() {
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
}

// scheduleLocked counts on from the first time that it was unwell. Once it has
// fired, the timer stays until the task starts anew.
func (r *restart) scheduleLocked() {
	switch {
	case !r.unwell:
		r.stopLocked()
	case r.timer == nil:
		grace := max(time.Until(r.began.Add(*r.spec.Grace)), 0)
		r.timer = time.AfterFunc(grace+time.Duration(r.spec.Limit-1)*r.interval, r.fire)
	}
}

func (a *allocation) restartTasks(c check) {
	reason := fmt.Sprintf("healthcheck: check %q unhealthy", c.name)
	for _, t := range a.of.Tasks() {
		if c.task != "" && t.Spec().Name != c.task || !t.Running() {
			continue
		}
		t.Restart(&api.TaskEvent{
			Type: api.TaskRestartSignal, Time: time.Now().UnixNano(), DisplayMessage: reason, RestartReason: reason,
			Details: map[string]string{"restart_reason": reason},
		}, true)
	}
}
