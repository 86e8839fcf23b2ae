package client

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/nomad/api"
)

// Allocation is what is known of an allocation at one moment.
type Allocation struct {
	ID      string
	Name    string // <job>.<group>[<index>]
	JobID   string
	Group   string
	Index   int
	Created time.Time
	Dir     string            // its allocation directory; logs are in Dir/alloc/logs
	Status  string            // api.AllocClientStatusPending, …Running, …Complete or …Failed
	Healthy bool              // its tasks run and all its checks pass; a batch allocation also once it is complete
	Ports   map[string]string // address, host:port, by label
	Tasks   []Task            // in the order of the job file
}

// Task is what is known of a task of an allocation at one moment.
type Task struct {
	Name     string
	State    string // pending, running or dead
	Failed   bool   // dead for a reason of its own
	Restarts int
	PID      int // 0 unless it runs
	Event    Event
}

// Event is the last thing that happened to a task. Type is one of Nomad's, api.TaskStarted and so on.
type Event struct {
	Time    time.Time
	Type    string
	Message string
}

// allocation is one instance of a task group: its directory, its ports and the goroutines that run its tasks and checks.
type allocation struct {
	n       *Nomad
	job     *api.Job
	group   *api.TaskGroup
	index   int
	id      string
	name    string
	dir     string
	created time.Time
	ports   []port

	tasks    []*task
	services []*service

	stopping chan struct{} // closed by stop
	done     chan struct{} // closed when all of it has ended

	// Guarded by n.mu.
	stopped string // why it was told to stop; empty while it is to run
	ended   bool
}

// newAllocation takes the ports of an allocation and works out what does not depend on a running process, so that what is
// wrong with it is known before anything starts.
func (n *Nomad) newAllocation(job *api.Job, group *api.TaskGroup, index int) (_ *allocation, err error) {
	id := uuid.NewString()
	a := &allocation{
		n: n, job: job, group: group, index: index, id: id,
		name:     fmt.Sprintf("%s.%s[%d]", *job.Name, *group.Name, index),
		dir:      filepath.Join(n.allocRoot(), id),
		created:  time.Now(),
		stopping: make(chan struct{}),
		done:     make(chan struct{}),
	}
	defer func() {
		if err != nil {
			a.releasePorts()
		}
	}()
	if a.ports, err = n.ports.takeAll(group.Networks); err != nil {
		return nil, err
	}
	for _, spec := range group.Tasks {
		t, err := newTask(a, spec)
		if err != nil {
			return nil, fmt.Errorf("task %q: %w", spec.Name, err)
		}
		a.tasks = append(a.tasks, t)
	}
	if a.services, err = a.newServices(); err != nil {
		return nil, err
	}
	return a, nil
}

func (a *allocation) releasePorts() {
	for _, p := range a.ports {
		a.n.ports.release(p.number)
	}
}

// stop tells the allocation to end, gracefully, and returns at once. The caller holds n.mu.
func (a *allocation) stop(why string) {
	if a.stopped == "" {
		a.stopped = why
		close(a.stopping)
	}
}

// run runs the allocation to its end.
func (a *allocation) run() {
	defer a.n.allocations.Done()
	if err := a.makeDirs(); err != nil {
		for _, t := range a.tasks {
			t.spoiled = err
		}
	}
	checking, stopChecking := context.WithCancel(context.Background())
	var others sync.WaitGroup // checks, and the goroutine that ends the tasks
	for _, s := range a.services {
		for _, c := range s.checks {
			others.Go(func() { c.run(checking) })
		}
	}
	ended := make(chan *task, len(a.tasks))
	for _, t := range a.tasks {
		go func() { t.run(); ended <- t }()
	}
	stopping := a.stopping
	for remaining := len(a.tasks); remaining > 0; {
		select {
		case t := <-ended:
			remaining--
			if kind, why := a.endsSiblings(t); kind != "" {
				for _, sibling := range a.tasks {
					sibling.stop(kind, why)
				}
			}
		case <-stopping:
			stopping = nil
			others.Go(a.stopTasks)
		}
	}
	stopChecking()
	others.Wait()
	a.releasePorts()
	a.wipeSecrets()
	a.n.update(func() { a.ended = true })
	a.n.collect(*a.job.ID)
	close(a.done)
}

// endsSiblings says whether, and why, the end of t is the end of the other tasks: it failed, or it is the leader.
func (a *allocation) endsSiblings(t *task) (kind, why string) {
	a.n.mu.Lock()
	defer a.n.mu.Unlock()
	switch {
	case t.failed:
		return api.TaskSiblingFailed, fmt.Sprintf("task %q of the same group failed", t.spec.Name)
	case t.spec.Leader:
		return api.TaskLeaderDead, fmt.Sprintf("the leader task %q ended", t.spec.Name)
	}
	return "", ""
}

// stopTasks ends the tasks as Nomad does: after the group's shutdown_delay, the leader first, then the others together.
func (a *allocation) stopTasks() {
	a.n.mu.Lock()
	why := a.stopped
	a.n.mu.Unlock()
	if a.n.consul != nil {
		a.n.consul.leave(a)
	}
	a.shutdownDelay()
	for _, t := range a.tasks {
		if t.spec.Leader {
			t.stop(api.TaskKilled, why)
			<-t.done
		}
	}
	for _, t := range a.tasks {
		t.stop(api.TaskKilled, why)
	}
}

// shutdownDelay waits between taking the services of the group away and stopping its tasks, or until they have all ended.
func (a *allocation) shutdownDelay() {
	if a.group.ShutdownDelay == nil {
		return
	}
	over := time.After(*a.group.ShutdownDelay)
	for _, t := range a.tasks {
		select {
		case <-t.done:
		case <-over:
			return
		}
	}
}

// statusLocked derives the status from the tasks, as Nomad does: one failed task is a failed allocation.
func (a *allocation) statusLocked() string {
	var pending, running, failed bool
	for _, t := range a.tasks {
		pending = pending || t.state == taskPending
		running = running || t.state == taskRunning
		failed = failed || t.failed
	}
	switch {
	case failed:
		return api.AllocClientStatusFailed
	case running:
		return api.AllocClientStatusRunning
	case pending:
		return api.AllocClientStatusPending
	}
	return api.AllocClientStatusComplete
}

// snapshotLocked copies the state for callers.
func (a *allocation) snapshotLocked() Allocation {
	s := Allocation{
		ID: a.id, Name: a.name, JobID: *a.job.ID, Group: *a.group.Name, Index: a.index, Created: a.created, Dir: a.dir,
		Status: a.statusLocked(), Healthy: a.healthyLocked(), Ports: map[string]string{},
	}
	for _, p := range a.ports {
		s.Ports[p.label] = p.address()
	}
	for _, t := range a.tasks {
		s.Tasks = append(s.Tasks, t.snapshotLocked())
	}
	return s
}

// Allocations returns the state of all allocations, oldest first: those that run, and the ended ones whose directory is kept.
func (n *Nomad) Allocations() []Allocation {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := make([]Allocation, 0, len(n.placed))
	for _, a := range n.placed {
		all = append(all, a.snapshotLocked())
	}
	return all
}
