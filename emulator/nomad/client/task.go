package client

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/client/process"
)

// task runs one task of an allocation: again and again, as its restart policy says.
type task struct {
	alloc *allocation
	spec  *api.Task
	dir   string
	env   environment // without what templates add
	kill  killOrder   // how to end a process of it
	files *templates
	logs  *taskLogs

	spoiled  error       // why its directory could not be made; set before run
	restarts chan string // asks for a restart, with the reason; the asker does not wait
	done     chan struct{}

	stopOnce sync.Once
	stopping chan struct{}
	stopKind string // the event that tells why it was stopped; set before stopping is closed
	stopWhy  string

	// Guarded by n.mu.
	state     string
	failed    bool
	restarted int
	pid       int
	event     Event
}

func newTask(a *allocation, spec *api.Task) (*task, error) {
	t := &task{
		alloc: a, spec: spec,
		dir:      filepath.Join(a.dir, spec.Name),
		restarts: make(chan string, 1),
		done:     make(chan struct{}),
		stopping: make(chan struct{}),
		state:    taskPending,
		event:    Event{Time: a.created, Type: api.TaskReceived, Message: "task received by the node"},
	}
	env, err := t.newEnvironment()
	if err != nil {
		return nil, err
	}
	t.env = env
	signal, err := signalNamed(spec.KillSignal)
	if err != nil {
		return nil, err
	}
	t.kill = killOrder{signal: signal, timeout: *spec.KillTimeout}
	t.files = &templates{task: t, rendered: make([]string, len(spec.Templates))}
	t.logs = newTaskLogs(spec, a.logDir(), a.n.output, a.n.log)
	return t, nil
}

func (t *task) localDir() string   { return filepath.Join(t.dir, "local") }
func (t *task) secretsDir() string { return filepath.Join(t.dir, "secrets") }

// stop tells the task to end, gracefully, and returns at once. The first reason stays.
func (t *task) stop(kind, why string) {
	t.stopOnce.Do(func() {
		t.stopKind, t.stopWhy = kind, why
		close(t.stopping)
	})
}

// askRestart asks for a restart; while one is asked for already it does nothing.
func (t *task) askRestart(why string) {
	select {
	case t.restarts <- why:
	default:
	}
}

// run runs the task until it ends for good.
func (t *task) run() {
	defer close(t.done)
	defer t.logs.close()
	tracker := restartTracker{policy: t.spec.RestartPolicy, mayFinish: *t.alloc.job.Type == api.JobTypeBatch, jitter: rand.Float64}
	for {
		if t.isStopping() {
			t.end(false, t.stopKind, t.stopWhy)
			return
		}
		p, kind, err := t.start()
		if err != nil {
			t.end(true, kind, err.Error())
			return
		}
		tracker.started(time.Now())
		e := t.supervise(p)
		t.clearRestart()
		next := decision{restart: true}
		if !e.renew {
			next = tracker.ended(time.Now(), e.success)
		}
		switch {
		case t.isStopping():
			t.end(false, t.stopKind, t.stopWhy)
			return
		case next.restart:
			t.waiting(e, next)
			if !t.pause(next.delay) {
				t.end(false, t.stopKind, t.stopWhy)
				return
			}
		case next.reason == "": // it has done its work
			t.end(false, api.TaskTerminated, e.message)
			return
		default:
			t.end(true, api.TaskNotRestarting, e.message+": "+next.reason)
			return
		}
	}
}

// start prepares and starts one process. The kind is the event that tells of the error.
func (t *task) start() (p *process.Process, kind string, err error) {
	if t.spoiled != nil {
		return nil, api.TaskSetupFailure, t.spoiled
	}
	added, err := t.files.render()
	if err != nil {
		return nil, api.TaskSetupFailure, err
	}
	command, err := t.command(added)
	if err != nil {
		return nil, api.TaskDriverFailure, err
	}
	if p, err = t.alloc.n.startProcess(command); err != nil {
		return nil, api.TaskDriverFailure, err
	}
	t.set(api.TaskStarted, fmt.Sprintf("pid %d", p.PID()), func() {
		t.state, t.pid = taskRunning, p.PID()
		t.alloc.wakeChecksLocked(t)
	})
	return p, "", nil
}

// command works out what the driver is to start, with what templates added to the environment.
func (t *task) command(added map[string]string) (command, error) {
	config, err := decodeConfig(t.spec.Config)
	if err != nil {
		return command{}, fmt.Errorf("config: %w", err)
	}
	env := t.env.with(added)
	c := command{dir: t.dir, env: env.list(), stdout: t.logs.stdout, stderr: t.logs.stderr}
	// Only the plain environment is put in here: what a template renders may be a secret, and arguments are public.
	name, err := t.env.interpolate(config.command)
	if err != nil {
		return command{}, fmt.Errorf("config.command: %w", err)
	}
	for _, arg := range config.args {
		if arg, err = t.env.interpolate(arg); err != nil {
			return command{}, fmt.Errorf("config.args: %w", err)
		}
		c.args = append(c.args, arg)
	}
	if c.path, err = findProgram(name, t.dir, env.vars["PATH"]); err != nil {
		return command{}, err
	}
	return c, nil
}

func (t *task) isStopping() bool {
	select {
	case <-t.stopping:
		return true
	default:
		return false
	}
}

// pause waits before a restart; false means that the task is to stop instead.
func (t *task) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return !t.isStopping()
	case <-t.stopping:
		return false
	}
}

// clearRestart forgets a restart that was asked for of a process that has ended since.
func (t *task) clearRestart() {
	select {
	case <-t.restarts:
	default:
	}
}

// waiting records that the process has ended and when the next starts.
func (t *task) waiting(e ending, next decision) {
	message := fmt.Sprintf("%s: restarts in %s", e.message, next.delay.Round(time.Millisecond))
	if next.reason != restartWithinPolicy {
		message += ": " + next.reason
	}
	t.set(api.TaskRestarting, message, func() {
		t.state, t.pid = taskPending, 0
		t.restarted++
		t.alloc.failChecksLocked(t)
	})
}

// end records that the task has ended for good.
func (t *task) end(failed bool, kind, message string) {
	t.set(kind, message, func() {
		t.state, t.pid, t.failed = taskDead, 0, failed
		t.alloc.failChecksLocked(t)
	})
}

// set records an event together with a change of state, and logs it.
func (t *task) set(kind, message string, change func()) {
	n := t.alloc.n
	n.update(func() {
		change()
		t.event = Event{Time: time.Now(), Type: kind, Message: message}
	})
	n.log.Info("task event", "job", *t.alloc.job.ID, "allocation", t.alloc.name, "task", t.spec.Name, "event", kind, "message", message)
}

func (t *task) snapshotLocked() Task {
	return Task{Name: t.spec.Name, State: t.state, Failed: t.failed, Restarts: t.restarted, PID: t.pid, Event: t.event}
}
