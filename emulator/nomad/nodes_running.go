package nomad

import (
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/drydock/drydock/emulator/nomad/client"
)

// nodes are those of a region that have been started.
type nodes struct {
	mu    sync.Mutex
	order []*client.Client // of the region's options; nil where one has not been started
	byID  map[string]*client.Client
}

// put adds the node whose place is the one among so many.
func (n *nodes) put(place, count int, id string, c *client.Client) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.order == nil {
		n.order, n.byID = make([]*client.Client, count), map[string]*client.Client{}
	}
	n.order[place], n.byID[id] = c, c
}

// get is the node of an ID; nil when there is none.
func (n *nodes) get(id string) *client.Client {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.byID[id]
}

// all are the nodes, those too that are gone and may come back.
func (n *nodes) all() []*client.Client {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(n.order), func(c *client.Client) bool { return c == nil })
}

// known are the nodes by ID, those too that are gone and may come back.
func (n *nodes) known() map[string]*client.Client {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.byID)
}

// closeNodes stops the nodes, side by side, and returns when no task is left.
func (r *region) closeNodes() error {
	nodes := r.nodes.all()
	failures := make([]error, len(nodes))
	var closing sync.WaitGroup
	for i, c := range nodes {
		closing.Go(func() { failures[i] = c.Close() })
	}
	closing.Wait()
	return errors.Join(failures...)
}

// client is the node of the ID; nil when it is not here, or gone.
func (r *region) client(nodeID string) *client.Client {
	c := r.nodes.get(nodeID)
	if c == nil || c.Node() == nil {
		return nil
	}
	return c
}

// clientOf is the node that has an allocation; nil when none has, or it is gone.
func (r *region) clientOf(allocationID string) *client.Client {
	a := r.store.View().Allocation(allocationID)
	if a == nil {
		return nil
	}
	return r.client(a.NodeID)
}
