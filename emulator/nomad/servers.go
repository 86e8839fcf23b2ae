package nomad

import (
	"context"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/client"
	"github.com/drydock/drydock/emulator/nomad/scheduler/place"
	"github.com/drydock/drydock/emulator/nomad/state"
)

var _ client.Server = (*region)(nil)

// RegisterNode implements client.Server.
func (r *region) RegisterNode(node *api.Node, secret string) error {
	defer r.measure("client.register", time.Now())
	r.heartbeats.set(node.ID, time.Now().Add(heartbeatEvery+heartbeatGrace))
	return r.store.Write(func(tx *state.Tx) error {
		next := &state.Node{Node: *node, Secret: secret, StaticMeta: node.Meta}
		next.Status, next.StatusUpdatedAt = api.NodeStatusReady, tx.Now().Unix()
		next.ComputedClass = place.ComputedClass(next)
		message := "Node registered"
		old := tx.Node(node.ID)
		if old != nil {
			next.DrainStrategy, next.LastDrain, next.Drain = old.DrainStrategy, old.LastDrain, old.Drain
			next.SchedulingEligibility, next.Events = old.SchedulingEligibility, old.Events
			next.ApplyMeta(old.DynamicMeta)
			message = "Node re-registered"
		} else {
			next.SchedulingEligibility = api.NodeSchedulingEligible
		}
		if old == nil || old.Status != api.NodeStatusReady {
			next.AddEvents(&api.NodeEvent{
				Message: message, Subsystem: api.NodeEventSubsystemCluster, Timestamp: tx.Now(), CreateIndex: tx.ChangeIndex(),
			})
		}
		if tx.NodePool(next.NodePool) == nil {
			tx.UpsertNodePool(&api.NodePool{Name: next.NodePool})
		}
		tx.UpsertNode(next)
		markHostVolumes(tx, next)
		if old == nil || old.Status != next.Status || old.ComputedClass != next.ComputedClass {
			evaluateNode(tx, next)
		}
		return nil
	})
}

// Allocations implements client.Server.
func (r *region) Allocations(ctx context.Context, nodeID string, after uint64, count int) ([]*api.Allocation, uint64, error) {
	var list []*api.Allocation
	var index uint64
	err := r.store.Watch(ctx, func(view *state.View) bool {
		list, index = nil, max(after, view.RestoredIndex())
		for a := range view.AllocationsOfNode(nodeID) {
			list = append(list, &a.Allocation)
			index = max(index, a.AllocModifyIndex)
		}
		return index > after || len(list) != count
	})
	return list, index, err
}

// UpdateNodeEvents implements client.Server.
func (r *region) UpdateNodeEvents(nodeID string, events []*api.NodeEvent) error {
	return r.store.Write(func(tx *state.Tx) error {
		node := tx.Node(nodeID)
		if node == nil {
			return notFound("node %s is not registered", nodeID)
		}
		tx.UpdateNode(node, func(n *state.Node) { n.AddEvents(events...) })
		return nil
	})
}

// RegisterServices implements client.Server.
func (r *region) RegisterServices(services []*api.ServiceRegistration) error {
	return r.store.Write(func(tx *state.Tx) error {
		for _, s := range services {
			own := *s
			tx.UpsertService(&own)
		}
		return nil
	})
}

// DeregisterServices implements client.Server.
func (r *region) DeregisterServices(ids []string) error {
	return r.store.Write(func(tx *state.Tx) error {
		tx.DeleteServices(ids...)
		return nil
	})
}

// URL implements client.Server.
func (r *region) URL() string { return r.listener.URL() }
