// Package hook is the vocabulary between a node and what it does around its
// tasks: packages template and services implement it, package client calls it.
// It does nothing by itself.
package hook

import (
	"context"
	"syscall"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/client/allocdir"
	"github.com/drydock/drydock/emulator/nomad/client/driver"
	"github.com/drydock/drydock/emulator/nomad/client/environment"
)

// Task is a task of an allocation as a hook has it. Its methods may be called
// from any goroutine, before the task starts and after it has ended.
type Task interface {
	// Allocation is what the servers said last, with its job. It is not changed.
	Allocation() *api.Allocation
	// Spec is the task of the allocation's job. It is not changed.
	Spec() *api.Task
	// Node is the node of the allocation. It is not changed.
	Node() *api.Node
	Dir() allocdir.Task
	// Env is the environment as the next start of the task has it, with what
	// env templates add.
	Env() environment.Env
	// Token is the default identity of the task, which a template reads Nomad
	// with; empty without one.
	Token() string
	// Running reports whether a process of the task runs.
	Running() bool
	// Network is where the task is reached; nil for the machine's address.
	Network() *driver.Network

	// Emit adds an event: Type, DisplayMessage and Details are the caller's to
	// say, Time is added where it is missing.
	Emit(event *api.TaskEvent)
	// Restart has the task stopped and started anew, and returns at once. The
	// event says why (Type Restart Signaled); failure says whether the restart
	// policy counts it.
	Restart(event *api.TaskEvent, failure bool)
	// Signal sends a signal; the event (Type Signaling) says why.
	Signal(event *api.TaskEvent, signal syscall.Signal) error
	// Kill ends the task for good, and with it the allocation if the event
	// FailsTask. It returns at once.
	Kill(event *api.TaskEvent)
	// Exec runs a command within the running task and returns its exit code.
	Exec(ctx context.Context, command driver.Command) (exitCode int, err error)
}

// Templates renders the template blocks of one task over its whole life.
type Templates interface {
	// Prestart is called before every start of the task, and returns when every
	// template is rendered. The error is why one cannot be: the task fails with it.
	Prestart(ctx context.Context) error
	// Env are the variables of the env templates, as rendered last.
	Env() map[string]string
	// Poststart says that the task runs: a change acts on it from now on.
	Poststart()
	// Stop ends all of it, and returns when nothing of it runs any more.
	Stop()
}

// NewTemplates makes what renders the templates of a task that has some.
type NewTemplates func(task Task) (Templates, error)

// Services registers the services of one allocation, of the group and of its
// tasks, and runs their checks. The calls of one allocation come one at a time.
type Services interface {
	// Prerun is called before any task starts: the services of the group are
	// registered from here on.
	Prerun(ctx context.Context) error
	// Poststart says that a task runs, after each start.
	Poststart(task Task)
	// PreKill is called before a task is stopped for good or for a restart, before
	// its shutdown_delay: its services go.
	PreKill(task Task)
	// Exited is called after each end of a task.
	Exited(task Task)
	// PreKillGroup is called before the tasks of the allocation are stopped for
	// good, before the group's shutdown_delay: the services of the group go.
	PreKillGroup()
	// Update says that the servers have changed the allocation or its job in
	// place, such as that a canary was promoted.
	Update(alloc *api.Allocation)
	// Healthy reports whether every check that counts for the health of a
	// deployment passes, and returns a channel that is closed when it changes.
	Healthy() (healthy bool, changed <-chan struct{})
	// Checks are the results of the checks that the node itself runs, by ID.
	Checks() api.AllocCheckStatuses
	// Stop ends all of it, and returns when nothing of it runs or is registered
	// any more.
	Stop()
}

// Allocation is an allocation as its services have it.
type Allocation interface {
	// Allocation is what the servers said last, with its job. It is not changed.
	Allocation() *api.Allocation
	Node() *api.Node
	// Env is the environment of the group, without that of a task.
	Env() environment.Env
	// Tasks are all tasks of the allocation, in the order of the job.
	Tasks() []Task
}

// NewServices makes what registers the services of an allocation that has some.
type NewServices func(alloc Allocation) (Services, error)
