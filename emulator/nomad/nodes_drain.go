package nomad

import (
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// causeDrain is what a change is about that begins or ends a drain.
const causeDrain = "NodeDrain"

func (r *request) drainNode() (any, error) {
	var asked struct {
		DrainSpec    *api.DrainSpec
		MarkEligible bool
		Meta         map[string]string
	}
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	return r.changeNode(func(tx *state.Tx, node *state.Node) ([]string, error) {
		if asked.DrainSpec == nil {
			return stopDrain(tx, node, asked.MarkEligible, asked.Meta), nil
		}
		startDrain(tx, node, *asked.DrainSpec, asked.Meta)
		return nil, nil
	})
}

// startDrain begins a drain, or gives the one under way another deadline.
func startDrain(tx *state.Tx, node *state.Node, spec api.DrainSpec, meta map[string]string) {
	tx.About(causeDrain)
	now := tx.Now()
	tx.UpdateNode(node, func(n *state.Node) {
		strategy := &api.DrainStrategy{DrainSpec: spec, StartedAt: now}
		if spec.Deadline > 0 {
			strategy.ForceDeadline = now.Add(spec.Deadline)
		}
		if node.DrainStrategy != nil {
			strategy.StartedAt = node.DrainStrategy.StartedAt
		}
		n.DrainStrategy, n.SchedulingEligibility = strategy, api.NodeSchedulingIneligible
		n.LastDrain = &api.DrainMetadata{StartedAt: strategy.StartedAt, UpdatedAt: now, Status: api.DrainStatusDraining, Meta: meta}
		n.AddEvents(drainEvent(tx, "Node drain strategy set", nil))
	})
}

// stopDrain ends a drain before its end, and returns the evaluations that
// follow when the node takes allocations again.
func stopDrain(tx *state.Tx, node *state.Node, eligible bool, meta map[string]string) []string {
	tx.About(causeDrain)
	tx.UpdateNode(node, func(n *state.Node) {
		n.DrainStrategy = nil
		if eligible {
			n.SchedulingEligibility = api.NodeSchedulingEligible
		}
		if node.DrainStrategy == nil {
			return
		}
		last := api.DrainMetadata{StartedAt: node.DrainStrategy.StartedAt}
		if node.LastDrain != nil {
			last = *node.LastDrain
		}
		last.Status, last.UpdatedAt = api.DrainStatusCanceled, tx.Now()
		if meta != nil {
			last.Meta = meta
		}
		n.LastDrain = &last
		n.AddEvents(drainEvent(tx, "Node drain disabled", nil))
	})
	if !eligible {
		return nil
	}
	return evaluateNode(tx, tx.Node(node.ID))
}

func drainEvent(tx *state.Tx, message string, details map[string]string) *api.NodeEvent {
	return &api.NodeEvent{
		Message: message, Subsystem: api.NodeEventSubsystemDrain, Details: details, Timestamp: tx.Now(), CreateIndex: tx.ChangeIndex(),
	}
}
