package state

import (
	"fmt"
	"iter"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/store"
)

// The tables about jobs.
const (
	TableJobs        = "jobs"         // as they are now
	TableJobVersions = "job_versions" // all versions that are remembered
	TableSummaries   = "job_summary"  // how many allocations are in which state
	tablePlacedJobs  = "placed_jobs"  // what allocations were made from, as long as there are any
)

func jobTables() store.Schema {
	name := func(j *api.Job) []string { return []string{*j.Namespace, *j.ID} }
	return store.Schema{
		TableJobs: store.Rows[api.Job](
			store.Unique("id", store.By(name)),
			store.Many("parent", store.By(func(j *api.Job) []string {
				if j.ParentID == nil || *j.ParentID == "" {
					return nil
				}
				return []string{*j.Namespace, *j.ParentID}
			})),
			store.Many("periodic", store.By(func(j *api.Job) []string {
				if !j.IsPeriodic() {
					return nil
				}
				return name(j)
			}))),
		TableJobVersions: store.Rows[api.Job](
			store.Unique("id", store.By(func(j *api.Job) []string { return append(name(j), number(*j.Version)) })),
			store.Many("job", store.By(name))),
		TableSummaries: store.Rows[api.JobSummary](
			store.Unique("id", store.By(func(s *api.JobSummary) []string { return []string{s.Namespace, s.JobID} }))),
		tablePlacedJobs: store.Rows[api.Job](
			store.Unique("id", store.By(func(j *api.Job) []string { return append(name(j), number(*j.JobModifyIndex)) }))),
	}
}

// number is a number as a text whose order is the number's.
func number(n uint64) string { return fmt.Sprintf("%020d", n) }

// Job is the job as it is now; nil when there is none.
func (v *View) Job(namespace, id string) *api.Job {
	return store.First[api.Job](v.View, TableJobs, "id", namespace, id)
}

// Jobs are all jobs of all namespaces, by namespace and ID.
func (v *View) Jobs() iter.Seq[*api.Job] { return store.All[api.Job](v.View, TableJobs, "id") }

// JobsOf are the jobs of a namespace whose ID begins with the prefix, by ID.
func (v *View) JobsOf(namespace, prefix string) iter.Seq[*api.Job] {
	return store.All[api.Job](v.View, TableJobs, "id_prefix", namespace, prefix)
}

// JobChildren are the jobs that a periodic or parameterized job has begun.
func (v *View) JobChildren(namespace, parent string) iter.Seq[*api.Job] {
	return store.All[api.Job](v.View, TableJobs, "parent", namespace, parent)
}

// JobVersion is the job as it was in a version; nil when that is not remembered.
func (v *View) JobVersion(namespace, id string, version uint64) *api.Job {
	return store.First[api.Job](v.View, TableJobVersions, "id", namespace, id, number(version))
}

// JobVersions are the versions of a job that are remembered, oldest first.
func (v *View) JobVersions(namespace, id string) []*api.Job {
	return store.Collect[api.Job](v.View, TableJobVersions, "job", namespace, id)
}

// JobSummary is the summary of a job; nil when there is no such job.
func (v *View) JobSummary(namespace, id string) *api.JobSummary {
	return store.First[api.JobSummary](v.View, TableSummaries, "id", namespace, id)
}
