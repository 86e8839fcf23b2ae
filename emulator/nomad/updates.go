package nomad

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/scheduler"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// errClosing is what nodes get for what they say too late.
var errClosing = errors.New("the region is closing")

// updates are what nodes have said of their allocations and what is not
// written yet: whatever comes while one batch is written is the next.
type updates struct {
	mu      sync.Mutex
	waiting []*update
	changed chan struct{}
}

type update struct {
	allocations []*api.Allocation
	written     chan error // gets one
}

func (u *updates) add(one *update) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.waiting = append(u.waiting, one)
	u.signal()
	select {
	case u.changed <- struct{}{}:
	default:
	}
}

// signal makes the channel; the caller holds the lock.
func (u *updates) signal() {
	if u.changed == nil {
		u.changed = make(chan struct{}, 1)
	}
}

func (u *updates) take() (batch []*update, changed <-chan struct{}) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.signal()
	batch, u.waiting = u.waiting, nil
	return batch, u.changed
}

// UpdateAllocations implements client.Server.
func (r *region) UpdateAllocations(allocations []*api.Allocation) error {
	defer r.measure("client.update_alloc", time.Now())
	one := &update{allocations: allocations, written: make(chan error, 1)}
	r.updates.add(one)
	select {
	case err := <-one.written:
		return err
	case <-r.running.Done():
		return errClosing
	}
}

// applyUpdates writes what nodes say.
func (r *region) applyUpdates(ctx context.Context) {
	for {
		batch, changed := r.updates.take()
		if len(batch) > 0 {
			err := r.store.Write(func(tx *state.Tx) error {
				for _, one := range batch {
					applyUpdate(tx, one.allocations)
				}
				return nil
			})
			for _, one := range batch {
				one.written <- err
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// applyUpdate writes one node's news, and has the scheduler look at the jobs
// of which an allocation has failed or come back.
func applyUpdate(tx *state.Tx, allocations []*api.Allocation) {
	evaluated := map[*api.Job]bool{}
	for _, said := range allocations {
		old := tx.Allocation(said.ID)
		if old == nil {
			continue
		}
		tx.UpdateAllocation(old, func(a *state.Allocation) { mergeUpdate(tx, a, said) })
		trigger := triggerOf(old, tx.Allocation(said.ID))
		job := tx.Job(old.Namespace, old.JobID)
		if trigger == "" || job == nil || evaluated[job] || job.Stop != nil && *job.Stop {
			continue
		}
		evaluated[job] = true
		tx.UpsertEvaluation(newEvaluation(tx, job, trigger))
	}
}

// triggerOf is why news of an allocation are the scheduler's business; empty
// when they are not.
func triggerOf(old, now *state.Allocation) string {
	switch {
	case old.ClientStatus == api.AllocClientStatusUnknown && now.ClientStatus != api.AllocClientStatusUnknown:
		return scheduler.TriggerReconnect
	case old.ClientStatus == now.ClientStatus || old.ServerTerminal() || now.ClientStatus != api.AllocClientStatusFailed:
		return ""
	}
	if _, may := scheduler.RescheduleAt(now); !may {
		return "" // it stays as it is
	}
	return scheduler.TriggerAllocationFailure
}

// mergeUpdate takes over what the node says.
func mergeUpdate(tx *state.Tx, a *state.Allocation, said *api.Allocation) {
	a.ClientStatus, a.ClientDescription = said.ClientStatus, said.ClientDescription
	a.TaskStates = said.TaskStates
	if said.NetworkStatus != nil {
		a.NetworkStatus = said.NetworkStatus
	}
	if said.DeploymentStatus == nil || said.DeploymentStatus.Healthy == nil {
		return
	}
	status := api.AllocDeploymentStatus{}
	if a.DeploymentStatus != nil {
		status = *a.DeploymentStatus
	}
	if status.Healthy != nil && *status.Healthy == *said.DeploymentStatus.Healthy {
		return
	}
	status.Healthy, status.Timestamp = said.DeploymentStatus.Healthy, said.DeploymentStatus.Timestamp
	status.ModifyIndex = tx.ChangeIndex()
	a.DeploymentStatus = &status
}
