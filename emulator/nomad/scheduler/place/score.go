package place

import (
	"cmp"
	"maps"
	"math"
	"math/bits"
	"slices"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// The parts of a score, as metrics call them.
const (
	scoreAffinity     = "node-affinity"
	scoreAntiAffinity = "job-anti-affinity"
	scoreDevices      = "devices"
	scorePacking      = "binpack"
	scorePenalty      = "node-reschedule-penalty"
	scorePreemption   = "preemption"
	scoreSpread       = "allocation-spread"
)

// candidate is a node that can take an instance, with its score: the mean of
// those parts that say something about it.
type candidate struct {
	*offer
	scores map[string]float64
	score  float64
}

// scorer adds up the parts of a score.
type scorer struct {
	scores map[string]float64
	sum    float64
	parts  int
}

// add counts a part.
func (s *scorer) add(name string, score float64) {
	s.scores[name] = score
	s.sum += score
	s.parts++
}

// mention counts a part unless it is 0, but shows it in any case.
func (s *scorer) mention(name string, score float64) {
	if s.scores[name] = score; score != 0 {
		s.add(name, score)
	}
}

func (s *Selector) score(o *offer, r Request) *candidate {
	sc := scorer{scores: make(map[string]float64, 6)}
	sc.add(scorePacking, packing(s.config.SchedulerAlgorithm, o))
	if o.devices.scored {
		sc.add(scoreDevices, o.devices.score)
	}
	if r.Node == "" {
		s.scoreAmongNodes(&sc, o, r)
	}
	if len(o.preempted) > 0 {
		sc.add(scorePreemption, preemptionScore(o.preempted))
	}
	return &candidate{offer: o, scores: sc.scores, score: sc.sum / float64(sc.parts)}
}

// scoreAmongNodes scores what matters when there is a choice of nodes.
func (s *Selector) scoreAmongNodes(sc *scorer, o *offer, r Request) {
	collisions := s.own.onNode[seat{o.node.ID, *o.group.Name}]
	var apart, penalty float64
	if collisions > 0 {
		apart = -float64(collisions+1) / float64(max(*o.group.Count, 1))
	}
	if r.Penalized[o.node.ID] {
		penalty = -1
	}
	sc.mention(scoreAntiAffinity, apart)
	sc.mention(scorePenalty, penalty)
	if len(o.group.affinities) > 0 {
		sc.add(scoreAffinity, liking(o.group.affinities, o.node))
	} else {
		sc.mention(scoreAffinity, 0)
	}
	if spread := boost(o.group.spreads, o.node); spread != 0 {
		sc.add(scoreSpread, spread)
	}
}

// packing is how well the instance fills the node, or with the algorithm
// "spread" how well it leaves it empty, from 0 to 1.
func packing(algorithm api.SchedulerAlgorithm, o *offer) float64 {
	const highest = 18 // of a node that is full in both
	all := capacity(o.node)
	empty := math.Pow(10, free(o.used.CPU, all.CPU)) + math.Pow(10, free(o.used.MemoryMB, all.MemoryMB))
	fitness := 20 - empty
	if algorithm == api.SchedulerAlgorithmSpread {
		fitness = empty - 2
	}
	return min(max(fitness, 0), highest) / highest
}

// free is the part of the capacity that is left, from 0 to 1.
func free(used, capacity int64) float64 {
	if capacity <= 0 {
		return 0
	}
	return 1 - float64(used)/float64(capacity)
}

// affinity is a condition with the weight of its being met.
type affinity struct {
	constraint
	weight float64
}

func newAffinities(lists ...[]*api.Affinity) (all []affinity) {
	for _, list := range lists {
		for _, a := range list {
			all = append(all, affinity{newConstraint(a.LTarget, a.Operand, a.RTarget), weight(a.Weight)})
		}
	}
	return all
}

// liking is the node's score by affinities, from -1 to 1.
func liking(affinities []affinity, node *state.Node) float64 {
	var sum, weights float64
	for i := range affinities {
		weights += math.Abs(affinities[i].weight)
		if affinities[i].holds(node) {
			sum += affinities[i].weight
		}
	}
	if weights == 0 {
		return 0
	}
	return sum / weights
}

// weight is that of an affinity or a spread; one that has none counts half.
func weight(given *int8) float64 {
	if given == nil {
		return 50
	}
	return float64(*given)
}

// ceilLog2 is the binary logarithm of n, rounded up; 0 for n below 2.
func ceilLog2(n int) int {
	if n < 2 {
		return 0
	}
	return bits.Len(uint(n - 1))
}

func sortedKeys[K cmp.Ordered, V any](of map[K]V) []K { return slices.Sorted(maps.Keys(of)) }
