package scheduler

import (
	"maps"
	"slices"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// Apply writes the plan, whose rows become the state's: it is applied once.
//
// What nodes have said and what has become of them since the plan was made
// counts. An allocation is left out, and what it would have replaced goes on,
// when its node does not take it any more; the IDs of such nodes are returned,
// and the evaluation has not ended then: it is to be processed again. Room is
// not looked at: nobody else places allocations between Process and Apply.
func (p *Plan) Apply(tx *state.Tx) (rejected []string) {
	p.writeDeployments(tx)
	nodes, left := p.reject(tx)
	for _, c := range p.Changes {
		if c.updated() && nodes[c.Before.NodeID] || left[c.After.NextAllocation] || left[c.After.PreemptedByAllocation] {
			continue
		}
		c.write(tx)
	}
	for _, a := range p.Placements {
		if !left[a.ID] {
			tx.UpsertAllocation(a)
		}
	}
	p.writeEvaluations(tx, len(nodes) == 0)
	return slices.Sorted(maps.Keys(nodes))
}

func (p *Plan) writeDeployments(tx *state.Tx) {
	if d := tx.Deployment(p.Evaluation.DeploymentID); d != nil && len(p.Totals) > 0 {
		tx.UpdateDeployment(d, func(d *api.Deployment) {
			for name, total := range p.Totals {
				d.TaskGroups[name].DesiredTotal = total
			}
		})
	}
	for _, s := range p.DeploymentStatuses {
		SetDeploymentStatus(tx, s)
	}
	if p.Deployment != nil {
		tx.UpsertDeployment(p.Deployment)
	}
}

// reject finds the nodes that do not take what the plan has for them, and the
// placements that are left out for it.
func (p *Plan) reject(tx *state.Tx) (nodes, left map[string]bool) {
	nodes, left = map[string]bool{}, map[string]bool{}
	for _, a := range p.Placements {
		if node := tx.Node(a.NodeID); node == nil || !node.Ready() {
			nodes[a.NodeID], left[a.ID] = true, true
		}
	}
	for _, c := range p.Changes {
		if node := tx.Node(c.Before.NodeID); c.updated() && (node == nil || node.Status == api.NodeStatusDown) {
			nodes[c.Before.NodeID] = true
		}
	}
	return nodes, left
}

// updated tells whether the allocation becomes one of another version of its job.
func (c Change) updated() bool { return c.Before.Job != c.After.Job }

// write makes the change to the allocation as it is by now, if it is still there.
func (c Change) write(tx *state.Tx) {
	now := tx.Allocation(c.Before.ID)
	if now == nil {
		return
	}
	next := *now
	next.Job, next.EvalID, next.Resources = c.After.Job, c.After.EvalID, c.After.Resources
	next.TaskResources, next.AllocatedResources, next.Cores = c.After.TaskResources, c.After.AllocatedResources, c.After.Cores
	next.DesiredStatus, next.DesiredDescription = c.After.DesiredStatus, c.After.DesiredDescription
	next.FollowupEvalID, next.NextAllocation = c.After.FollowupEvalID, c.After.NextAllocation
	next.PreemptedByAllocation, next.RescheduleTracker = c.After.PreemptedByAllocation, c.After.RescheduleTracker
	next.AllocStates = c.After.AllocStates
	if c.After.ClientStatus != c.Before.ClientStatus && !now.ClientTerminal() {
		next.ClientStatus, next.ClientDescription = c.After.ClientStatus, c.After.ClientDescription
	}
	if c.After.DeploymentID != c.Before.DeploymentID {
		next.DeploymentID, next.DeploymentStatus = c.After.DeploymentID, c.After.DeploymentStatus
	}
	tx.UpsertAllocation(&next)
}

// SetDeploymentStatus writes what becomes of a deployment, if it has not ended
// already. One that is successful makes its version of the job a stable one.
func SetDeploymentStatus(tx *state.Tx, s DeploymentStatus) {
	d := tx.Deployment(s.Deployment)
	if d == nil || !state.DeploymentActive(d) {
		return
	}
	tx.UpdateDeployment(d, func(d *api.Deployment) {
		d.Status, d.StatusDescription = s.Status, s.Description
	})
	if s.Status != api.DeploymentStatusSuccessful {
		return
	}
	version := tx.JobVersion(d.Namespace, d.JobID, d.JobVersion)
	if version != nil && *version.CreateIndex == d.JobCreateIndex && !value(version.Stable) {
		tx.UpdateJobVersion(version, func(j *api.Job) { j.Stable = new(true) })
	}
}

// writeEvaluations writes those that follow and, if it has come to its end, the
// evaluation itself.
func (p *Plan) writeEvaluations(tx *state.Tx, ended bool) {
	now := tx.Now().UnixNano()
	for _, e := range p.Evaluations {
		if !ended && e.Status == api.EvalStatusBlocked {
			continue // it is made anew when it is known what has no place
		}
		e.CreateTime, e.ModifyTime = now, now
		tx.UpsertEvaluation(e)
	}
	if !ended {
		return
	}
	for _, c := range p.Cancelled {
		if old := tx.Evaluation(c.Evaluation); old != nil && !state.EvaluationTerminal(old) {
			next := *old
			next.Status, next.StatusDescription, next.ModifyTime = api.EvalStatusCancelled, c.Reason, now
			tx.UpsertEvaluation(&next)
		}
	}
	p.Evaluation.ModifyTime = now
	tx.UpsertEvaluation(p.Evaluation)
}
