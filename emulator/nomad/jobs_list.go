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
				if !visible(*job.Namespace) {
					return jobRow{}, false, nil
				}
				ok, err := matches(job) // the whole job, not what is told of it
				return jobRow{jobStub(view, job, withMeta), *job.NodePool}, ok, err
			})
		return list, view.Index(state.TableJobs, state.TableSummaries), err
	})
}

// jobRow is a row of the list; clients do not read its node pool.
type jobRow struct {
	*api.JobListStub
	NodePool string
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

// jobStub is what lists tell of a job.
func jobStub(view *state.View, job *api.Job, withMeta bool) *api.JobListStub {
	stub := &api.JobListStub{
		ID: *job.ID, Name: *job.Name, Namespace: *job.Namespace, Datacenters: job.Datacenters, Type: *job.Type,
		Priority: *job.Priority, Periodic: job.IsPeriodic(), ParameterizedJob: job.IsParameterized(),
		Stop: job.Stop != nil && *job.Stop, Status: *job.Status, JobSummary: view.JobSummary(*job.Namespace, *job.ID),
		CreateIndex: *job.CreateIndex, ModifyIndex: *job.ModifyIndex, JobModifyIndex: *job.JobModifyIndex,
		SubmitTime: *job.SubmitTime,
	}
	if job.ParentID != nil {
		stub.ParentID = *job.ParentID
	}
	if job.StatusDescription != nil {
		stub.StatusDescription = *job.StatusDescription
	}
	if withMeta {
		stub.Meta = job.Meta
	}
	return stub
}
