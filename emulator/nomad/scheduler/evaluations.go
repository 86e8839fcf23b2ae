package scheduler

import (
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/nomad/api"
)

// What evaluations are triggered by.
const (
	TriggerJobRegister       = "job-register"
	TriggerJobDeregister     = "job-deregister"
	TriggerJobScaling        = "job-scaling"
	TriggerPeriodicJob       = "periodic-job"
	TriggerNodeUpdate        = "node-update"
	TriggerNodeDrain         = "node-drain"
	TriggerAllocationStop    = "alloc-stop"
	TriggerAllocationFailure = "alloc-failure"
	TriggerReschedule        = "alloc-reschedule" // the delay before a replacement is over
	TriggerQueued            = "queued-allocs"    // there may be room again
	TriggerDeployment        = "deployment-watcher"
	TriggerPreemption        = "preemption"
	TriggerReconnect         = "reconnect"              // a node has reported what it had lost sight of
	TriggerDisconnectTimeout = "max-disconnect-timeout" // a node was away for too long
	TriggerMaxAttempts       = "max-plan-attempts"      // nodes did not take what was planned
)

// NewEvaluation makes an evaluation of a job that is to be processed next.
func NewEvaluation(job *api.Job, trigger string, now time.Time) *api.Evaluation {
	return &api.Evaluation{
		ID: uuid.NewString(), Namespace: *job.Namespace, JobID: *job.ID,
		Type: *job.Type, Priority: *job.Priority, JobModifyIndex: *job.JobModifyIndex,
		TriggeredBy: trigger, Status: api.EvalStatusPending,
		CreateTime: now.UnixNano(), ModifyTime: now.UnixNano(),
	}
}

// followUp is an evaluation of the same job that continues another one.
func followUp(e *api.Evaluation, trigger, status, description string) *api.Evaluation {
	return &api.Evaluation{
		ID: uuid.NewString(), Namespace: e.Namespace, JobID: e.JobID,
		Type: e.Type, Priority: e.Priority, JobModifyIndex: e.JobModifyIndex,
		TriggeredBy: trigger, Status: status, StatusDescription: description,
		PreviousEval: e.ID,
	}
}

// delayed is a follow-up for a later time.
func delayed(e *api.Evaluation, trigger, description string, until time.Time) *api.Evaluation {
	next := followUp(e, trigger, api.EvalStatusPending, description)
	next.WaitUntil = until
	return next
}

// blocked is a follow-up for when there is room again.
func blocked(e *api.Evaluation, trigger, description string) *api.Evaluation {
	return followUp(e, trigger, api.EvalStatusBlocked, description)
}
