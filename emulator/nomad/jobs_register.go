package nomad

import (
	"fmt"
	"net/http"

	"github.com/dustin/go-humanize"
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
	case asked.EvalPriority != 0 && !validPriority(asked.EvalPriority):
		return nil, errEvalPriority
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
	jobs.Canonicalize(job)
	return r.register(job, asked)
}

var errEvalPriority = badRequest("Eval priority must be between 1 and 100 inclusively")

func validPriority(priority int) bool { return priority >= 1 && priority <= 100 }

// placeInNamespace gives a job the region and the namespace that the request
// is about, unless it says so itself.
func (r *request) placeInNamespace(job *api.Job) error {
	if job.Region != nil && *job.Region != "" && !r.has("region") && *job.Region != api.GlobalRegion {
		if err := r.forward(*job.Region); err != nil {
			return err
		}
	}
	job.Region = new(r.region.options.Name)
	if job.Namespace == nil || *job.Namespace == "" || r.has("namespace") {
		job.Namespace = new(r.namespace())
	}
	return nil
}

// register validates a canonical job and writes it, with the evaluation that
// places it.
func (r *request) register(job *api.Job, asked api.JobRegisterRequest) (any, error) {
	if err := r.needRegistration(); err != nil {
		return nil, err
	}
	problems, warnings := jobs.Validate(job, r.cluster())
	if len(problems) > 0 {
		return nil, fail(http.StatusInternalServerError, "%s", jobs.Refusal(problems))
	}
	if warning := dropLongSource(&asked); warning != "" {
		warnings = append(warnings, warning)
	}
	answer := jobChange{Warnings: jobs.Warnings(warnings)}
	err := r.write(func(tx *state.Tx) error {
		tx.About("JobRegistered")
		old := tx.Job(*job.Namespace, *job.ID)
		if err := mayRegister(tx, old, job, asked); err != nil {
			return err
		}
		if old != nil && asked.PreserveCounts {
			jobs.CountsFrom(job, old)
		}
		if old != nil && asked.PreserveResources {
			jobs.ResourcesFrom(job, old)
		}
		e := putJob(tx, old, job, asked)
		answer.Index, answer.JobModifyIndex = tx.ChangeIndex(), *tx.Job(*job.Namespace, *job.ID).ModifyIndex
		if e != nil {
			answer.EvalID, answer.EvalCreateIndex = e.ID, tx.ChangeIndex()
		}
		return nil
	})
	return answer, err
}

// needRegistration is an error when the scheduler's configuration leaves jobs to
// those who may do everything, and the caller is none of them.
func (r *request) needRegistration() error {
	if !r.region.store.View().SchedulerConfiguration().RejectJobRegistration || r.needManagement() == nil {
		return nil
	}
	return fail(http.StatusForbidden, "Job registration, dispatch, and scale are disabled by the scheduler configuration")
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
func mayRegister(tx *state.Tx, old, job *api.Job, asked api.JobRegisterRequest) error {
	if asked.EnforceIndex {
		if err := enforceIndex(old, asked.JobModifyIndex); err != nil {
			return err
		}
	}
	if err := jobs.CheckRegister(old, job); err != nil {
		return fail(http.StatusInternalServerError, "%v", err)
	}
	return nil
}

// enforceIndex is an error unless the job is still as the caller knows it.
func enforceIndex(old *api.Job, index uint64) error {
	switch {
	case old == nil && index != 0:
		return fail(http.StatusInternalServerError, "Enforcing job modify index %d: job does not exist", index)
	case old != nil && index == 0:
		return fail(http.StatusInternalServerError, "Enforcing job modify index 0: job already exists")
	case old != nil && index != *old.JobModifyIndex:
		return fail(http.StatusInternalServerError, "Enforcing job modify index %d: job exists with conflicting job modify index: %d",
			index, *old.JobModifyIndex)
	}
	return nil
}

// putJob writes a job, what it was submitted as, and the evaluation that places
// it; a job that waits for its time or for a dispatch has none.
func putJob(tx *state.Tx, old, job *api.Job, asked api.JobRegisterRequest) *api.Evaluation {
	changed := old == nil || jobs.SpecChanged(old, job)
	tx.UpsertJob(job, changed)
	if source := asked.Submission; changed && source != nil {
		tx.UpsertSubmission(job, source)
	} else if changed {
		tx.InheritSubmission(job, 0) // as the real program does
	}
	if waits(job) {
		return nil
	}
	e := newEvaluation(tx, job, scheduler.TriggerJobRegister)
	if asked.EvalPriority > 0 {
		e.Priority = asked.EvalPriority
	}
	tx.UpsertEvaluation(e)
	return e
}

// waits tells whether a job only launches others, at times or when it is dispatched.
func waits(job *api.Job) bool { return job.IsPeriodic() || job.IsParameterized() }

// maxSource is how long the source of a job may be to be kept, in bytes.
const maxSource = 1_000_000

// dropLongSource forgets a source that is too long, and warns of it.
func dropLongSource(asked *api.JobRegisterRequest) (warning string) {
	if asked.Submission == nil || len(asked.Submission.Source) <= maxSource {
		return ""
	}
	size := uint64(len(asked.Submission.Source))
	asked.Submission = nil
	return fmt.Sprintf("job source size of %s exceeds maximum of %s and will be discarded", humanize.Bytes(size), humanize.Bytes(maxSource))
}
