package client

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"

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
	can := t.capabilities()
	for _, attribute := range can.Prints {
		if _, prints := t.spec().Config[attribute]; prints {
			return false
		}
	}
	return can.Virtual && len(t.spec().Artifacts) == 0 && len(t.spec().Templates) == 0 &&
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
