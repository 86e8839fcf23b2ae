package place

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// Selector chooses nodes for the instances of one job during one evaluation.
// It keeps account of what the evaluation's plan does so far. One goroutine
// uses it.
type Selector struct {
	view     *state.View
	job      *api.Job
	config   *api.SchedulerConfiguration
	volumes  Volumes
	portFree func(address string, port int) bool
	random   *rand.Rand

	constraints []constraint    // the job's
	escapes     bool            // classes say too little about them
	jobClasses  map[string]bool // which classes of nodes meet them
	groups      map[*api.TaskGroup]*group
	pool        *pool
	addresses   map[string]*addresses // by node

	planned planned
	usage   map[string]*state.Usage // after the plan, by node
	ports   portBook
	own     *own
}

// New makes a Selector. The view must not change while it is used.
func New(o Options) *Selector {
	view := &state.View{View: o.View.Unwatched()}
	if o.Pools == nil {
		o.Pools = &Pools{}
	}
	s := &Selector{
		view: view, job: o.Job, config: o.Config, volumes: o.Volumes, portFree: o.PortFree, random: o.Rand,
		constraints: newConstraints(o.Job.Constraints), jobClasses: map[string]bool{},
		groups: map[*api.TaskGroup]*group{}, pool: newPool(view, o.Job, o.Pools), addresses: map[string]*addresses{},
		planned: planned{}, usage: map[string]*state.Usage{}, ports: portBook{}, own: newOwn(view, o.Job),
	}
	for i := range s.constraints {
		s.escapes = s.escapes || s.constraints[i].escapes()
	}
	return s
}

// Nodes are the nodes that take new allocations of the job: ready, eligible,
// and in one of its datacenters and its pool, by ID. The caller does not
// change the slice.
func (s *Selector) Nodes() []*state.Node { return s.pool.nodes }

func (s *Selector) group(of *api.TaskGroup) *group {
	known := s.groups[of]
	if known == nil {
		known = s.newGroup(of)
		s.groups[of] = known
	}
	return known
}

// Place chooses a node. The Placement is nil when there is none; the metrics,
// which are the caller's, tell why then. The Placement counts only after Add,
// and the caller has to Remove what it preempts.
func (s *Selector) Place(r Request) (*Placement, *api.AllocationMetric) {
	began := time.Now()
	best, m := s.place(s.group(r.Group), r)
	m.finish()
	m.AllocationTime = time.Since(began)
	if best == nil {
		return nil, m.AllocationMetric
	}
	return s.placement(best.offer), m.AllocationMetric
}

func (s *Selector) place(g *group, r Request) (*candidate, metrics) {
	if r.Node != "" {
		m := newMetrics(s.job, g.TaskGroup, s.pool)
		return s.only(r.Node, g, r, m), m
	}
	if r.Preferred != "" {
		m := newMetrics(s.job, g.TaskGroup, s.pool)
		if best := s.only(r.Preferred, g, r, m); best != nil {
			return best, m
		}
	}
	m := newMetrics(s.job, g.TaskGroup, s.pool)
	best := s.best(g, r, false, m)
	if best == nil && s.preempts() {
		m = newMetrics(s.job, g.TaskGroup, s.pool)
		best = s.best(g, r, true, m)
	}
	return best, m
}

// only considers one node of those that take new allocations.
func (s *Selector) only(id string, g *group, r Request, m metrics) *candidate {
	at, is := slices.BinarySearchFunc(s.pool.nodes, id, func(n *state.Node, id string) int { return strings.Compare(n.ID, id) })
	if !is {
		return nil
	}
	return s.consider(s.pool.nodes[at], g, r, r.Node != "" && s.preempts(), m)
}
