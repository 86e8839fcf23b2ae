package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/client/allocdir"
	"github.com/drydock/drydock/emulator/nomad/client/driver"
	taskenv "github.com/drydock/drydock/emulator/nomad/client/environment"
	"github.com/drydock/drydock/emulator/nomad/client/hook"
)

// taskRunner runs one task of an allocation, again and again as its restart
// policy says.
type taskRunner struct {
	alloc   *allocRunner
	known   atomic.Pointer[api.Task] // as the job has it now
	stage   stage
	driver  driver.Driver // nil when the node does not have it
	dir     allocdir.Task
	env     taskenv.Env // without what identities and templates add
	logs    *taskLogs
	tracker restartTracker

	ctx      context.Context // ends with kill and halt
	cancel   context.CancelFunc
	restarts chan restartRequest

	fetched    bool // the artifacts are there
	identities identities
	socket     *http.Server // nil without

	killOnce sync.Once
	revival  chan struct{} // one that has ended well begins anew

	// Guarded by alloc.mu.
	state     api.TaskState
	open      chan struct{} // closed when it is the task's turn
	isOpen    bool
	done      chan struct{} // closed when it is dead
	held      bool          // it runs, but is to wait for its turn again
	abandoned bool          // the node vanishes: no time for a graceful end
	handle    driver.Handle
	starts    int
	templates hook.Templates
}

// restartRequest is why a task is to be stopped and started anew.
type restartRequest struct {
	event   *api.TaskEvent
	failure bool // the restart policy counts it
}

// newTaskRunner makes what runs a task that the servers know by a state, or do
// not know yet.
func newTaskRunner(a *allocRunner, spec *api.Task, known *api.TaskState) *taskRunner {
	t := &taskRunner{
		alloc: a, stage: stageOf(spec),
		driver:   a.node.drivers[spec.Driver],
		dir:      a.dir.Task(spec.Name),
		restarts: make(chan restartRequest, 1),
		revival:  make(chan struct{}, 1),
		open:     make(chan struct{}),
		done:     make(chan struct{}),
	}
	t.known.Store(spec)
	t.ctx, t.cancel = context.WithCancel(context.Background())
	t.tracker = restartTracker{mayFinish: t.stage.mayFinish(*a.alloc.Job.Type), jitter: rand.Float64}
	t.logs = newTaskLogs(spec, a.dir.Logs(), a.node.output, a.node.log)
	t.env = taskEnvironment(a.env, a.alloc, spec, t.paths(), t.pathsHere())
	t.restore(known)
	return t
}

// restore takes over what the servers know of the task.
func (t *taskRunner) restore(known *api.TaskState) {
	if known == nil || known.State == "" {
		t.state = api.TaskState{State: taskPending, Events: []*api.TaskEvent{receivedEvent()}}
		return
	}
	t.state = *known
	if known.State == taskDead {
		close(t.done)
		t.cancel()
		return
	}
	t.state.State = taskPending
	if !known.StartedAt.IsZero() { // its process is gone with the node that it was on
		t.starts, t.fetched = 1, true
		t.recordLocked(notRestoredEvent())
	}
}

// spec is the task as the job has it now.
func (t *taskRunner) spec() *api.Task { return t.known.Load() }

func (t *taskRunner) restartPolicy() *api.RestartPolicy {
	policy := t.spec().RestartPolicy
	if policy == nil {
		policy = t.alloc.group().RestartPolicy
	}
	return policy
}

func (t *taskRunner) capabilities() driver.Capabilities {
	if t.driver == nil {
		return driver.Capabilities{Virtual: true}
	}
	return t.driver.Capabilities()
}

// virtual reports whether nothing touches the task's directory unless somebody
// asks for it.
func (t *taskRunner) virtual() bool {
	return t.capabilities().Virtual && len(t.spec().Artifacts) == 0 && len(t.spec().Templates) == 0 &&
		t.spec().DispatchPayload == nil && !t.identities.exposed(t.spec())
}

// paths are the folders of the task as it sees them.
func (t *taskRunner) paths() taskPaths {
	if t.capabilities().Isolated {
		return isolatedPaths()
	}
	return t.pathsHere()
}

// pathsHere are the folders of the task as this machine has them.
func (t *taskRunner) pathsHere() taskPaths {
	return taskPaths{alloc: t.dir.Shared, local: t.dir.Local(), secrets: t.dir.Secrets()}
}

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
var errTaskNotRunning = errors.New("Task not running")

// startID names one start of the task.
func (t *taskRunner) startID() string {
	t.alloc.mu.Lock()
	defer t.alloc.mu.Unlock()
	t.starts++
	return fmt.Sprintf("%s/%s/%d", t.alloc.alloc.ID, t.spec().Name, t.starts)
}
