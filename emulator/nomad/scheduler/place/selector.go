package place

import (
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// Selector chooses nodes for the instances of one job during one evaluation.
// It keeps account of what the evaluation's plan does so far. One goroutine
// uses it.
type Selector struct {
	options Options
}

// New makes a Selector. The view must not change while it is used.
func New(options Options) *Selector { return &Selector{options: options} }

// Nodes are the nodes that take new allocations of the job: ready, eligible,
// and in one of its datacenters and its pool, by ID.
func (s *Selector) Nodes() []*state.Node { return nil }

// Remove takes into account that the plan stops an allocation, whose
// resources are free then. One that is not the state's, or was removed
// already, changes nothing.
func (s *Selector) Remove(a *state.Allocation) {}

// Add takes into account that the plan places an allocation, or keeps a
// changed one in its place: that replaces what was known by its ID.
func (s *Selector) Add(a *state.Allocation) {}

// Place chooses a node. The Placement is nil when there is none; the metrics,
// which are for the caller to keep, tell why then. It counts only after Add.
// The caller has to Remove what the Placement preempts.
func (s *Selector) Place(request Request) (*Placement, *api.AllocationMetric) { return nil, nil }

// Feasible tells whether a node could run an instance of a group if it were
// empty, and if not, the reason in the words of the metrics.
func (s *Selector) Feasible(node *state.Node, group *api.TaskGroup) (ok bool, reason string) {
	return false, ""
}

// FitsInPlace works out what an allocation gets when it becomes one of a
// changed group on its own node, where it keeps ports, devices and cores. It
// is false when the node cannot run that or has not enough left.
func (s *Selector) FitsInPlace(old *state.Allocation, group *api.TaskGroup) (*Placement, bool) {
	return nil, false
}

// Eligibility tells which nodes could ever run the groups that Place was
// called for, as a blocked evaluation has to know.
func (s *Selector) Eligibility() Eligibility { return Eligibility{} }

// Eligibility is what is known of computed node classes after placing.
type Eligibility struct {
	// Classes has, for each class that was looked at, whether any of the
	// groups can run on its nodes.
	Classes map[string]bool
	// Escaped tells that classes say too little: a group is constrained by
	// what is unique to a node.
	Escaped bool
}
