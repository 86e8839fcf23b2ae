// Package scheduler decides what becomes of a job's allocations, as the servers
// of a Nomad region do: it compares what a job asks for with what there is, and
// plans what is to be stopped, changed and placed. The region's workers call
// Process for each evaluation and Apply to write what came of it; its endpoint
// of jobs calls Preview for what a job would do if it were registered.
//
// Deciding only reads a view. What the plan says is written by Apply alone,
// which holds it against the state as it is by then.
package scheduler

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/scheduler/place"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// Options are what deciding needs beside the state. All are needed but Volumes and Pools.
type Options struct {
	Now time.Time

	// PortFree tells whether a port of an address of this machine is free of
	// programs that the region does not know of.
	PortFree func(address string, port int) bool

	Rand    *rand.Rand    // for the choice among nodes and ports
	Volumes place.Volumes // of the region; nil when it has none
	// Pools are shared by the evaluations of a region; nil looks at all nodes each time.
	Pools *place.Pools
}

// Process plans what an evaluation asks for. The error is about an evaluation
// that no scheduler is there for.
func Process(view *state.View, eval *api.Evaluation, o Options) (*Plan, error) {
	return process(view, eval, view.Job(eval.Namespace, eval.JobID), o)
}

// Preview plans what registering a job would do. The job is canonical and has
// the version and the indexes that it would get; the ones it has already when
// registering it would change nothing. The plan is for looking at only.
func Preview(view *state.View, job *api.Job, o Options) (*Plan, error) {
	eval := NewEvaluation(job, TriggerJobRegister, o.Now)
	eval.AnnotatePlan = true
	return process(view, eval, job, o)
}

func process(view *state.View, eval *api.Evaluation, job *api.Job, o Options) (*Plan, error) {
	p := newPlanner(view, eval, job, o)
	switch eval.Type {
	case api.JobTypeService, api.JobTypeBatch:
		p.reconcileGeneric()
	case api.JobTypeSystem, api.JobTypeSysbatch:
		p.reconcileSystem()
	default:
		return nil, fmt.Errorf("process evaluation %s: no scheduler for jobs of type %q", eval.ID, eval.Type)
	}
	p.finish()
	return p.plan, nil
}
