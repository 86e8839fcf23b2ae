package nomad

import (
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/scheduler"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// newEvaluation makes an evaluation of a job that the scheduler is to do next.
func newEvaluation(tx *state.Tx, job *api.Job, trigger string) *api.Evaluation {
	return scheduler.NewEvaluation(job, trigger, tx.Now())
}

// evaluateNode makes an evaluation for each job that something happening to a
// node may touch: those with allocations on it, and all system jobs. It returns their IDs.
func evaluateNode(tx *state.Tx, node *state.Node) (evaluations []string) {
	jobs := map[*api.Job]bool{}
	add := func(job *api.Job) {
		if job == nil || jobs[job] {
			return
		}
		jobs[job] = true
		e := newEvaluation(tx, job, scheduler.TriggerNodeUpdate)
		e.NodeID, e.NodeModifyIndex = node.ID, node.ModifyIndex
		tx.UpsertEvaluation(e)
		evaluations = append(evaluations, e.ID)
	}
	for a := range tx.AllocationsOfNode(node.ID) {
		if !a.Terminal() {
			add(tx.Job(a.Namespace, a.JobID))
		}
	}
	for job := range tx.Jobs() {
		stopped := job.Stop != nil && *job.Stop
		if (*job.Type == api.JobTypeSystem || *job.Type == api.JobTypeSysbatch) && !stopped && !job.IsPeriodic() && !job.IsParameterized() {
			add(job)
		}
	}
	return evaluations
}
