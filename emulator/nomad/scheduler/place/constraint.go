package place

import (
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// constraint is a constraint, or the condition of an affinity, that can be
// held against nodes.
type constraint struct {
	text        string // as metrics call it
	left, right target
	operator    operator
}

func newConstraint(left, operand, right string) constraint {
	return constraint{
		text: left + " " + operand + " " + right,
		left: parseTarget(left), right: parseTarget(right), operator: newOperator(operand),
	}
}

// newConstraints are those that are about one node alone.
func newConstraints(lists ...[]*api.Constraint) (all []constraint) {
	seen := map[api.Constraint]bool{}
	for _, list := range lists {
		for _, c := range list {
			if c.Operand == api.ConstraintDistinctHosts || c.Operand == api.ConstraintDistinctProperty || seen[*c] {
				continue
			}
			seen[*c] = true
			all = append(all, newConstraint(c.LTarget, c.Operand, c.RTarget))
		}
	}
	return all
}

func (c *constraint) holds(node *state.Node) bool {
	return c.operator(c.left.of(node), c.right.of(node))
}

// escapes tells whether nodes of one class may differ in it.
func (c *constraint) escapes() bool { return c.left.escapes || c.right.escapes }

// Meets tells whether a node meets constraints, whatever room it has.
func Meets(node *state.Node, constraints []*api.Constraint) bool {
	return violated(newConstraints(constraints), node) == ""
}

// violated is the first constraint that does not hold on the node.
func violated(all []constraint, node *state.Node) (reason string) {
	for i := range all {
		if !all[i].holds(node) {
			return all[i].text
		}
	}
	return ""
}
