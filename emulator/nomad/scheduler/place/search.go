package place

import "github.com/drydock/drydock/emulator/nomad/state"

// maxSkipped is how many nodes with no good score a search goes past, in the
// hope of better ones, before it takes what comes.
const maxSkipped = 3

// best is the best of a few nodes that can take an instance.
func (s *Selector) best(g *group, r Request, preempt bool, m metrics) *candidate {
	var best *candidate
	var skipped []*candidate
	scored, limit := 0, s.limit(g)
	take := func(c *candidate) {
		scored++
		if best == nil || c.score > best.score {
			best = c
		}
	}
	for node := range s.pool.round(s.random) {
		c := s.consider(node, g, r, preempt, m)
		switch {
		case c == nil:
		case c.score <= 0 && len(skipped) < maxSkipped:
			skipped = append(skipped, c)
		default:
			take(c)
		}
		if scored == limit {
			return best
		}
	}
	for _, c := range skipped[:min(len(skipped), limit-scored)] {
		take(c)
	}
	return best
}

// consider scores a node; nil when it cannot take an instance, which the
// metrics tell then.
func (s *Selector) consider(node *state.Node, g *group, r Request, preempt bool, m metrics) *candidate {
	m.NodesEvaluated++
	reason := s.infeasible(node, g, r.Name)
	if reason == "" {
		reason = g.crowded(node)
	}
	if reason != "" {
		m.filtered(node, reason)
		return nil
	}
	offer, short := s.offer(node, g, evictions{})
	if short != nil && preempt {
		offer = s.offerWithEvictions(node, g, short)
	}
	if offer == nil {
		m.exhausted(node, short.dimension)
		return nil
	}
	c := s.score(offer, r)
	m.scored(c)
	return c
}
