package nomad

import (
	"net/http"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// revertJob registers an earlier version of a job again.
func (r *request) revertJob() (any, error) {
	var asked api.JobRevertRequest
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	if err := r.ofThisJob(asked.JobID); err != nil {
		return nil, err
	}
	namespace := r.namespace()
	if err := r.needIn(namespace, acl.SubmitJob); err != nil {
		return nil, err
	}
	view := r.region.store.View()
	earlier, err := revertible(view, namespace, asked)
	if err != nil {
		return nil, err
	}
	job, registration := *earlier, api.JobRegisterRequest{}
	job.VersionTag, job.Stop, job.Stable = nil, new(false), new(false)
	if source := view.Submission(namespace, asked.JobID, asked.JobVersion); source != nil {
		registration.Submission = &source.JobSubmission
	}
	if asked.EnforcePriorVersion != nil {
		registration.EnforceIndex, registration.JobModifyIndex = true, *view.Job(namespace, asked.JobID).JobModifyIndex
	}
	return r.register(&job, registration)
}

// revertible is the version that a job can go back to.
func revertible(view *state.View, namespace string, asked api.JobRevertRequest) (*api.Job, error) {
	job := view.Job(namespace, asked.JobID)
	switch {
	case job == nil:
		return nil, fail(http.StatusInternalServerError, "job %q not found", asked.JobID)
	case asked.JobVersion == *job.Version:
		return nil, fail(http.StatusInternalServerError, "can't revert to current version")
	case asked.EnforcePriorVersion != nil && *asked.EnforcePriorVersion != *job.Version:
		return nil, fail(http.StatusInternalServerError, "Current job has version %d; enforcing version %d",
			*job.Version, *asked.EnforcePriorVersion)
	}
	if version := view.JobVersion(namespace, asked.JobID, asked.JobVersion); version != nil {
		return version, nil
	}
	return nil, noVersion(namespace, asked.JobID, asked.JobVersion)
}

func noVersion(namespace, id string, version uint64) error {
	return fail(http.StatusInternalServerError, "job %q in namespace %q at version %d not found", id, namespace, version)
}

// ofThisJob is an error unless a body is about the job of the path.
func (r *request) ofThisJob(id string) error {
	switch id {
	case r.PathValue("id"):
		return nil
	case "":
		return badRequest("JobID must be specified")
	default:
		return badRequest("Job ID does not match")
	}
}

// stabilizeJob says whether a version of a job is one to go back to.
func (r *request) stabilizeJob() (any, error) {
	var asked api.JobStabilityRequest
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	if err := r.ofThisJob(asked.JobID); err != nil {
		return nil, err
	}
	namespace := r.namespace()
	if err := r.needIn(namespace, acl.SubmitJob); err != nil {
		return nil, err
	}
	var answer struct{ Index uint64 }
	err := r.write(func(tx *state.Tx) error {
		version := tx.JobVersion(namespace, asked.JobID, asked.JobVersion)
		if version == nil {
			return noVersion(namespace, asked.JobID, asked.JobVersion)
		}
		answer.Index = tx.ChangeIndex()
		tx.UpdateJobVersion(version, func(j *api.Job) { j.Stable = new(asked.Stable) })
		return nil
	})
	return answer, err
}
