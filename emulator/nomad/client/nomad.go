// Package client runs Nomad job files on this machine, without Nomad: it places the allocations of a job, starts their tasks
// with the raw_exec driver, keeps them running as their restart policy says, probes their checks, and leaves no process
// behind whatever happens to the program that owns it.
//
// The emulator calls it to run the files in jobs/; the words are Nomad's own (job, group, task, allocation, driver). There is
// one node, so that what only chooses a node (constraint, affinity, spread) is accepted and not consulted, and neither are
// update, migrate and reschedule. Whatever else a job file asks for and is not here is refused by ParseJob, never ignored.
package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/filelock"
	"github.com/drydock/drydock/emulator/nomad/client/process"
)

// Nomad is a scheduler with one node, this machine. Its methods may be called from any goroutine.
type Nomad struct {
	options   Options
	log       *slog.Logger
	node      node
	processes *process.Starter
	ports     *portLedger
	dirLock   *filelock.Lock
	output    *terminal
	close     func() error

	allocations sync.WaitGroup     // those that have not ended
	consul      *consulServices    // nil without Consul
	following   sync.WaitGroup     // its goroutine
	unfollow    context.CancelFunc // ends it; nil without Consul

	mu      sync.Mutex // guards what follows, and the state of every allocation, task and check
	closed  bool
	jobs    map[string]*registration
	placed  []*allocation // oldest first; ended ones stay while their directory does
	changed chan struct{} // closed and replaced when any of that state changes
}

// registration is what is known of a job ID. It stays when the job is deregistered, with nothing in it.
type registration struct {
	turn chan struct{} // held by the one call that changes this job

	fingerprint string // of the job as registered; empty when it is not
	allocations []*allocation
}

// New takes possession of o.Dir and starts what a Nomad needs to keep its promise about processes. The caller must Close it.
func New(o Options) (*Nomad, error) {
	if o.Dir == "" {
		return nil, errors.New("start nomad: Options.Dir is empty: name a folder for the allocation directories")
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("start nomad: %w", err)
	}
	o.Dir = dir
	n := &Nomad{
		options:   o,
		log:       o.Logger,
		node:      thisNode(o.Meta),
		jobs:      map[string]*registration{},
		changed:   make(chan struct{}),
		processes: process.NewStarter(),
	}
	if n.log == nil {
		n.log = slog.New(slog.DiscardHandler)
	}
	if o.Output != nil {
		n.output = &terminal{out: o.Output}
	}
	if err := os.MkdirAll(n.allocRoot(), 0o755); err != nil {
		return nil, fmt.Errorf("start nomad: make the folder for allocations: %w", err)
	}
	if n.dirLock, err = filelock.Take(filepath.Join(dir, "nomad.lock")); err != nil {
		return nil, fmt.Errorf("start nomad: take %s: %w: stop the other one, or use another folder", dir, err)
	}
	if n.ports, err = newPortLedger(); err != nil {
		n.dirLock.Release()
		return nil, fmt.Errorf("start nomad: %w", err)
	}
	n.collect("")
	n.close = sync.OnceValue(n.shutdown)
	if o.Consul != "" {
		if n.consul, err = n.newConsulServices(); err != nil {
			return nil, errors.Join(fmt.Errorf("start nomad: %w", err), n.Close())
		}
		var following context.Context
		following, n.unfollow = context.WithCancel(context.Background())
		n.following.Go(func() { n.consul.run(following) })
	}
	return n, nil
}

// Close stops every task gracefully and in parallel, each within its kill_timeout, and returns when no process is left.
// A second call, at the same time or later, waits for the same end and returns the same error.
func (n *Nomad) Close() error { return n.close() }

func (n *Nomad) shutdown() error {
	n.mu.Lock()
	n.closed = true
	for _, a := range n.placed {
		a.stop("the node is shutting down")
	}
	n.notifyLocked()
	n.mu.Unlock()
	n.allocations.Wait()
	if n.unfollow != nil {
		n.unfollow()
		n.following.Wait()
	}
	err := n.processes.Close()
	n.dirLock.Release()
	return err
}

// Register places the allocations of the job and starts them; it does not wait until they are healthy (see WaitHealthy).
// The job as it already runs is left alone; a changed one, or one that has failed, is stopped first and started anew. ctx
// bounds the call: when it ends while the old allocations stop, they go on stopping and nothing new is started.
// A static port that is taken is a *PortInUseError.
func (n *Nomad) Register(ctx context.Context, job *api.Job) error {
	job, fingerprint, err := canonical(job)
	if err != nil {
		return fmt.Errorf("register job: %w", err)
	}
	r, release, err := n.take(ctx, *job.ID)
	if err != nil {
		return fmt.Errorf("register job %q: %w", *job.ID, err)
	}
	defer release()

	n.mu.Lock()
	same := r.fingerprint == fingerprint && !anyFailed(r.allocations)
	n.mu.Unlock()
	if same {
		return nil
	}
	if err := n.stopAll(ctx, r, "the job has changed"); err != nil {
		return fmt.Errorf("register job %q: stop what runs of it: %w", *job.ID, err)
	}
	placed, err := n.place(job)
	if err != nil {
		return fmt.Errorf("register job %q: %w", *job.ID, err)
	}
	if err := n.start(r, fingerprint, placed); err != nil {
		return fmt.Errorf("register job %q: %w", *job.ID, err)
	}
	return nil
}

// Deregister stops the allocations of the job and returns when they have ended; a job that is not registered is none.
// When ctx ends first they go on stopping.
func (n *Nomad) Deregister(ctx context.Context, jobID string) error {
	r, release, err := n.take(ctx, jobID)
	if err != nil {
		return fmt.Errorf("deregister job %q: %w", jobID, err)
	}
	defer release()
	if err := n.stopAll(ctx, r, "the job is deregistered"); err != nil {
		return fmt.Errorf("deregister job %q: %w", jobID, err)
	}
	return nil
}

// take waits for the caller's turn to change a job.
func (n *Nomad) take(ctx context.Context, jobID string) (*registration, func(), error) {
	n.mu.Lock()
	r := n.jobs[jobID]
	if r == nil {
		r = &registration{turn: make(chan struct{}, 1)}
		n.jobs[jobID] = r
	}
	closed := n.closed
	n.mu.Unlock()
	if closed {
		return nil, nil, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	select {
	case r.turn <- struct{}{}:
		return r, func() { <-r.turn }, nil
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}

// stopAll ends what runs of a job and forgets its registration at once.
func (n *Nomad) stopAll(ctx context.Context, r *registration, why string) error {
	n.mu.Lock()
	r.fingerprint = ""
	ending := r.allocations
	for _, a := range ending {
		a.stop(why)
	}
	n.notifyLocked()
	n.mu.Unlock()
	for _, a := range ending {
		select {
		case <-a.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	n.mu.Lock()
	r.allocations = nil
	n.mu.Unlock()
	return nil
}

// place builds the allocations of a job with their ports; either all of them or none.
func (n *Nomad) place(job *api.Job) (placed []*allocation, err error) {
	defer func() {
		if err != nil {
			for _, a := range placed {
				a.releasePorts()
			}
		}
	}()
	for _, group := range job.TaskGroups {
		for index := range *group.Count {
			a, err := n.newAllocation(job, group, index)
			if err != nil {
				return placed, fmt.Errorf("group %q: %w", *group.Name, err)
			}
			placed = append(placed, a)
		}
	}
	return placed, nil
}

// start lets the allocations run.
func (n *Nomad) start(r *registration, fingerprint string, placed []*allocation) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		for _, a := range placed {
			a.releasePorts()
		}
		return ErrClosed
	}
	r.fingerprint, r.allocations = fingerprint, placed
	n.placed = append(n.placed, placed...)
	for _, a := range placed {
		n.allocations.Add(1)
		go a.run()
	}
	n.notifyLocked()
	return nil
}

// update changes state under the lock and wakes whoever waits for a change.
func (n *Nomad) update(change func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change()
	n.notifyLocked()
}

func (n *Nomad) notifyLocked() {
	close(n.changed)
	n.changed = make(chan struct{})
}

// changes returns a channel that is closed at the next change of state.
func (n *Nomad) changes() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.changed
}
