package scheduler

import (
	"slices"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/scheduler/place"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// update is an allocation that becomes one of the job's version where it is.
type update struct {
	allocation *state.Allocation
	placement  *place.Placement
}

// trim stops those that are too many: first what has failed, then those that
// would leave their node anyway, then those with the highest index.
func (g *group) trim() {
	g.dropDoubles()
	surplus := g.slots() - *g.spec.Count
	surplus -= g.drop(&g.kept, surplus, (*state.Allocation).ClientTerminal)
	for _, list := range []*[]*state.Allocation{&g.retried, &g.moving, &g.covered, &g.kept} {
		surplus -= g.drop(list, surplus, func(*state.Allocation) bool { return true })
	}
	g.dropHidden()
}

// dropDoubles stops those that another one has the name of: a promoted canary,
// or one that is back in sight.
func (g *group) dropDoubles() {
	promoted := map[string]bool{}
	for _, a := range g.kept {
		promoted[a.Name] = promoted[a.Name] || !g.older(a) && g.promoted(a)
	}
	double := func(a *state.Allocation) bool {
		return g.doubled[a.ID] || promoted[a.Name] && g.older(a)
	}
	for _, list := range []*[]*state.Allocation{&g.retried, &g.moving, &g.covered, &g.kept} {
		g.drop(list, len(*list), double)
	}
	g.settleNames()
}

// dropHidden stops those out of sight that nothing stands in for any more.
func (g *group) dropHidden() {
	for _, a := range g.hidden {
		if g.ends(g.replacement(a)) {
			g.stop(a, descriptionNotNeeded)
			g.desired.Stop++
		}
	}
}

// drop stops up to so many allocations of a list, highest index first, and
// tells how many.
func (g *group) drop(list *[]*state.Allocation, most int, which func(*state.Allocation) bool) int {
	if most <= 0 {
		return 0
	}
	slices.SortStableFunc(*list, byIndex)
	dropped := 0
	for i := len(*list) - 1; i >= 0 && dropped < most; i-- {
		a := (*list)[i]
		if !which(a) {
			continue
		}
		*list = slices.Delete(*list, i, i+1)
		g.names.release(a)
		g.stop(a, g.stopReason(a))
		g.desired.Stop++
		dropped++
	}
	return dropped
}

// stopReason says why an allocation is too many.
func (g *group) stopReason(a *state.Allocation) string {
	if g.doubled[a.ID] {
		return descriptionReconnected
	}
	return descriptionNotNeeded
}

// compare finds out which of those that go on have to change for it.
func (g *group) compare() {
	slices.SortStableFunc(g.kept, byIndex)
	for _, a := range g.kept {
		if !g.unchanged(a) {
			g.compareOne(a)
		}
	}
	g.desired.InPlaceUpdate += uint64(len(g.inPlace))
	g.desired.Ignore += uint64(len(g.kept) + len(g.finished) + len(g.canaries) + len(g.hidden) - len(g.inPlace))
}

func (g *group) compareOne(a *state.Allocation) {
	if a.ClientStatus == api.AllocClientStatusUnknown {
		return // nobody can change it now
	}
	if !g.runsOther(a) {
		if a.ClientTerminal() {
			return
		}
		if placement, fits := g.seats.of(g.job).FitsInPlace(a, g.spec); fits {
			g.inPlace = append(g.inPlace, update{a, placement})
			return
		}
	}
	g.destructive = append(g.destructive, a)
}

// roll replaces as many as may be replaced at a time.
func (g *group) roll() {
	g.rolling = g.destructive[:min(g.pace(), len(g.destructive))]
	g.desired.DestructiveUpdate += uint64(len(g.rolling))
	g.desired.Ignore -= uint64(len(g.rolling))
}

// pace is how many may be replaced now: as many at a time as the group says,
// without those of the deployment that have yet to be healthy.
func (g *group) pace() int {
	if g.spec.Update.Empty() || value(g.spec.Update.MaxParallel) == 0 || g.eval.Type == api.JobTypeBatch {
		return len(g.destructive)
	}
	if g.canarying || !g.proceeds() {
		return 0
	}
	pace := *g.spec.Update.MaxParallel - g.filled
	if g.state == nil {
		return max(0, pace)
	}
	for _, a := range slices.Concat(g.kept, g.moving, g.retried) {
		if a.DeploymentID != g.deployment.ID {
			continue
		}
		switch {
		case a.DeploymentStatus == nil || a.DeploymentStatus.Healthy == nil:
			pace--
		case !*a.DeploymentStatus.Healthy:
			return 0
		}
	}
	return max(0, pace)
}
