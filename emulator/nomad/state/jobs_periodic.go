package state

import (
	"iter"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/store"
)

// tableLaunches has when periodic jobs were launched last.
const tableLaunches = "periodic_launch"

type launch struct {
	Namespace string
	JobID     string
	At        time.Time // the time that it was launched for
}

func launchTables() store.Schema {
	return store.Schema{tableLaunches: store.Rows[launch](
		store.Unique("id", store.By(func(l *launch) []string { return []string{l.Namespace, l.JobID} })))}
}

// PeriodicJobs are the jobs that are periodic.
func (v *View) PeriodicJobs() iter.Seq[*api.Job] {
	return store.All[api.Job](v.View, TableJobs, "periodic_prefix", "")
}

// LatestLaunch is the time that a periodic job was last launched for or, if
// that is later, when it was registered.
func (v *View) LatestLaunch(job *api.Job) time.Time {
	registered := time.Unix(0, *job.SubmitTime)
	if l := v.launch(job); l != nil && l.At.After(registered) {
		return l.At
	}
	return registered
}

func (v *View) launch(job *api.Job) *launch {
	return store.First[launch](v.View, tableLaunches, "id", *job.Namespace, *job.ID)
}

// RecordLaunch remembers that a periodic job was launched for a time, or that
// the time was passed over.
func (tx *Tx) RecordLaunch(job *api.Job, at time.Time) {
	tx.Insert(tableLaunches, &launch{Namespace: *job.Namespace, JobID: *job.ID, At: at})
}

func (tx *Tx) forgetLaunch(job *api.Job) {
	if l := tx.launch(job); l != nil {
		tx.Delete(tableLaunches, l)
	}
}
