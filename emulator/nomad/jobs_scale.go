package nomad

import (
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/jobs"
	"github.com/drydock/drydock/emulator/nomad/scheduler"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// jobScale tells how far the groups of a job are from their counts.
func (r *request) jobScale() (any, error) {
	namespace, id := r.namespace(), r.PathValue("id")
	if err := r.needIn(namespace, acl.ReadJobScaling, acl.ReadJob); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		job := view.Job(namespace, id)
		if job == nil {
			return nil, view.Index(state.TableJobs), notFound("job not found")
		}
		answer, index := scaleStatus(view, job)
		return answer, index, nil
	})
}

func scaleStatus(view *state.View, job *api.Job) (*api.JobScaleStatusResponse, uint64) {
	answer := &api.JobScaleStatusResponse{
		JobID: *job.ID, Namespace: *job.Namespace, JobCreateIndex: *job.CreateIndex, JobModifyIndex: *job.ModifyIndex,
		JobStopped: *job.Stop, TaskGroups: map[string]api.TaskGroupScaleStatus{},
	}
	index := *job.ModifyIndex
	events := view.ScalingEvents(*job.Namespace, *job.ID)
	if events != nil {
		index = max(index, events.ModifyIndex)
	}
	for _, group := range job.TaskGroups {
		status := api.TaskGroupScaleStatus{Desired: *group.Count}
		if events != nil {
			status.Events = events.Groups[*group.Name]
		}
		answer.TaskGroups[*group.Name] = status
	}
	deployment := view.LatestDeployment(*job.Namespace, *job.ID)
	for a := range view.AllocationsOfJob(*job.Namespace, *job.ID) {
		index = max(index, a.ModifyIndex)
		if status, known := answer.TaskGroups[a.TaskGroup]; known && !a.Terminal() {
			answer.TaskGroups[a.TaskGroup] = countScaled(status, a, deployment)
		}
	}
	return answer, index
}

// countScaled adds an allocation to the status of its group. Its health is known
// only of the latest deployment.
func countScaled(status api.TaskGroupScaleStatus, a *state.Allocation, deployment *api.Deployment) api.TaskGroupScaleStatus {
	status.Placed++
	if a.ClientStatus == api.AllocClientStatusRunning {
		status.Running++
	}
	if d := a.DeploymentStatus; d != nil && d.Healthy != nil && deployment != nil && a.DeploymentID == deployment.ID {
		if *d.Healthy {
			status.Healthy++
		} else {
			status.Unhealthy++
		}
	}
	return status
}

// scaleJob changes the count of a group, or only remembers what is said of it.
func (r *request) scaleJob() (any, error) {
	namespace, id := r.namespace(), r.PathValue("id")
	var asked api.ScalingRequest
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	if err := r.needIn(namespace, acl.ScaleJob, acl.SubmitJob); err != nil {
		return nil, err
	}
	if err := r.needRegistration(); err != nil {
		return nil, err
	}
	if err := checkScaling(&asked); err != nil {
		return nil, err
	}
	answer := jobChange{KnownLeader: true}
	err := r.write(func(tx *state.Tx) error {
		job := tx.Job(namespace, id)
		if job == nil {
			return notFound("job %q not found", id)
		}
		group, err := checkScalable(tx, job, &asked)
		if err != nil {
			return err
		}
		e := scale(tx, job, group, &asked)
		if e != nil {
			answer.EvalID, answer.EvalCreateIndex = e.ID, tx.ChangeIndex()
		}
		answer.Index, answer.JobModifyIndex = tx.ChangeIndex(), *tx.Job(namespace, id).ModifyIndex
		return nil
	})
	return answer, err
}

// checkScaling checks what needs no look at the job.
func checkScaling(asked *api.ScalingRequest) error {
	switch {
	case asked.Target[jobs.TargetGroup] == "":
		return badRequest("missing task group name for scaling action")
	case asked.Error && asked.Count != nil:
		return badRequest("scaling action should not contain count if error is true")
	case asked.Count != nil && *asked.Count < 0:
		return badRequest("scaling action count can't be negative")
	}
	return nil
}

// checkScalable finds the group to scale, if that may be done now.
func checkScalable(tx *state.Tx, job *api.Job, asked *api.ScalingRequest) (*api.TaskGroup, error) {
	name := asked.Target[jobs.TargetGroup]
	group := job.LookupTaskGroup(name)
	if group == nil {
		return nil, badRequest("task group %q specified for scaling does not exist in job", name)
	}
	if asked.JobModifyIndex != 0 {
		if err := enforceIndex(job, asked.JobModifyIndex); err != nil {
			return nil, err
		}
	}
	if *job.Type == api.JobTypeSystem && asked.Count != nil && *asked.Count > 1 {
		return nil, badRequest("jobs of type %q can only be scaled between 0 and 1", *job.Type)
	}
	if asked.Count == nil {
		return group, nil
	}
	if p := group.Scaling; p != nil {
		if p.Max != nil && *asked.Count > *p.Max {
			return nil, badRequest("group count was greater than scaling policy maximum: %d > %d", *asked.Count, *p.Max)
		}
		if p.Min != nil && *asked.Count < *p.Min {
			return nil, badRequest("group count was less than scaling policy minimum: %d < %d", *asked.Count, *p.Min)
		}
	}
	d := tx.LatestDeployment(*job.Namespace, *job.ID)
	if d != nil && state.DeploymentActive(d) && d.JobCreateIndex == *job.CreateIndex {
		return nil, badRequest("job scaling blocked due to active deployment")
	}
	return group, nil
}

// scale writes the job with the new count, if there is one, and remembers why.
func scale(tx *state.Tx, job *api.Job, group *api.TaskGroup, asked *api.ScalingRequest) (e *api.Evaluation) {
	event := api.ScalingEvent{
		Count: asked.Count, PreviousCount: int64(*group.Count), Error: asked.Error, Message: asked.Message, Meta: asked.Meta,
	}
	if asked.Count != nil {
		tx.About("JobRegistered")
		next := withCount(job, *group.Name, int(*asked.Count))
		tx.UpsertJob(next, true)
		tx.InheritSubmission(next, *job.Version)
		if !waits(next) {
			e = newEvaluation(tx, next, scheduler.TriggerJobScaling)
			tx.UpsertEvaluation(e)
			event.EvalID = &e.ID
		}
	}
	tx.AddScalingEvent(*job.Namespace, *job.ID, *group.Name, event)
	return e
}

// withCount copies a job with another count of a group.
func withCount(job *api.Job, name string, count int) *api.Job {
	next := *job
	next.VersionTag = nil
	next.TaskGroups = make([]*api.TaskGroup, len(job.TaskGroups))
	for i, group := range job.TaskGroups {
		own := *group
		if *group.Name == name {
			own.Count = &count
		}
		next.TaskGroups[i] = &own
	}
	return &next
}
