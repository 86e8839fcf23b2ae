package nomad

import (
	"github.com/google/uuid"
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// Why an evaluation is made.
const (
	triggerJobRegister       = "job-register"
	triggerJobDeregister     = "job-deregister"
	triggerPeriodicJob       = "periodic-job"
	triggerNodeDrain         = "node-drain"
	triggerNodeUpdate        = "node-update"
	triggerAllocationStop    = "alloc-stop"
	triggerAllocationFailure = "alloc-failure"
	triggerDeploymentWatcher = "deployment-watcher"
	triggerScaling           = "job-scaling"
	triggerReconnect         = "reconnect"
)

// newEvaluation makes an evaluation of a job that the scheduler is to do next.
func newEvaluation(tx *state.Tx, job *api.Job, trigger string) *api.Evaluation {
	now := tx.Now().UnixNano()
	return &api.Evaluation{
		ID: uuid.NewString(), Namespace: *job.Namespace, JobID: *job.ID, JobModifyIndex: *job.JobModifyIndex,
		Priority: *job.Priority, Type: *job.Type, TriggeredBy: trigger, Status: api.EvalStatusPending,
		CreateTime: now, ModifyTime: now,
	}
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
		e := newEvaluation(tx, job, triggerNodeUpdate)
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
