package nomad

import (
	"iter"
	"net/http"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/scheduler"
	"github.com/drydock/drydock/emulator/nomad/state"
)

func allocationRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/allocations", (*request).allocations),
		faithful(http.MethodGet, "/v1/allocation/{id}", (*request).allocation),
		faithful(http.MethodPut, "/v1/allocation/{id}/stop", (*request).stopAllocation),
		faithful(http.MethodGet, "/v1/allocation/{id}/services", (*request).allocationServices),
	}
}

func (r *request) allocations() (any, error) {
	visible, err := r.visibleIn(acl.ReadJob)
	if err != nil {
		return nil, err
	}
	prefix := r.query.Get("prefix")
	if err := lookupPrefix("alloc", prefix); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		rows, at := allocationRows(view, prefix)
		list, err := page(r, rows, at, func(a *state.Allocation) (*api.AllocationListStub, bool) {
			stub := allocationStub(a)
			if r.flag("resources") {
				stub.AllocatedResources = a.AllocatedResources
			}
			if r.query.Get("task_states") == "false" {
				stub.TaskStates = nil
			}
			return stub, visible(a.Namespace)
		})
		return list, view.Index(state.TableAllocations), err
	})
}

// allocationRows are those that a list begins with, and where they stand in it.
func allocationRows(view *state.View, prefix string) (iter.Seq[*state.Allocation], func(*state.Allocation) position) {
	if prefix != "" {
		return view.AllocationsWithPrefix(prefix), func(a *state.Allocation) position { return position{name: a.ID} }
	}
	return view.Allocations(), func(a *state.Allocation) position { return position{a.CreateIndex, a.ID} }
}

func (r *request) allocation() (any, error) {
	id := r.PathValue("id")
	if err := lookupID("alloc", id); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		a := view.Allocation(id)
		if a == nil {
			return nil, view.Index(state.TableAllocations), notFound("alloc not found")
		}
		if err := r.mayReadAllocation(a); err != nil {
			return nil, 0, err
		}
		return &a.Allocation, a.ModifyIndex, nil
	})
}

// mayReadAllocation is an error unless the caller may, or is the node that has it.
func (r *request) mayReadAllocation(a *state.Allocation) error {
	if r.isNode(a.NodeID) {
		return nil
	}
	return r.needIn(a.Namespace, acl.ReadJob)
}

// causeDesiredStatus is what a change is about that has allocations leave.
const causeDesiredStatus = "AllocationUpdateDesiredStatus"

func (r *request) stopAllocation() (any, error) {
	id := r.PathValue("id")
	if err := lookupID("alloc", id); err != nil {
		return nil, err
	}
	var evaluation *api.Evaluation
	err := r.write(func(tx *state.Tx) error {
		tx.About(causeDesiredStatus)
		a := tx.Allocation(id)
		if a == nil {
			return notFound("Unknown alloc %q", id)
		}
		if err := r.needIn(a.Namespace, acl.AllocLifecycle); err != nil {
			return err
		}
		tx.TransitionAllocation(a, func(t *api.DesiredTransition) {
			if r.flag("reschedule") {
				t.Reschedule, t.ForceReschedule = new(true), new(true)
			} else {
				t.Migrate = new(true)
			}
			if r.flag("no_shutdown_delay") {
				t.NoShutdownDelay = new(true)
			}
		})
		evaluation = newEvaluation(tx, a.Job, scheduler.TriggerAllocationStop)
		tx.UpsertEvaluation(evaluation)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return map[string]any{"EvalID": evaluation.ID, "Index": evaluation.CreateIndex}, nil
}

func (r *request) allocationServices() (any, error) {
	id := r.PathValue("id")
	if err := lookupID("alloc", id); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		a := view.Allocation(id)
		if a == nil {
			return nil, view.Index(state.TableAllocations), notFound("alloc not found")
		}
		if err := r.mayReadAllocation(a); err != nil {
			return nil, 0, err
		}
		list := []*api.ServiceRegistration{}
		for s := range view.ServicesOfAllocation(id) {
			list = append(list, s)
		}
		return list, max(view.Index(state.TableServices), a.ModifyIndex), nil
	})
}
