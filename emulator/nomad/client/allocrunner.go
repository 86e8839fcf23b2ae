package client

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/client/allocdir"
	taskenv "github.com/drydock/drydock/emulator/nomad/client/environment"
	"github.com/drydock/drydock/emulator/nomad/client/hook"
)

// allocRunner runs one allocation: one goroutine sees to the order of its
// tasks, and each task has another.
type allocRunner struct {
	node         *session
	known        atomic.Pointer[api.TaskGroup] // as the job has it now
	dir          allocdir.Dir
	env          taskenv.Env
	tasks        []*taskRunner
	servicesTurn sync.Mutex // held while the services are told something

	ctx      context.Context // ends with halt
	cancel   context.CancelFunc
	wake     chan struct{} // something has changed that the order of tasks, or the health, depends on
	overseen chan struct{} // closed when all tasks are dead for good
	stopping chan struct{} // closed when the servers want it to end
	over     chan struct{} // closed when nothing of it runs any more
	helpers  sync.WaitGroup

	mu            sync.Mutex
	alloc         *api.Allocation // as the servers said last
	deployment    *api.AllocDeploymentStatus
	network       *api.AllocNetworkStatus
	rerun         bool // all tasks are to be started anew
	newDeployment bool // the health is to be found out anew
	stopped       bool // the servers want it to end
	halted        bool // the node ends: nobody is told of what happens from now on
	ended         bool
	sealed        bool          // nothing more is spawned
	collected     bool          // its directory is removed
	health        health        // the alloc runner's own, not guarded
	services      hook.Services // nil without, and before they are there
}

// newAllocRunner makes what runs an allocation, with the task states that the
// servers have of it, if it has run before.
func newAllocRunner(node *session, alloc *api.Allocation) *allocRunner {
	a := &allocRunner{
		node: node, alloc: alloc,
		dir:      allocdir.Dir{Root: node.allocDir(alloc.ID)},
		wake:     make(chan struct{}, 1),
		over:     make(chan struct{}),
		overseen: make(chan struct{}),
		stopping: make(chan struct{}),
	}
	a.known.Store(groupOf(alloc))
	a.ctx, a.cancel = context.WithCancel(context.Background())
	a.env = groupEnvironment(alloc, a.group(), node.options.Node.Datacenter, node.references(node.node.Load()))
	a.deployment = alloc.DeploymentStatus
	a.network = &api.AllocNetworkStatus{}
	for _, spec := range a.group().Tasks {
		a.tasks = append(a.tasks, newTaskRunner(a, spec, alloc.TaskStates[spec.Name]))
	}
	a.health = newHealth(a)
	return a
}

// group is the group of the allocation as the job has it now.
func (a *allocRunner) group() *api.TaskGroup { return a.known.Load() }

// spawn runs something beside the tasks, which the end of the allocation waits
// for. After that it does nothing.
func (a *allocRunner) spawn(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.sealed {
		a.helpers.Go(f)
	}
}

// seal has nothing more be spawned.
func (a *allocRunner) seal() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sealed = true
}

// poke has the order of the tasks looked at again.
func (a *allocRunner) poke() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// changed says that the servers and the order of the tasks are to know of a
// change.
func (a *allocRunner) changed() {
	a.poke()
	a.node.reports.add(a)
}

// run runs the allocation to its end.
func (a *allocRunner) run() {
	defer close(a.over)
	defer a.cancel()
	a.prepare()
	for _, t := range a.tasks {
		if !t.dead() {
			a.helpers.Go(t.run)
		}
	}
	a.oversee()
	close(a.overseen)
	a.seal()
	a.helpers.Wait()
	a.withServices(hook.Services.Stop)
	a.finish()
}

// oversee sees to the order of the tasks and to the health until all are dead.
func (a *allocRunner) oversee() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if a.takeRerun() {
			a.rerunTasks()
		}
		if a.takeNewDeployment() {
			a.health = newHealth(a)
		}
		next, checks := a.health.examine() // before poststop tasks begin
		if a.coordinate() {
			return
		}
		timer.Reset(next)
		select {
		case <-a.wake:
		case <-checks:
		case <-timer.C:
		}
	}
}

// prepare does what precedes all tasks. What fails is the failure of all of them.
func (a *allocRunner) prepare() {
	err := a.awaitPrevious()
	if err == nil && !a.virtual() {
		err = a.dir.Build(a.taskNames())
	}
	if err == nil {
		err = a.startServices()
	}
	if err == nil {
		return
	}
	for _, t := range a.tasks {
		t.kill(failsTask(hookFailedEvent(err)))
	}
}

func failsTask(event *api.TaskEvent) *api.TaskEvent {
	event.FailsTask = true
	return event
}

// startServices registers the services of the group, and gets ready for those
// of the tasks.
func (a *allocRunner) startServices() error {
	if a.node.options.Services == nil || !hasServices(a.group()) {
		return nil
	}
	services, err := a.node.options.Services(allocHook{a})
	if err != nil {
		return err
	}
	a.servicesTurn.Lock()
	defer a.servicesTurn.Unlock()
	a.mu.Lock()
	a.services = services
	a.mu.Unlock()
	return services.Prerun(a.ctx)
}

func hasServices(group *api.TaskGroup) bool {
	return len(group.Services) > 0 ||
		slices.ContainsFunc(group.Tasks, func(t *api.Task) bool { return len(t.Services) > 0 })
}

// virtual reports whether nothing of the allocation touches its directory
// unless somebody asks for it.
func (a *allocRunner) virtual() bool {
	return !slices.ContainsFunc(a.tasks, func(t *taskRunner) bool { return !t.virtual() })
}

func (a *allocRunner) taskNames() []string {
	names := make([]string, len(a.tasks))
	for i, t := range a.tasks {
		names[i] = t.spec().Name
	}
	return names
}

func (a *allocRunner) task(name string) *taskRunner {
	for _, t := range a.tasks {
		if t.spec().Name == name {
			return t
		}
	}
	return nil
}

// finish records the end.
func (a *allocRunner) finish() {
	a.mu.Lock()
	a.ended = true
	halted := a.halted
	a.mu.Unlock()
	if halted {
		return
	}
	if err := a.dir.WipeSecrets(a.taskNames()); err != nil {
		a.node.log.Warn("secrets of an ended allocation stay on disk", "allocation", a.latest().ID, "error", err)
	}
	a.health.end()
	a.node.reports.add(a)
}
