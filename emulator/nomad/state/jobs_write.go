package state

import (
	"maps"

	"github.com/hashicorp/nomad/api"
)

// The statuses of a job.
const (
	JobPending = "pending"
	JobRunning = "running"
	JobDead    = "dead"
)

// rememberedVersions is how many versions of a job are kept, beside tagged ones,
// as the real servers do by default.
const rememberedVersions = 6

// UpsertJob registers a job, which becomes the row: the caller does not change
// it any more. It is a new version when newVersion; otherwise the one there is
// with what is new. The indexes, the version and the status are set here.
func (tx *Tx) UpsertJob(job *api.Job, newVersion bool) {
	index, now := tx.ChangeIndex(), tx.Now().UnixNano()
	old := tx.Job(*job.Namespace, *job.ID)
	version, created := uint64(0), index
	job.JobModifyIndex, job.SubmitTime = &index, &now
	if old != nil {
		version, created = *old.Version, *old.CreateIndex
		if newVersion {
			version++
		} else {
			job.JobModifyIndex, job.SubmitTime = old.JobModifyIndex, old.SubmitTime
		}
	}
	job.Version, job.CreateIndex, job.ModifyIndex = &version, &created, &index
	status := tx.jobStatus(job)
	job.Status = &status
	tx.putPolicies(job)
	tx.putJob(job)
	tx.openSummary(job)
	tx.forgetVersions(*job.Namespace, *job.ID)
}

// putJob writes the job as it is now, and as it is in its version.
func (tx *Tx) putJob(job *api.Job) {
	tx.Insert(TableJobs, job)
	tx.Insert(TableJobVersions, job)
}

// UpdateJob changes a job in its place: the copy that change gets is written.
func (tx *Tx) UpdateJob(job *api.Job, change func(*api.Job)) {
	changed, index := *job, tx.ChangeIndex()
	changed.ModifyIndex = &index
	change(&changed)
	tx.putJob(&changed)
}

// UpdateJobVersion changes a version of a job in its place, and the job when
// that is its version.
func (tx *Tx) UpdateJobVersion(version *api.Job, change func(*api.Job)) {
	changed, index := *version, tx.ChangeIndex()
	changed.ModifyIndex = &index
	change(&changed)
	tx.Insert(TableJobVersions, &changed)
	if now := tx.Job(*version.Namespace, *version.ID); now != nil && *now.Version == *version.Version {
		tx.Insert(TableJobs, &changed)
	}
}

// DeleteJob forgets a job with its versions and its summary.
func (tx *Tx) DeleteJob(job *api.Job) {
	for _, version := range tx.JobVersions(*job.Namespace, *job.ID) {
		tx.Delete(TableJobVersions, version)
	}
	if summary := tx.JobSummary(*job.Namespace, *job.ID); summary != nil {
		tx.Delete(TableSummaries, summary)
	}
	tx.Delete(TableJobs, job)
	tx.forgetSubmissions(*job.Namespace, *job.ID)
	tx.forgetScaling(*job.Namespace, *job.ID)
	tx.forgetLaunch(job)
	tx.recountChildren(job)
}

// forgetVersions drops the oldest versions beyond those that are remembered.
func (tx *Tx) forgetVersions(namespace, id string) {
	var plain []*api.Job
	for _, version := range tx.JobVersions(namespace, id) {
		if version.VersionTag == nil {
			plain = append(plain, version)
		}
	}
	for len(plain) > rememberedVersions {
		tx.Delete(TableJobVersions, plain[0])
		plain = plain[1:]
	}
	tx.forgetSubmissions(namespace, id)
}

// jobName is what a job is found by.
type jobName struct{ namespace, id string }

// touchJob has the status of a job follow, from its evaluations and allocations.
func (tx *Tx) touchJob(namespace, id string) { tx.touched[jobName{namespace, id}] = true }

// refreshJobStatuses sets the statuses of the jobs that were touched.
func (tx *Tx) refreshJobStatuses() {
	for name := range tx.touched {
		job := tx.Job(name.namespace, name.id)
		if job == nil {
			continue
		}
		if status := tx.jobStatus(job); job.Status == nil || status != *job.Status {
			tx.UpdateJob(job, func(j *api.Job) { j.Status = &status })
			tx.recountChildren(job)
		}
	}
}

// jobStatus works out the status: a job that is stopped, or that had work and
// has none left, is dead.
func (tx *Tx) jobStatus(job *api.Job) string {
	stopped := job.Stop != nil && *job.Stop
	waits := job.IsPeriodic() || job.IsParameterized() && !job.Dispatched
	if *job.Type == api.JobTypeSystem || waits {
		if stopped {
			return JobDead
		}
		return JobRunning
	}
	hadWork := false
	for a := range tx.AllocationsOfJob(*job.Namespace, *job.ID) {
		if job.CreateIndex != nil && *a.Job.CreateIndex != *job.CreateIndex {
			continue // of an earlier job of that name
		}
		if !a.Terminal() {
			return JobRunning
		}
		hadWork = true
	}
	for e := range tx.EvaluationsOfJob(*job.Namespace, *job.ID) {
		if job.CreateIndex != nil && e.CreateIndex < *job.CreateIndex {
			continue
		}
		if !EvaluationTerminal(e) {
			return JobPending
		}
		hadWork = true
	}
	if stopped || hadWork {
		return JobDead
	}
	return JobPending
}

// openSummary makes the summary of a job, and adds groups that are new in it.
func (tx *Tx) openSummary(job *api.Job) {
	old := tx.JobSummary(*job.Namespace, *job.ID)
	next := api.JobSummary{
		JobID: *job.ID, Namespace: *job.Namespace, Summary: map[string]api.TaskGroupSummary{},
		Children: &api.JobChildrenSummary{}, CreateIndex: tx.ChangeIndex(),
	}
	if old != nil {
		next = *old
		next.Summary = maps.Clone(old.Summary)
	}
	changed := old == nil
	for _, group := range job.TaskGroups {
		if _, known := next.Summary[*group.Name]; !known {
			next.Summary[*group.Name] = api.TaskGroupSummary{}
			changed = true
		}
	}
	if changed {
		next.ModifyIndex = tx.ChangeIndex()
		tx.Insert(TableSummaries, &next)
	}
	tx.recountChildren(job)
}

// recountChildren counts, in the parent's summary, its children by status.
func (tx *Tx) recountChildren(child *api.Job) {
	if child.ParentID == nil || *child.ParentID == "" {
		return
	}
	old := tx.JobSummary(*child.Namespace, *child.ParentID)
	if old == nil {
		return
	}
	next := *old
	next.Children = &api.JobChildrenSummary{}
	for job := range tx.JobChildren(*child.Namespace, *child.ParentID) {
		switch *job.Status {
		case JobPending:
			next.Children.Pending++
		case JobRunning:
			next.Children.Running++
		default:
			next.Children.Dead++
		}
	}
	next.ModifyIndex = tx.ChangeIndex()
	tx.Insert(TableSummaries, &next)
}
