package client

import (
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/client/hook"
)

// stop ends the tasks as the servers want it, and returns at once.
func (a *allocRunner) stop() {
	a.mu.Lock()
	begun := a.stopped || a.halted || a.ended
	if !begun {
		close(a.stopping)
	}
	a.stopped = true
	a.mu.Unlock()
	if !begun {
		a.spawn(a.stopTasks)
	}
}

// stopTasks ends the tasks: after the group's shutdown_delay, the leader first,
// then the others together.
func (a *allocRunner) stopTasks() {
	a.withServices(hook.Services.PreKillGroup)
	a.shutdownDelay()
	for _, t := range a.tasks {
		if t.spec().Leader {
			t.kill(nil)
			<-t.ended()
		}
	}
	a.killTasks(nil)
}

// killTasks ends all tasks but those of poststop; the event, made for each, says
// why if there is more to say than that.
func (a *allocRunner) killTasks(event func() *api.TaskEvent) {
	for _, t := range a.tasks {
		if t.stage == poststop || t.dead() {
			continue
		}
		if event == nil {
			t.kill(nil)
		} else {
			t.kill(event())
		}
	}
}

// shutdownDelay waits between taking the services of the group away and
// stopping its tasks, or until they have ended by themselves.
func (a *allocRunner) shutdownDelay() {
	a.mu.Lock()
	skip := a.alloc.DesiredTransition.NoShutdownDelay
	a.mu.Unlock()
	delay := a.group().ShutdownDelay
	if delay == nil || *delay <= 0 || skip != nil && *skip {
		return
	}
	over := time.After(*delay)
	for _, t := range a.tasks {
		if t.stage == poststop {
			continue
		}
		select {
		case <-t.ended():
		case <-over:
			return
		case <-a.ctx.Done():
			return
		}
	}
}

// halt ends the allocation with its node, of which the servers hear nothing.
// Gracefully is with the kill_signal and kill_timeout of the tasks.
func (a *allocRunner) halt(gracefully bool) {
	a.mu.Lock()
	a.halted = true
	a.mu.Unlock()
	a.cancel()
	for _, t := range a.tasks {
		t.halt(gracefully)
	}
}
