package place

import (
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// own counts the allocations of the job itself, after the plan.
type own struct {
	view       *state.View
	job        *api.Job
	onNode     map[seat]int
	properties map[propertyKey]*property
}

// seat is a node and a group of the job; the group "" is all of them together.
type seat struct{ node, group string }

type propertyKey struct{ attribute, group string }

// property counts, by the value of an attribute of their nodes, allocations
// that are not meant to end. Those without the value are not counted.
type property struct {
	of     target
	group  string // "" for all
	counts map[string]int
}

func newOwn(view *state.View, job *api.Job) *own {
	o := &own{view: view, job: job, onNode: map[seat]int{}, properties: map[propertyKey]*property{}}
	for a := range view.AllocationsOfJob(*job.Namespace, *job.ID) {
		if holds(a) {
			o.count(a, +1)
		}
	}
	return o
}

// count adds an allocation, of any job, or takes it away.
func (o *own) count(a *state.Allocation, by int) {
	if a.JobID != *o.job.ID || a.Namespace != *o.job.Namespace {
		return
	}
	o.onNode[seat{a.NodeID, ""}] += by
	o.onNode[seat{a.NodeID, a.TaskGroup}] += by
	if a.Terminal() || len(o.properties) == 0 {
		return
	}
	node := o.view.Node(a.NodeID)
	for _, p := range o.properties {
		p.count(node, a, by)
	}
}

func (p *property) count(node *state.Node, a *state.Allocation, by int) {
	if node == nil || p.group != "" && p.group != a.TaskGroup {
		return
	}
	if v := p.of.of(node); v.set {
		p.counts[v.text] += by
		if p.counts[v.text] == 0 {
			delete(p.counts, v.text)
		}
	}
}

// property counts the allocations of a group, or with "" of all, by an attribute.
func (s *Selector) property(attribute, group string) *property {
	key := propertyKey{attribute, group}
	known := s.own.properties[key]
	if known != nil {
		return known
	}
	p := &property{of: parseTarget(attribute), group: group, counts: map[string]int{}}
	for a := range s.view.AllocationsOfJob(*s.job.Namespace, *s.job.ID) {
		if holds(a) && !a.Terminal() && !s.planned.removed(a.ID) {
			p.count(s.view.Node(a.NodeID), a, +1)
		}
	}
	for _, a := range s.planned {
		if a != nil && a.JobID == *s.job.ID && a.Namespace == *s.job.Namespace && !a.Terminal() {
			p.count(s.view.Node(a.NodeID), a, +1)
		}
	}
	s.own.properties[key] = p
	return p
}
