package place

import (
	"maps"
	"slices"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// otherValues names, among the targets of a spread, all values that have none.
const otherValues = "*"

// spread scores nodes by how instances of a group are spread over an attribute.
type spread struct {
	*property
	share   float64            // of its weight in that of all spreads
	desired map[string]float64 // how many instances, by value; nil for as many everywhere
}

func (s *Selector) newSpreads(g *api.TaskGroup) (all []spread) {
	var weights float64
	blocks := slices.Concat(g.Spreads, s.job.Spreads)
	for _, block := range blocks {
		weights += weight(block.Weight)
	}
	for _, block := range blocks {
		one := spread{property: s.property(block.Attribute, *g.Name), share: 1}
		if weights > 0 {
			one.share = weight(block.Weight) / weights
		}
		one.desired = desired(block.SpreadTarget, *g.Count)
		all = append(all, one)
	}
	return all
}

// desired is how many of the instances each value should have. What the
// targets leave is for the values that have none.
func desired(targets []*api.SpreadTarget, count int) map[string]float64 {
	if len(targets) == 0 {
		return nil
	}
	wanted, rest := map[string]float64{}, 100
	for _, target := range targets {
		wanted[target.Value] = float64(target.Percent) / 100 * float64(count)
		rest -= int(target.Percent)
	}
	if _, is := wanted[otherValues]; !is && rest > 0 {
		wanted[otherValues] = float64(rest) / 100 * float64(count)
	}
	return wanted
}

// boost is the node's score by all spreads.
func boost(spreads []spread, node *state.Node) (sum float64) {
	for i := range spreads {
		sum += spreads[i].boost(node)
	}
	return sum
}

func (s *spread) boost(node *state.Node) float64 {
	v := s.of.of(node)
	if !v.set {
		return -1
	}
	if s.desired == nil {
		return evenBoost(s.counts, v.text)
	}
	wanted, is := s.desired[v.text]
	if !is {
		wanted = s.desired[otherValues]
	}
	if wanted == 0 {
		return -1
	}
	with := float64(s.counts[v.text] + 1)
	return (wanted - with) / wanted * s.share
}

// evenBoost is higher the fewer instances have the value, beside the others.
func evenBoost(counts map[string]int, of string) float64 {
	if len(counts) == 0 {
		return 0
	}
	all := slices.Collect(maps.Values(counts))
	fewest, most, current := float64(slices.Min(all)), float64(slices.Max(all)), float64(counts[of])
	if current != fewest {
		return (fewest - current) / fewest
	}
	if fewest == most {
		return -1
	}
	return (most - fewest) / fewest
}
