// Package drain decides which allocations leave a node that is being drained,
// and when a drain has come to its end. The region's loop over draining nodes
// calls Decide whenever something has changed or a decision is due.
//
// Services leave as many at a time as their migrate block allows while enough
// others are healthy; batch work is waited for; jobs that run on every node
// leave last. At the deadline all that is left leaves.
package drain

import (
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// Decision is what becomes of a draining node.
type Decision struct {
	Node *state.Node

	// Leave are the allocations that are to leave the node from now on.
	Leave []*state.Allocation
	// Forced tells that they leave because the deadline is over.
	Forced bool
	// Complete tells that the drain has come to its end.
	Complete bool

	// Due is when time alone makes another decision necessary; zero for never.
	Due time.Time
}

// Empty tells whether nothing is to be done now.
func (x *Decision) Empty() bool { return len(x.Leave) == 0 && !x.Complete }

// Decide finds out how the drain of a node goes on. It reads the view alone;
// what it has read is what another decision waits for.
func Decide(view *state.View, node *state.Node, now time.Time) *Decision {
	x := &Decision{Node: node}
	strategy := node.DrainStrategy
	if strategy == nil {
		return x
	}
	left := survey(view, node)
	if over(strategy, now) {
		x.Forced, x.Complete = true, true
		x.Leave = unmarked(left.all(strategy.IgnoreSystemJobs))
		return x
	}
	x.Due = strategy.ForceDeadline
	for _, services := range left.services {
		x.Leave = append(x.Leave, services.leaving(view)...)
	}
	if len(left.services)+len(left.batch) > 0 {
		return x
	}
	if !strategy.IgnoreSystemJobs {
		x.Leave = unmarked(left.system)
	}
	x.Complete = strategy.IgnoreSystemJobs || len(left.system) == 0
	return x
}

// over tells whether the deadline of a drain is past, which it is from the
// beginning if it is to be forced.
func over(s *api.DrainStrategy, now time.Time) bool {
	return s.Deadline < 0 || !s.ForceDeadline.IsZero() && !now.Before(s.ForceDeadline)
}

// unmarked are those of the allocations that are not to leave yet.
func unmarked(allocations []*state.Allocation) (list []*state.Allocation) {
	for _, a := range allocations {
		if !a.ServerTerminal() && !a.DesiredTransition.ShouldMigrate() {
			list = append(list, a)
		}
	}
	return list
}
