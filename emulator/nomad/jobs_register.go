package nomad

import (
	"net/http"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/jobs"
	"github.com/drydock/drydock/emulator/nomad/scheduler"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// jobChange is the answer to what changes a job.
type jobChange struct {
	EvalID          string
	EvalCreateIndex uint64
	JobModifyIndex  uint64
	Warnings        string
	Index           uint64
	LastContact     int
	KnownLeader     bool
	NextToken       string
}

func (r *request) registerJob() (any, error) {
	var asked api.JobRegisterRequest
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	job := asked.Job
	switch {
	case job == nil:
		return nil, badRequest("Job must be specified")
	case job.ID == nil || *job.ID == "":
		return nil, badRequest("Job ID hasn't been provided")
	}
	if id := r.PathValue("id"); id != "" && id != *job.ID {
		return nil, badRequest("Job ID does not match name")
	}
	if err := r.placeInNamespace(job); err != nil {
		return nil, err
	}
	if err := r.needIn(*job.Namespace, acl.SubmitJob); err != nil {
		return nil, err
	}
	return r.register(job, asked)
}

// placeInNamespace gives a job the region and the namespace that the request
// is about, unless it says so itself.
func (r *request) placeInNamespace(job *api.Job) error {
	if job.Region != nil && *job.Region != "" && !r.has("region") && *job.Region != "global" {
		if err := r.forward(*job.Region); err != nil {
			return err
		}
	}
	if job.Namespace == nil || *job.Namespace == "" || r.has("namespace") {
		namespace := r.namespace()
		job.Namespace = &namespace
	}
	return nil
}

// register validates a job and writes it, with the evaluation that places it.
func (r *request) register(job *api.Job, asked api.JobRegisterRequest) (any, error) {
	jobs.Canonicalize(job)
	problems, warnings := jobs.Validate(job, r.cluster())
	if len(problems) > 0 {
		return nil, fail(http.StatusInternalServerError, "%s", jobs.Refusal(problems))
	}
	answer := jobChange{Warnings: warnings}
	err := r.write(func(tx *state.Tx) error {
		tx.About("JobRegistered")
		if err := mayRegister(tx, job, asked); err != nil {
			return err
		}
		if asked.PreserveCounts || asked.PreserveResources {
			preserve(tx.Job(*job.Namespace, *job.ID), job, asked)
		}
		evaluation := putJob(tx, job, asked)
		answer.Index, answer.JobModifyIndex = tx.ChangeIndex(), *tx.Job(*job.Namespace, *job.ID).JobModifyIndex
		if evaluation != nil {
			answer.EvalID, answer.EvalCreateIndex = evaluation.ID, tx.ChangeIndex()
		}
		return nil
	})
	return answer, err
}

// cluster is what a job may refer to.
func (r *request) cluster() jobs.Cluster {
	view := r.region.store.View()
	return jobs.Cluster{
		HasNamespace:           func(name string) bool { return view.Namespace(name) != nil },
		HasNodePool:            func(name string) bool { return view.NodePool(name) != nil },
		MemoryOversubscription: view.SchedulerConfiguration().MemoryOversubscriptionEnabled,
	}
}

// mayRegister is an error when the state does not allow the job.
func mayRegister(tx *state.Tx, job *api.Job, asked api.JobRegisterRequest) error {
	if tx.SchedulerConfiguration().RejectJobRegistration {
		return fail(http.StatusInternalServerError, "job registration disabled by scheduler configuration")
	}
	old := tx.Job(*job.Namespace, *job.ID)
	if asked.EnforceIndex {
		switch {
		case old == nil && asked.JobModifyIndex != 0:
			return fail(http.StatusInternalServerError, "Enforcing job modify index %d: job does not exist", asked.JobModifyIndex)
		case old != nil && asked.JobModifyIndex == 0:
			return fail(http.StatusInternalServerError, "Enforcing job modify index 0: job already exists")
		case old != nil && asked.JobModifyIndex != *old.JobModifyIndex:
			return fail(http.StatusInternalServerError, "Enforcing job modify index %d: job exists with conflicting job modify index: %d",
				asked.JobModifyIndex, *old.JobModifyIndex)
		}
	}
	return nil
}

// preserve keeps the counts, or the resources, of the groups that the job has already.
func preserve(old, job *api.Job, asked api.JobRegisterRequest) {
	if old == nil {
		return
	}
	for _, group := range job.TaskGroups {
		before := old.LookupTaskGroup(*group.Name)
		if before == nil {
			continue
		}
		if asked.PreserveCounts {
			group.Count = before.Count
		}
		if !asked.PreserveResources {
			continue
		}
		for _, task := range group.Tasks {
			for _, same := range before.Tasks {
				if same.Name == task.Name {
					task.Resources = same.Resources
				}
			}
		}
	}
}

// putJob writes a job, and the evaluation that places it; a job that waits for
// its time or for a dispatch has none.
func putJob(tx *state.Tx, job *api.Job, asked api.JobRegisterRequest) *api.Evaluation {
	old := tx.Job(*job.Namespace, *job.ID)
	tx.UpsertJob(job, old == nil || jobs.SpecChanged(old, job))
	if job.IsPeriodic() || job.IsParameterized() && !job.Dispatched {
		return nil
	}
	e := newEvaluation(tx, job, scheduler.TriggerJobRegister)
	if asked.EvalPriority > 0 {
		e.Priority = asked.EvalPriority
	}
	tx.UpsertEvaluation(e)
	return e
}
