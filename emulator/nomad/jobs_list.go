package nomad

import (
	"iter"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/state"
)

func (r *request) listJobs() (any, error) {
	visible, err := r.visibleIn(acl.ListJobs, acl.ReadJob)
	if err != nil {
		return nil, err
	}
	return r.listJobsThat(func(job *api.Job) bool { return visible(*job.Namespace) })
}

// listJobsThat lists the jobs, of those that the request's namespace and prefix
// name, which are to be shown.
func (r *request) listJobsThat(shown func(*api.Job) bool) (any, error) {
	matches, err := r.filter()
	if err != nil {
		return nil, err
	}
	withMeta, err := r.boolean("meta")
	if err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		list, err := pageOf(r, jobRows(view, r.namespace(), r.query.Get("prefix")),
			func(job *api.Job) position { return position{name: *job.Namespace + "." + *job.ID} },
			func(job *api.Job) (jobRow, bool, error) {
				if !shown(job) {
					return jobRow{}, false, nil
				}
				ok, err := matches(job) // the whole job, not what is told of it
				return rowOfJob(view, job, withMeta), ok, err
			})
		return list, view.Index(state.TableJobs, state.TableSummaries), err
	})
}

// jobRows are the jobs that a list begins with.
func jobRows(view *state.View, namespace, prefix string) iter.Seq[*api.Job] {
	if namespace != allNamespaces {
		return view.JobsOf(namespace, prefix)
	}
	return func(yield func(*api.Job) bool) {
		for n := range view.Namespaces("") {
			for job := range view.JobsOf(n.Name, prefix) {
				if !yield(job) {
					return
				}
			}
		}
	}
}

// jobRow is what lists tell of a job. The official client does not read all of it.
type jobRow struct {
	api.JobListStub
	NodePool    string
	Multiregion *api.Multiregion
}

func rowOfJob(view *state.View, job *api.Job, withMeta bool) jobRow {
	row := jobRow{JobListStub: api.JobListStub{
		ID: *job.ID, ParentID: *job.ParentID, Name: *job.Name, Namespace: *job.Namespace, Datacenters: job.Datacenters,
		Type: *job.Type, Priority: *job.Priority, Periodic: job.IsPeriodic(), ParameterizedJob: job.IsParameterized(),
		Stop: *job.Stop, Status: *job.Status, StatusDescription: *job.StatusDescription,
		JobSummary:  view.JobSummary(*job.Namespace, *job.ID),
		CreateIndex: *job.CreateIndex, ModifyIndex: *job.ModifyIndex, JobModifyIndex: *job.JobModifyIndex,
		SubmitTime: *job.SubmitTime,
	}, NodePool: *job.NodePool, Multiregion: job.Multiregion}
	if withMeta {
		row.Meta = job.Meta
	}
	return row
}
