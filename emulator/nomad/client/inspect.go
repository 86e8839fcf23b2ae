package client

import (
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/client/allocdir"
)

// AllocationDir is the directory of an allocation, complete with its folders.
func (c *Client) AllocationDir(id string) (allocdir.Dir, error) {
	a, err := c.find(id)
	if err != nil {
		return allocdir.Dir{}, err
	}
	a.mu.Lock()
	collected := a.collected
	a.mu.Unlock()
	if collected {
		return allocdir.Dir{}, &UnknownAllocationError{ID: id}
	}
	if a.virtual() {
		if err := a.dir.Build(a.taskNames()); err != nil {
			return allocdir.Dir{}, err
		}
	}
	return a.dir, nil
}

// TaskStarted reports whether a task of an allocation has ever started, and so
// has logs.
func (c *Client) TaskStarted(id, task string) (bool, error) {
	t, err := c.findTask(id, task)
	if err != nil {
		return false, err
	}
	t.alloc.mu.Lock()
	defer t.alloc.mu.Unlock()
	return !t.state.StartedAt.IsZero(), nil
}

// AllocationChecks are the results of the checks of an allocation that the node
// runs, by ID.
func (c *Client) AllocationChecks(id string) (api.AllocCheckStatuses, error) {
	a, err := c.find(id)
	if err != nil {
		return nil, err
	}
	if services := a.servicesNow(); services != nil {
		return services.Checks(), nil
	}
	return api.AllocCheckStatuses{}, nil
}
