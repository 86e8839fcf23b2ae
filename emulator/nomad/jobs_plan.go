package nomad

import (
	"net/http"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/jobs"
	"github.com/drydock/drydock/emulator/nomad/scheduler"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// jobPlan is the answer to planning a job.
type jobPlan struct {
	Annotations        *api.PlanAnnotations
	FailedTGAllocs     map[string]*api.AllocationMetric
	JobModifyIndex     uint64
	CreatedEvals       []*api.Evaluation
	Diff               *api.JobDiff
	NextPeriodicLaunch *time.Time // absent for what is not launched
	Warnings           string
	Index              uint64
}

// planJob tells what registering a job would do.
func (r *request) planJob() (any, error) {
	var asked api.JobPlanRequest
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	job := asked.Job
	switch {
	case job == nil:
		return nil, badRequest("Job must be specified")
	case job.ID == nil || *job.ID == "":
		return nil, badRequest("Job must have a valid ID")
	case *job.ID != r.PathValue("id"):
		return nil, badRequest("Job ID does not match")
	}
	if err := r.placeInNamespace(job); err != nil {
		return nil, err
	}
	if err := r.needIn(*job.Namespace, acl.SubmitJob); err != nil {
		return nil, err
	}
	jobs.Canonicalize(job)
	problems, warnings := jobs.Validate(job, r.cluster())
	if len(problems) > 0 {
		return nil, fail(http.StatusInternalServerError, "%s", jobs.Refusal(problems))
	}
	answer := &jobPlan{Warnings: jobs.Warnings(warnings)}
	if err := answer.preview(r.region, job, asked.Diff); err != nil {
		return nil, err
	}
	r.setIndex(answer.Index)
	return answer, nil
}

// preview fills in what follows from the state.
func (p *jobPlan) preview(r *region, job *api.Job, withDiff bool) error {
	view := r.store.View()
	old := view.Job(*job.Namespace, *job.ID)
	if old != nil {
		p.JobModifyIndex, p.Index = *old.JobModifyIndex, *old.JobModifyIndex
	}
	plan, err := scheduler.Preview(view, asRegistered(view, old, job), r.schedulerOptions(view, portFree))
	if err != nil {
		return err
	}
	p.Annotations, p.FailedTGAllocs = plan.Evaluation.PlanAnnotations, plan.Evaluation.FailedTGAllocs
	p.CreatedEvals = plan.Evaluations
	if withDiff {
		p.Diff = jobs.Diff(old, job)
		jobs.Annotate(p.Diff, plan.DesiredUpdates())
	}
	if job.IsPeriodic() {
		next, err := jobs.Next(job.Periodic, time.Now())
		if err != nil {
			return err
		}
		if !next.IsZero() {
			p.NextPeriodicLaunch = &next
		}
	}
	return nil
}

// asRegistered is the job with the version and the indexes that registering it
// would give it.
func asRegistered(view *state.View, old, job *api.Job) *api.Job {
	next, index := *job, view.Index(state.TableJobs)+1
	if old == nil {
		next.CreateIndex, next.JobModifyIndex, next.ModifyIndex = &index, &index, &index
		return &next
	}
	next.CreateIndex, next.Version = old.CreateIndex, old.Version
	next.JobModifyIndex, next.ModifyIndex = old.JobModifyIndex, old.ModifyIndex
	if jobs.SpecChanged(old, job) {
		next.Version = new(*old.Version + 1)
		next.JobModifyIndex, next.ModifyIndex = &index, &index
	}
	return &next
}
