package nomad

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
	"github.com/drydock/drydock/emulator/store"
)

// queue has the evaluations that wait: for the scheduler, for a time, or for
// room on the nodes. It follows the state, and is made from it at a start.
type queue struct {
	mu      sync.Mutex
	pending map[string]*api.Evaluation // by ID; those whose WaitUntil is to come wait for it
	blocked map[string]*api.Evaluation // by ID
	freed   map[string]bool            // computed classes of nodes that have got room since
	taken   string                     // the ID of the one that due found last; empty for none
	paused  bool
	changed chan struct{} // has an element when something has changed
}

func newQueue() *queue {
	return &queue{
		pending: map[string]*api.Evaluation{}, blocked: map[string]*api.Evaluation{},
		freed: map[string]bool{}, changed: make(chan struct{}, 1),
	}
}

// load takes up what waits in a state that was kept over a restart.
func (q *queue) load(view *state.View) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for e := range view.Evaluations() {
		q.take(e)
	}
	q.paused = view.SchedulerConfiguration().PauseEvalBroker
	q.notify()
}

// observe follows a commit.
func (q *queue) observe(c store.Commit) {
	q.mu.Lock()
	defer q.mu.Unlock()
	changed := false
	for _, change := range c.Changes {
		switch change.Table {
		case state.TableEvaluations:
			if change.After == nil {
				q.drop(change.Before.(*api.Evaluation).ID)
				continue
			}
			q.take(change.After.(*api.Evaluation))
		case state.TableAllocations, state.TableNodes:
			class, ok := roomMade(change)
			if !ok || len(q.blocked) == 0 {
				continue
			}
			q.freed[class] = true
		case state.TableHostVolumes:
			if !volumeReady(change) || len(q.blocked) == 0 {
				continue
			}
			q.freed[anyClass] = true
		case state.TableSchedulerConfiguration:
			q.paused = change.After.(*api.SchedulerConfiguration).PauseEvalBroker
		default:
			continue
		}
		changed = true
	}
	if changed {
		q.notify()
	}
}

// anyClass stands for room on a node of whichever class.
const anyClass = ""

// roomMade tells whether a change may let something be placed that could not
// be before, and the class of the node if it is known.
func roomMade(change store.Change) (class string, ok bool) {
	switch after := change.After.(type) {
	case *state.Allocation:
		before, known := change.Before.(*state.Allocation)
		return anyClass, known && !before.ClientTerminal() && after.ClientTerminal()
	case *state.Node:
		before, known := change.Before.(*state.Node)
		return after.ComputedClass, after.Ready() && (!known || !before.Ready() || before.ComputedClass != after.ComputedClass)
	}
	return anyClass, false
}

// volumeReady tells whether a volume can be used from now on.
func volumeReady(change store.Change) bool {
	after, there := change.After.(*api.HostVolume)
	return there && after.State == api.HostVolumeStateReady
}

func (q *queue) take(e *api.Evaluation) {
	q.drop(e.ID)
	switch e.Status {
	case api.EvalStatusPending:
		q.pending[e.ID] = e
	case api.EvalStatusBlocked:
		q.blocked[e.ID] = e
	}
}

func (q *queue) drop(id string) {
	delete(q.pending, id)
	delete(q.blocked, id)
}

func (q *queue) notify() {
	select {
	case q.changed <- struct{}{}:
	default:
	}
}

// await returns when something has changed or, unless it is 0, the wait is over.
func (q *queue) await(ctx context.Context, wait time.Duration) error {
	var over <-chan time.Time
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-q.changed:
	case <-over:
	}
	return nil
}

// due finds the evaluation whose turn it is: the one of the highest priority
// that is due, and of those the oldest. The older evaluations of the same job that
// waited with it are superseded: what it finds is what they would find. When
// there is none, wait is after how long one will be due; 0 for never.
func (q *queue) due(now time.Time) (next *api.Evaluation, superseded []*api.Evaluation, wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.taken = ""; q.paused {
		return nil, nil, 0
	}
	for _, e := range q.pending {
		if until := e.WaitUntil.Sub(now); until > 0 {
			if wait == 0 || until < wait {
				wait = until
			}
			continue
		}
		if next == nil || before(e, next) {
			next = e
		}
	}
	if next == nil {
		return nil, nil, wait
	}
	for _, e := range q.pending {
		if e.Namespace != next.Namespace || e.JobID != next.JobID || e.WaitUntil.After(now) || e == next {
			continue
		}
		if e.CreateIndex > next.CreateIndex {
			next, e = e, next
		}
		superseded = append(superseded, e)
	}
	slices.SortFunc(superseded, byCreation)
	q.taken = next.ID
	return next, superseded, 0
}

func byCreation(a, b *api.Evaluation) int { return cmp.Compare(a.CreateIndex, b.CreateIndex) }

func before(a, b *api.Evaluation) bool {
	if a.Priority != b.Priority {
		return a.Priority > b.Priority
	}
	if a.CreateIndex != b.CreateIndex {
		return a.CreateIndex < b.CreateIndex
	}
	return a.ID < b.ID
}

// unblocked returns the blocked evaluations that may find room now.
func (q *queue) unblocked() []*api.Evaluation {
	q.mu.Lock()
	defer q.mu.Unlock()
	var list []*api.Evaluation
	for _, e := range q.blocked {
		for class := range q.freed {
			eligible, known := e.ClassEligibility[class]
			if class == anyClass || e.EscapedComputedClass || !known || eligible {
				list = append(list, e)
				break
			}
		}
	}
	clear(q.freed)
	slices.SortFunc(list, byCreation)
	return list
}
