package place

import (
	"maps"
	"slices"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// The dimensions of a node that can be exhausted, as metrics call them.
const (
	dimensionAllocations = "max allocation exceeded"
	dimensionCores       = "cores"
	dimensionCPU         = "cpu"
	dimensionDevices     = "devices: no devices match request"
	dimensionDisk        = "disk"
	dimensionMemory      = "memory"
	networkDimension     = "network: " // how those of networks begin
)

// shownScores is how many of the best nodes metrics have.
const shownScores = 5

// metrics are those of one search for a node.
type metrics struct {
	*api.AllocationMetric
	group *api.TaskGroup
}

func newMetrics(job *api.Job, group *api.TaskGroup, nodes *pool) metrics {
	return metrics{&api.AllocationMetric{
		NodePool: *job.NodePool, NodesInPool: len(nodes.nodes), NodesAvailable: maps.Clone(nodes.available),
	}, group}
}

func (m metrics) filtered(node *state.Node, reason string) {
	m.NodesFiltered++
	count(&m.ClassFiltered, node.NodeClass)
	count(&m.ConstraintFiltered, reason)
}

func (m metrics) exhausted(node *state.Node, dimension string) {
	m.NodesExhausted++
	count(&m.ClassExhausted, node.NodeClass)
	count(&m.DimensionExhausted, dimension)
	if m.ResourcesExhausted == nil {
		m.ResourcesExhausted = map[string]*api.Resources{}
	}
	for _, task := range m.group.Tasks {
		asked := m.ResourcesExhausted[task.Name]
		if asked == nil {
			asked = newResources()
			m.ResourcesExhausted[task.Name] = asked
		}
		switch dimension {
		case dimensionCPU:
			asked.CPU = new(*task.Resources.CPU)
		case dimensionMemory:
			asked.MemoryMB = new(*task.Resources.MemoryMB)
		}
	}
}

// scored notes the scores of a node: the best are shown.
func (m metrics) scored(c *candidate) {
	m.ScoreMetaData = append(m.ScoreMetaData, &api.NodeScoreMeta{NodeID: c.node.ID, Scores: c.scores, NormScore: c.score})
}

func (m metrics) finish() {
	slices.SortStableFunc(m.ScoreMetaData, func(a, b *api.NodeScoreMeta) int { return order(b.NormScore, a.NormScore) })
	if len(m.ScoreMetaData) > shownScores {
		m.ScoreMetaData = m.ScoreMetaData[:shownScores:shownScores]
	}
}

// count adds one to what has a name; what has none is not counted.
func count(of *map[string]int, name string) {
	if name == "" {
		return
	}
	if *of == nil {
		*of = map[string]int{}
	}
	(*of)[name]++
}

// Coalesce counts in the metrics of an instance that found no place another
// one of its group that found none either.
func Coalesce(metric *api.AllocationMetric, group *api.TaskGroup) {
	metric.CoalescedFailures++
	for _, task := range group.Tasks {
		exhausted := metric.ResourcesExhausted[task.Name]
		if exhausted == nil {
			continue
		}
		if *exhausted.CPU > 0 {
			exhausted.CPU = new(*exhausted.CPU + *task.Resources.CPU)
		}
		if *exhausted.MemoryMB > 0 {
			exhausted.MemoryMB = new(*exhausted.MemoryMB + *task.Resources.MemoryMB)
		}
	}
}
