package nomad

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

const (
	// heartbeatEvery is how often a node says that it is there.
	heartbeatEvery = 5 * time.Second
	// heartbeatGrace is how late it may be.
	heartbeatGrace = 5 * time.Second
)

// heartbeats are the times by which nodes have to be heard of again.
type heartbeats struct {
	mu  sync.Mutex
	due map[string]time.Time // by the node's ID
}

func (h *heartbeats) set(node string, due time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.due == nil {
		h.due = map[string]time.Time{}
	}
	h.due[node] = due
}

// count is how many nodes are heard of.
func (h *heartbeats) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.due)
}

// missed returns the nodes that were not heard of in time, and forgets them.
func (h *heartbeats) missed(now time.Time) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []string
	for node, due := range h.due {
		if now.After(due) {
			list = append(list, node)
			delete(h.due, node)
		}
	}
	return list
}

// Heartbeat implements client.Server.
func (r *region) Heartbeat(nodeID string) (time.Duration, error) {
	defer r.measure("client.update_status", time.Now())
	node := r.store.View().Node(nodeID)
	if node == nil {
		return 0, notFound("node %s is not registered", nodeID)
	}
	r.heartbeats.set(nodeID, time.Now().Add(heartbeatEvery+heartbeatGrace))
	if node.Status != api.NodeStatusReady {
		return heartbeatEvery, r.setNodeStatus(nodeID, api.NodeStatusReady, "Node heartbeat reestablished")
	}
	return heartbeatEvery, nil
}

// expireHeartbeats takes the nodes for down that are not heard of.
func (r *region) expireHeartbeats(ctx context.Context) {
	ticks := time.NewTicker(heartbeatEvery / 5)
	defer ticks.Stop()
	r.awaitNodes(r.store.View()) // those of before a restart have to come back
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticks.C:
			for _, node := range r.heartbeats.missed(now) {
				if err := r.nodeMissed(node); err != nil {
					r.nomad.log.Error("a node that is not heard of cannot be marked", "node", node, "error", err)
				}
			}
		}
	}
}

// nodeMissed marks a node that was not heard of: disconnected when some of what
// it runs may come back, else down.
func (r *region) nodeMissed(id string) error {
	status := api.NodeStatusDown
	view := r.store.View()
	for a := range view.AllocationsOfNode(id) {
		if group := a.Group(); !a.Terminal() && group != nil && group.Disconnect != nil && group.Disconnect.LostAfter != nil {
			status = api.NodeStatusDisconnected
		}
	}
	return r.setNodeStatus(id, status, "Node heartbeat missed")
}

// setNodeStatus changes the status of a node, and has the scheduler look at
// the jobs that this touches.
func (r *region) setNodeStatus(id, status, why string) error {
	return r.store.Write(func(tx *state.Tx) error {
		node := tx.Node(id)
		if node == nil || node.Status == status {
			return nil
		}
		tx.UpdateNode(node, func(n *state.Node) {
			n.Status, n.StatusUpdatedAt = status, tx.Now().Unix()
			n.AddEvents(&api.NodeEvent{
				Message: why, Subsystem: api.NodeEventSubsystemCluster, Timestamp: tx.Now(), CreateIndex: tx.ChangeIndex(),
			})
		})
		markHostVolumes(tx, tx.Node(id))
		evaluateNode(tx, tx.Node(id))
		return nil
	})
}
