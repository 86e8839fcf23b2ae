package client

import (
	"slices"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
)

// The states of a task, as Nomad names them.
const (
	taskPending = "pending"
	taskRunning = "running"
	taskDead    = "dead"
)

// emit adds an event to the task's, with what it changes of the state.
func (t *taskRunner) emit(event *api.TaskEvent) { t.record(event, func(*api.TaskState) {}) }

// record adds an event together with a change of state. A node that ends tells
// nobody, and remembers nothing.
func (t *taskRunner) record(event *api.TaskEvent, change func(state *api.TaskState)) {
	a := t.alloc
	a.mu.Lock()
	if !a.halted {
		t.recordLocked(event)
	}
	change(&t.state)
	a.mu.Unlock()
	a.changed()
}

func (t *taskRunner) recordLocked(event *api.TaskEvent) {
	if event == nil {
		return
	}
	if event.Time == 0 {
		event.Time = time.Now().UnixNano()
	}
	if event.Details == nil {
		event.Details = map[string]string{}
	}
	if event.FailsTask {
		t.state.Failed = true
	}
	kept := t.state.Events
	if len(kept) >= maxTaskEvents {
		kept = kept[len(kept)-maxTaskEvents+1:]
	}
	t.state.Events = append(slices.Clip(kept), event)
	t.alloc.node.log.Debug("task event", "allocation", t.alloc.alloc.ID, "task", t.spec().Name,
		"event", event.Type, "message", event.DisplayMessage)
}

// running records that a process of the task runs.
func (t *taskRunner) running(handle driver.Handle) {
	t.record(startedEvent(), func(state *api.TaskState) {
		t.handle, t.held = handle, false
		state.State, state.StartedAt = taskRunning, time.Now().UTC()
	})
	t.started()
}

// stoppedRunning records that the process has ended.
func (t *taskRunner) stoppedRunning(event *api.TaskEvent) {
	t.record(event, func(*api.TaskState) { t.handle = nil })
	t.exited()
	select {
	case <-t.restarts: // it was of the process that has ended
	default:
	}
}

// waiting records that the task starts again, and when.
func (t *taskRunner) waiting(next decision) {
	t.record(restartingEvent(next.reason, next.delay), func(state *api.TaskState) {
		state.State, state.LastRestart = taskPending, time.Now().UTC()
		state.Restarts++
	})
}

// die records that the task has ended for good.
func (t *taskRunner) die() {
	t.release()
	t.record(nil, func(state *api.TaskState) {
		state.State, state.FinishedAt = taskDead, time.Now().UTC()
		close(t.done)
	})
}

// openLocked lets the task start.
func (t *taskRunner) openLocked() {
	if !t.isOpen {
		t.isOpen = true
		close(t.open)
	}
}

// dead reports whether the task has ended for good.
func (t *taskRunner) dead() bool {
	t.alloc.mu.Lock()
	defer t.alloc.mu.Unlock()
	return t.state.State == taskDead
}

// runsLocked reports whether a process runs that is not about to be stopped.
func (t *taskRunner) runsLocked() bool { return t.state.State == taskRunning && !t.held }

// doneLocked reports whether the task has ended, and well.
func (t *taskRunner) doneLocked() bool { return t.state.State == taskDead && !t.state.Failed }

// ended is closed when the task is dead.
func (t *taskRunner) ended() <-chan struct{} {
	t.alloc.mu.Lock()
	defer t.alloc.mu.Unlock()
	return t.done
}
