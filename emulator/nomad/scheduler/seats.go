package scheduler

import (
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/scheduler/place"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// seats finds nodes for the allocations of one plan: for those of the job as it
// is, and for those that are replaced as they were.
type seats struct {
	view      *state.View
	options   Options
	selectors map[*api.Job]*place.Selector
	moves     []move // what the plan does, for selectors that begin later
}

// move is an allocation that the plan has taken away or put somewhere.
type move struct {
	allocation *state.Allocation
	away       bool
}

func newSeats(view *state.View, o Options) *seats {
	return &seats{view: view, options: o, selectors: map[*api.Job]*place.Selector{}}
}

// of is what chooses nodes for allocations of a job.
func (s *seats) of(job *api.Job) *place.Selector {
	if known := s.selectors[job]; known != nil {
		return known
	}
	selector := place.New(place.Options{
		View: s.view, Job: job, Config: s.view.SchedulerConfiguration(),
		Volumes: s.options.Volumes, PortFree: s.options.PortFree, Rand: s.options.Rand, Pools: s.options.Pools,
	})
	for _, m := range s.moves {
		m.apply(selector)
	}
	s.selectors[job] = selector
	return selector
}

// remove frees what an allocation has.
func (s *seats) remove(a *state.Allocation) { s.note(move{a, true}) }

// add takes up what an allocation has got.
func (s *seats) add(a *state.Allocation) { s.note(move{a, false}) }

func (s *seats) note(m move) {
	s.moves = append(s.moves, m)
	for _, selector := range s.selectors {
		m.apply(selector)
	}
}

func (m move) apply(selector *place.Selector) {
	if m.away {
		selector.Remove(m.allocation)
	} else {
		selector.Add(m.allocation)
	}
}

// eligibility is what was found out about the classes of nodes.
func (s *seats) eligibility(job *api.Job) place.Eligibility { return s.of(job).Eligibility() }
