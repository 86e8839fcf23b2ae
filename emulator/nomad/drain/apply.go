package drain

import (
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/scheduler"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// Apply writes the decision, unless the node is not drained any more, and has
// the scheduler look at the jobs whose allocations leave: the evaluations are
// returned.
func (x *Decision) Apply(tx *state.Tx) (evaluations []*api.Evaluation) {
	node := tx.Node(x.Node.ID)
	if node == nil || node.DrainStrategy == nil {
		return nil
	}
	evaluated := map[[2]string]bool{} // by namespace and job
	for _, a := range x.Leave {
		mark(tx, a.ID, x.Forced)
		key := [2]string{a.Namespace, a.JobID}
		if evaluated[key] {
			continue
		}
		evaluated[key] = true
		if job := tx.Job(a.Namespace, a.JobID); job != nil {
			e := scheduler.NewEvaluation(job, scheduler.TriggerNodeDrain, tx.Now())
			tx.UpsertEvaluation(e)
			evaluations = append(evaluations, e)
		}
	}
	if x.Complete {
		x.complete(tx, node)
	}
	return evaluations
}

// mark has an allocation leave its node. Batch work that is forced to is not
// done elsewhere.
func mark(tx *state.Tx, id string, forced bool) {
	a := tx.Allocation(id)
	if a == nil {
		return
	}
	next := *a
	next.DesiredTransition.Migrate = new(true)
	if forced && *a.Job.Type == api.JobTypeBatch {
		next.DesiredTransition.MigrateDisablePlacement = new(true)
	}
	tx.UpsertAllocation(&next)
}

// complete ends the drain. The node goes on taking no allocations.
func (x *Decision) complete(tx *state.Tx, node *state.Node) {
	var details map[string]string
	if x.Forced {
		details = map[string]string{"deadline_reached": "true"}
	}
	tx.UpdateNode(node, func(n *state.Node) {
		n.DrainStrategy = nil
		last := api.DrainMetadata{StartedAt: node.DrainStrategy.StartedAt}
		if node.LastDrain != nil {
			last = *node.LastDrain
		}
		last.Status, last.UpdatedAt = api.DrainStatusComplete, tx.Now()
		n.LastDrain = &last
		n.AddEvents(&api.NodeEvent{
			Message: "Node drain complete", Subsystem: api.NodeEventSubsystemDrain, Details: details,
			Timestamp: tx.Now(), CreateIndex: tx.ChangeIndex(),
		})
	})
}
