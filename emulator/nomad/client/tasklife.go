package client

import (
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
)

// run runs the task until it is dead, and again while it is revived.
func (t *taskRunner) run() {
	defer t.cancel()
	for t.live(); t.awaitRevival(); t.live() {
	}
}

// live runs the task until it is dead.
func (t *taskRunner) live() {
	defer t.die()
	t.tracker.started(time.Now())
	for {
		if !t.awaitTurn() {
			return
		}
		next := t.attempt()
		if t.ctx.Err() != nil {
			return
		}
		if !next.restart {
			if next.reason != "" {
				t.emit(notRestartingEvent(next.reason))
			}
			return
		}
		t.waiting(next)
		if !t.pause(next.delay) {
			return
		}
	}
}

// awaitTurn waits until the task may start; false is that it must not.
func (t *taskRunner) awaitTurn() bool {
	t.alloc.mu.Lock()
	open := t.open
	t.alloc.mu.Unlock()
	select {
	case <-open:
		return t.ctx.Err() == nil
	case <-t.ctx.Done():
		return false
	}
}

// attempt starts the task once and sees it to its end. What it returns does not
// count once the context has ended.
func (t *taskRunner) attempt() decision {
	task, err := t.prepare()
	if err != nil {
		return t.failed(err)
	}
	handle, err := t.driver.Start(t.ctx, task)
	if err != nil {
		if t.ctx.Err() != nil {
			return decision{}
		}
		return t.failed(&setupError{event: driverFailureEvent(err), recoverable: isRecoverable(err)})
	}
	t.running(handle)
	request := t.supervise(handle)
	exit := handle.Exit()
	t.stoppedRunning(terminatedEvent(exit))
	switch {
	case t.ctx.Err() != nil:
		t.emit(killedEvent())
		return decision{}
	case request != nil && !request.failure:
		return decision{restart: true}
	}
	return t.decide(exit.Successful() && request == nil)
}

// setupError is why a task was not started.
type setupError struct {
	event       *api.TaskEvent
	recoverable bool
}

func (e *setupError) Error() string { return e.event.DisplayMessage }

func isRecoverable(err error) bool {
	var recoverable *driver.RecoverableError
	return errors.As(err, &recoverable)
}

// failed records why the task was not started, and decides what follows.
func (t *taskRunner) failed(err error) decision {
	if t.ctx.Err() != nil {
		return decision{}
	}
	setup := &setupError{}
	if !errors.As(err, &setup) {
		setup = &setupError{event: hookFailedEvent(err), recoverable: isRecoverable(err)}
	}
	t.emit(setup.event)
	if !setup.recoverable {
		return decision{reason: restartUnrecoverable}
	}
	return t.decide(false)
}

// decide applies the restart policy to an end of the task.
func (t *taskRunner) decide(success bool) decision {
	t.tracker.policy = t.restartPolicy()
	return t.tracker.ended(time.Now(), success)
}

// pause waits before a restart; false means that the task is to end instead.
func (t *taskRunner) pause(d time.Duration) bool {
	if d <= 0 {
		return t.ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return t.ctx.Err() == nil
	case <-t.ctx.Done():
		return false
	}
}

// startID names one start of the task.
func (t *taskRunner) startID() string {
	t.alloc.mu.Lock()
	defer t.alloc.mu.Unlock()
	t.starts++
	return fmt.Sprintf("%s/%s/%d", t.alloc.alloc.ID, t.spec().Name, t.starts)
}
