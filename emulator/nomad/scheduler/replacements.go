package scheduler

import (
	"slices"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// seat is a place to find for a new allocation.
type seat struct {
	name     string
	job      *api.Job // that it is to be an instance of
	canary   bool
	previous *state.Allocation // that it replaces; nil when it does not
	cause    cause
	node     string // the ID of the only node that it may be on; empty for any
}

// cause is why an allocation is replaced.
type cause int

const (
	causeEnded   cause = iota // it ends or has ended, whether there is a place or not
	causeFailed               // it has failed
	causeHidden               // it is out of sight, and goes on if it comes back
	causeUpdated              // it goes on as it is unless there is a place
)

// wantCanaries finds out whether there are to be canaries, and which are missing.
func (g *group) wantCanaries() {
	wanted := 0
	switch {
	case g.state != nil:
		wanted = g.state.DesiredCanaries
		g.canarying = wanted > 0 && !g.state.Promoted && state.DeploymentActive(g.deployment)
	case g.tracked:
		wanted = value(g.spec.Update.Canary)
		g.canarying = wanted > 0 && len(g.destructive) > 0
	}
	if !g.canarying || !g.proceeds() {
		return
	}
	taken := map[string]bool{}
	for _, a := range slices.Concat(g.canaries, g.retriedCanaries) {
		taken[a.Name] = true
	}
	for i := len(g.canaries) + len(g.retriedCanaries); i < wanted; i++ {
		name := g.canaryName(taken)
		taken[name] = true
		g.places = append(g.places, seat{name: name, job: g.job, canary: true})
		g.desired.Canary++
	}
}

// canaryName is the name of the first instance that is to be replaced and has
// no canary yet, or else one that nobody has.
func (g *group) canaryName(taken map[string]bool) string {
	for _, a := range g.destructive {
		if !taken[a.Name] {
			return a.Name
		}
	}
	for {
		if name := g.names.unused(); !taken[name] {
			return name
		}
	}
}

// replaceMissing replaces those that have failed, that leave their node, that
// are out of sight, and that went down with their node.
func (g *group) replaceMissing() {
	g.leaveNodes()
	for _, a := range g.covered {
		g.replace(a, causeHidden)
		g.desired.Place++
	}
	for _, a := range slices.Concat(g.retriedCanaries, g.retried) {
		g.replace(a, causeFailed)
		g.desired.Place++
		g.desired.Stop++
	}
	g.replaceLost()
}

// leaveNodes stops those that leave their node, and replaces them.
func (g *group) leaveNodes() {
	slices.SortStableFunc(g.moving, byIndex)
	for _, a := range g.moving {
		g.stop(a, descriptionMigrated)
		g.desired.Migrate++
		if !a.DesiredTransition.ShouldDisableMigrationPlacement() {
			g.replace(a, causeEnded)
		}
	}
}

// replaceLost replaces those that went down with their node, as far as they are
// needed: at once, or when their node has stopped them for certain.
func (g *group) replaceLost() {
	slices.SortStableFunc(g.lost, byIndex)
	for _, a := range g.lost {
		g.lose(a)
		g.desired.Stop++
		if canary(a) || g.slots()+g.regained >= *g.spec.Count {
			continue
		}
		g.regained++
		g.names.take(a)
		if after := stopsOnClient(a); after > 0 {
			g.waits = append(g.waits, wait{a, g.now.Add(after), TriggerAllocationFailure, descriptionReschedule})
			continue
		}
		g.replace(a, causeEnded)
		g.desired.Place++
	}
}

// replace finds a place for what replaces an allocation: one of the same name,
// and of the same version as long as canaries have yet to be promoted.
func (g *group) replace(a *state.Allocation, why cause) {
	s := seat{name: a.Name, job: g.job, canary: canary(a), previous: a, cause: why}
	if g.canarying && !s.canary && g.older(a) {
		s.job = a.Job
	}
	g.places = append(g.places, s)
}

// fill places what is missing, unless the deployment is in the way.
func (g *group) fill() {
	missing := *g.spec.Count - g.slots() - g.regained
	if g.canarying || !g.proceeds() {
		return
	}
	for range missing {
		g.places = append(g.places, seat{name: g.names.unused(), job: g.job})
		g.desired.Place++
		g.filled++
	}
}
