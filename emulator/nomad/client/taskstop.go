package client

import (
	"errors"
	"syscall"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
)

// restartRequest is why a task is to be stopped and started anew.
type restartRequest struct {
	event   *api.TaskEvent
	failure bool // the restart policy counts it
}

// supervise waits for the end of the process, and brings it about when it must.
// It returns the restart that was asked for, if that was the reason.
func (t *taskRunner) supervise(handle driver.Handle) *restartRequest {
	select {
	case <-handle.Done():
		return nil
	case <-t.ctx.Done():
		t.leaveServices()
		t.shutdownDelay(handle)
		t.stop(handle)
		return nil
	case request := <-t.restarts:
		t.leaveServices()
		t.stop(handle)
		return &request
	}
}

// stop ends the process as the job says, or at once when the node vanishes.
func (t *taskRunner) stop(handle driver.Handle) {
	t.alloc.mu.Lock()
	abandoned := t.abandoned
	t.alloc.mu.Unlock()
	if abandoned {
		handle.Stop(syscall.SIGKILL, 0)
		return
	}
	order := killOrderOf(t.spec())
	handle.Stop(order.signal, order.timeout)
}

// shutdownDelay waits between taking the services of the task away and stopping
// it, or until the process has ended by itself.
func (t *taskRunner) shutdownDelay(handle driver.Handle) {
	t.alloc.mu.Lock()
	skip := t.alloc.alloc.DesiredTransition.NoShutdownDelay
	halted := t.alloc.halted
	t.alloc.mu.Unlock()
	if t.spec().ShutdownDelay <= 0 || halted || skip != nil && *skip {
		return
	}
	t.emit(shutdownDelayEvent(t.spec().ShutdownDelay))
	select {
	case <-time.After(t.spec().ShutdownDelay):
	case <-handle.Done():
	case <-t.alloc.ctx.Done():
	}
}

// kill ends the task for good, and returns at once. The event says why, if there
// is more to say. The first reason stays.
func (t *taskRunner) kill(event *api.TaskEvent) {
	t.killOnce.Do(func() {
		if event != nil {
			t.emit(event)
		}
		t.emit(killingEvent(killOrderOf(t.spec()).timeout))
		t.cancel()
	})
}

// halt ends the task with its node, which tells nobody.
func (t *taskRunner) halt(gracefully bool) {
	t.alloc.mu.Lock()
	t.abandoned = !gracefully
	handle := t.handle
	t.alloc.mu.Unlock()
	t.cancel()
	if !gracefully && handle != nil {
		handle.Stop(syscall.SIGKILL, 0) // one that is being ended gracefully as well
	}
}

// restart has the task stopped and started anew, and returns at once. While a
// restart is asked for already it does nothing.
func (t *taskRunner) restart(request restartRequest) error {
	t.alloc.mu.Lock()
	running := t.handle != nil
	t.alloc.mu.Unlock()
	if !running {
		return errTaskNotRunning
	}
	t.emit(request.event)
	select {
	case t.restarts <- request:
	default:
	}
	return nil
}

// errTaskNotRunning is returned by what needs a running task.
//
//lint:ignore ST1005 the words of the API
var errTaskNotRunning = errors.New("Task not running")
