package place

import (
	"fmt"
	"strconv"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// distinct is a constraint on how instances of the job go together. It tells
// why a node cannot have one more; "" when it can.
type distinct func(*state.Node) (reason string)

// newDistinct are those of a group, or with "" of the job.
func (s *Selector) newDistinct(constraints []*api.Constraint, group string) (all []distinct) {
	for _, c := range constraints {
		switch c.Operand {
		case api.ConstraintDistinctHosts:
			if on, err := strconv.ParseBool(c.RTarget); err != nil || on {
				all = append(all, s.distinctHosts(group))
			}
		case api.ConstraintDistinctProperty:
			allowed, err := strconv.Atoi(c.RTarget)
			if err != nil || allowed < 1 {
				allowed = 1
			}
			all = append(all, distinctProperty(s.property(c.LTarget, group), c.LTarget, allowed))
		}
	}
	return all
}

func (s *Selector) distinctHosts(group string) distinct {
	return func(node *state.Node) string {
		if s.own.onNode[seat{node.ID, group}] > 0 {
			return api.ConstraintDistinctHosts
		}
		return ""
	}
}

func distinctProperty(p *property, attribute string, allowed int) distinct {
	return func(node *state.Node) string {
		v := p.of.of(node)
		if !v.set {
			return fmt.Sprintf("missing property %q", attribute)
		}
		if used := p.counts[v.text]; used >= allowed {
			return fmt.Sprintf("distinct_property: %s=%s used by %d allocs", attribute, v.text, used)
		}
		return ""
	}
}

// crowded is the first of the group's constraints on instances that the node violates.
func (g *group) crowded(node *state.Node) (reason string) {
	for _, d := range g.distinct {
		if reason = d(node); reason != "" {
			return reason
		}
	}
	return ""
}
