package place

import (
	"slices"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// group is a task group, made ready for being held against nodes.
type group struct {
	*api.TaskGroup
	constraints []constraint // its own and its tasks'
	escapes     bool         // classes say too little about its constraints
	classes     map[string]bool
	distinct    []distinct
	affinities  []affinity
	spreads     []spread
	drivers     []string
	devices     []deviceRequest
	volumes     []*api.VolumeRequest
	networks    bool         // there are some
	cores       bool         // a task reserves some
	amount      state.Amount // what an instance takes, without reserved cores
}

func (s *Selector) newGroup(of *api.TaskGroup) *group {
	g := &group{TaskGroup: of, classes: map[string]bool{}}
	constraints := [][]*api.Constraint{of.Constraints}
	affinities := [][]*api.Affinity{s.job.Affinities, of.Affinities}
	g.networks = len(of.Networks) > 0
	for _, task := range of.Tasks {
		constraints = append(constraints, task.Constraints)
		affinities = append(affinities, task.Affinities)
		if !slices.Contains(g.drivers, task.Driver) {
			g.drivers = append(g.drivers, task.Driver)
		}
		g.networks = g.networks || len(task.Resources.Networks) > 0
		g.cores = g.cores || reservedCores(task) > 0
		for _, request := range task.Resources.Devices {
			g.devices = append(g.devices, newDeviceRequest(task.Name, request))
		}
	}
	g.constraints = newConstraints(constraints...)
	g.escapes = slices.ContainsFunc(g.constraints, func(c constraint) bool { return c.escapes() })
	g.affinities = newAffinities(affinities...)
	g.distinct = append(s.newDistinct(s.job.Constraints, ""), s.newDistinct(of.Constraints, *of.Name)...)
	g.spreads = s.newSpreads(of)
	for _, name := range sortedKeys(of.Volumes) {
		g.volumes = append(g.volumes, of.Volumes[name])
	}
	g.amount = state.AmountOf(of, s.allocate(g, nil, nil))
	return g
}

func reservedCores(task *api.Task) int {
	if task.Resources.Cores == nil {
		return 0
	}
	return *task.Resources.Cores
}

// limit is how many nodes are scored of those that can run the group.
func (s *Selector) limit(g *group) int {
	if len(g.affinities)+len(g.spreads) > 0 {
		limit := 100
		if configured := s.config.NodeLimitForFeasibilityChecks; configured > 0 {
			limit = int(configured)
		}
		return max(limit, *g.Count)
	}
	if *s.job.Type == api.JobTypeBatch {
		return 2
	}
	return max(2, ceilLog2(len(s.pool.nodes)))
}
