package state

import (
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/store"
)

// tableSubmissions has what the versions of jobs were submitted as.
const tableSubmissions = "job_submission"

// Submission is the source of a version of a job.
type Submission struct {
	api.JobSubmission
	Namespace      string
	JobID          string
	Version        uint64
	JobModifyIndex uint64
}

func submissionTables() store.Schema {
	return store.Schema{tableSubmissions: store.Rows[Submission](
		store.Unique("id", store.By(func(s *Submission) []string { return []string{s.Namespace, s.JobID, number(s.Version)} })),
		store.Many("job", store.By(func(s *Submission) []string { return []string{s.Namespace, s.JobID} })))}
}

// Submission is the source of a version of a job; nil when it is not known.
func (v *View) Submission(namespace, job string, version uint64) *Submission {
	return store.First[Submission](v.View, tableSubmissions, "id", namespace, job, number(version))
}

// UpsertSubmission keeps the source of the job's version as it is now.
func (tx *Tx) UpsertSubmission(job *api.Job, source *api.JobSubmission) {
	own := source.Copy()
	if len(own.VariableFlags) == 0 {
		own.VariableFlags = nil
	}
	tx.Insert(tableSubmissions, &Submission{
		JobSubmission: *own, Namespace: *job.Namespace, JobID: *job.ID,
		Version: *job.Version, JobModifyIndex: *job.JobModifyIndex,
	})
}

// InheritSubmission has the job's version be of the source of an earlier one, if
// that is known.
func (tx *Tx) InheritSubmission(job *api.Job, earlier uint64) {
	if source := tx.Submission(*job.Namespace, *job.ID, earlier); source != nil {
		tx.UpsertSubmission(job, &source.JobSubmission)
	}
}

// forgetSubmissions drops the sources of a job of which no version is remembered.
func (tx *Tx) forgetSubmissions(namespace, job string) {
	for _, s := range store.Collect[Submission](tx.View.View, tableSubmissions, "job", namespace, job) {
		if tx.JobVersion(namespace, job, s.Version) == nil {
			tx.Delete(tableSubmissions, s)
		}
	}
}
