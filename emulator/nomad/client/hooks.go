package client

import (
	"context"
	"syscall"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/client/allocdir"
	"github.com/drydock/drydock/emulator/nomad/client/driver"
	taskenv "github.com/drydock/drydock/emulator/nomad/client/environment"
	"github.com/drydock/drydock/emulator/nomad/client/hook"
)

// allocHook is an allocation as its services have it.
type allocHook struct{ a *allocRunner }

func (h allocHook) Allocation() *api.Allocation { return h.a.latest() }
func (h allocHook) Node() *api.Node             { return h.a.node.node.Load() }
func (h allocHook) Env() taskenv.Env            { return h.a.env }

func (h allocHook) Tasks() []hook.Task {
	tasks := make([]hook.Task, len(h.a.tasks))
	for i, t := range h.a.tasks {
		tasks[i] = taskHook{t}
	}
	return tasks
}

// taskHook is a task as its templates and services have it.
type taskHook struct{ t *taskRunner }

func (h taskHook) Allocation() *api.Allocation { return h.t.alloc.latest() }
func (h taskHook) Spec() *api.Task             { return h.t.spec() }
func (h taskHook) Node() *api.Node             { return h.t.alloc.node.node.Load() }
func (h taskHook) Dir() allocdir.Task          { return h.t.dir }
func (h taskHook) Env() taskenv.Env            { return h.t.environment() }
func (h taskHook) Token() string               { return h.t.identities.token(defaultIdentity) }
func (h taskHook) Running() bool               { return h.t.current() != nil }

func (h taskHook) Network() *driver.Network {
	if handle := h.t.current(); handle != nil {
		return handle.Network()
	}
	return nil
}

func (h taskHook) Emit(event *api.TaskEvent) { h.t.emit(event) }

func (h taskHook) Restart(event *api.TaskEvent, failure bool) {
	_ = h.t.restart(restartRequest{event: event, failure: failure}) // one that does not run starts anew anyway
}

func (h taskHook) Signal(event *api.TaskEvent, signal syscall.Signal) error {
	return h.t.signal(event, signal)
}

func (h taskHook) Kill(event *api.TaskEvent) { h.t.kill(event) }

func (h taskHook) Exec(ctx context.Context, command driver.Command) (int, error) {
	handle := h.t.current()
	if handle == nil {
		return 0, errTaskNotRunning
	}
	return handle.Exec(ctx, command)
}

// current is the handle of the running process; nil without.
func (t *taskRunner) current() driver.Handle {
	t.alloc.mu.Lock()
	defer t.alloc.mu.Unlock()
	return t.handle
}

// signal sends a signal to the running process.
func (t *taskRunner) signal(event *api.TaskEvent, signal syscall.Signal) error {
	handle := t.current()
	if handle == nil {
		return errTaskNotRunning
	}
	t.emit(event)
	return handle.Signal(signal)
}

// started tells the hooks that a process runs.
func (t *taskRunner) started() {
	t.alloc.withServices(func(s hook.Services) { s.Poststart(taskHook{t}) })
	if t.templates != nil {
		t.templates.Poststart()
	}
}

// leaveServices takes the services of the task away before it is stopped.
func (t *taskRunner) leaveServices() {
	t.alloc.withServices(func(s hook.Services) { s.PreKill(taskHook{t}) })
}

// exited tells the hooks that the process has ended.
func (t *taskRunner) exited() {
	t.alloc.withServices(func(s hook.Services) { s.Exited(taskHook{t}) })
}

// release ends what the task has beside its processes.
func (t *taskRunner) release() {
	t.alloc.mu.Lock()
	templates := t.templates
	t.templates = nil
	t.alloc.mu.Unlock()
	if templates != nil {
		templates.Stop()
	}
	t.closeSocket()
	t.logs.close()
}

// withServices tells the services of the allocation something, if it has some:
// one thing at a time.
func (a *allocRunner) withServices(tell func(s hook.Services)) {
	services := a.servicesNow()
	if services == nil {
		return
	}
	a.servicesTurn.Lock()
	defer a.servicesTurn.Unlock()
	tell(services)
}

func (a *allocRunner) servicesNow() hook.Services {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.services
}
