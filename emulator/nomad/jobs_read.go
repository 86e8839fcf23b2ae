package nomad

import (
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// ofJob answers with what is read of the job that the path names. The caller
// needs one of the capabilities.
func (r *request) ofJob(read func(view *state.View, namespace, id string) (any, uint64, error)) (any, error) {
	namespace, id := r.namespace(), r.PathValue("id")
	if err := r.needIn(namespace, acl.ReadJob); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) { return read(view, namespace, id) })
}

func (r *request) job() (any, error) {
	return r.ofJob(func(view *state.View, namespace, id string) (any, uint64, error) {
		job := view.Job(namespace, id)
		if job == nil {
			return nil, view.Index(state.TableJobs), notFound("job not found")
		}
		return job, *job.ModifyIndex, nil
	})
}

func (r *request) jobSummary() (any, error) {
	return r.ofJob(func(view *state.View, namespace, id string) (any, uint64, error) {
		summary := view.JobSummary(namespace, id)
		if summary == nil {
			return nil, view.Index(state.TableSummaries), notFound("job not found")
		}
		return summary, summary.ModifyIndex, nil
	})
}

// createdWith is when the job was created that is registered now; 0 when none
// is, or when what is asked for may also be of earlier jobs of that name.
func (r *request) createdWith(view *state.View, namespace, id string) uint64 {
	job := view.Job(namespace, id)
	if job == nil || r.flag("all") {
		return 0
	}
	return *job.CreateIndex
}

func (r *request) jobAllocations() (any, error) {
	return r.ofJob(func(view *state.View, namespace, id string) (any, uint64, error) {
		created := r.createdWith(view, namespace, id)
		stubs, index := allocationStubs(func(yield func(*state.Allocation) bool) {
			for a := range view.AllocationsOfJob(namespace, id) {
				if *a.Job.CreateIndex >= created && !yield(a) {
					return
				}
			}
		})
		return stubs, index, nil
	})
}

func (r *request) jobEvaluations() (any, error) {
	return r.ofJob(func(view *state.View, namespace, id string) (any, uint64, error) {
		list, index := []*api.Evaluation{}, uint64(0)
		for e := range view.EvaluationsOfJob(namespace, id) {
			list = append(list, e)
			index = max(index, e.ModifyIndex)
		}
		return list, index, nil
	})
}

func (r *request) jobDeployments() (any, error) {
	return r.ofJob(func(view *state.View, namespace, id string) (any, uint64, error) {
		created := r.createdWith(view, namespace, id)
		list, index := []*api.Deployment{}, uint64(0)
		for d := range view.DeploymentsOfJob(namespace, id) {
			if d.JobCreateIndex >= created {
				list = append(list, d)
				index = max(index, d.ModifyIndex)
			}
		}
		return list, index, nil
	})
}

func (r *request) jobDeployment() (any, error) {
	return r.ofJob(func(view *state.View, namespace, id string) (any, uint64, error) {
		created := r.createdWith(view, namespace, id)
		d := view.LatestDeployment(namespace, id)
		if d == nil || d.JobCreateIndex < created {
			return (*api.Deployment)(nil), view.Index(state.TableDeployments), nil
		}
		return d, d.ModifyIndex, nil
	})
}

func (r *request) jobServices() (any, error) {
	return r.ofJob(func(view *state.View, namespace, id string) (any, uint64, error) {
		if view.Job(namespace, id) == nil {
			return nil, view.Index(state.TableJobs), notFound("job not found")
		}
		list := []*api.ServiceRegistration{}
		for service := range view.ServicesOfJob(namespace, id) {
			list = append(list, service)
		}
		return list, tableIndex(view, state.TableServices), nil
	})
}
