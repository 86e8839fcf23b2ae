package drain

import (
	"cmp"
	"slices"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// remaining is what has not ended on a node.
type remaining struct {
	services      []*service
	batch, system []*state.Allocation
}

// service is the instances of one group of a service on a node.
type service struct {
	namespace, job, group string
	allocations           []*state.Allocation
}

// survey finds what has not ended on a node.
func survey(view *state.View, node *state.Node) *remaining {
	left := &remaining{}
	for a := range view.AllocationsOfNode(node.ID) {
		if a.ClientTerminal() {
			continue
		}
		switch *a.Job.Type {
		case api.JobTypeSystem:
			left.system = append(left.system, a)
		case api.JobTypeService:
			left.addService(a)
		default:
			left.batch = append(left.batch, a)
		}
	}
	return left
}

func (left *remaining) addService(a *state.Allocation) {
	i := slices.IndexFunc(left.services, func(s *service) bool {
		return s.namespace == a.Namespace && s.job == a.JobID && s.group == a.TaskGroup
	})
	if i < 0 {
		i = len(left.services)
		left.services = append(left.services, &service{namespace: a.Namespace, job: a.JobID, group: a.TaskGroup})
	}
	left.services[i].allocations = append(left.services[i].allocations, a)
}

// all is what remains, without system jobs if they are to stay.
func (left *remaining) all(stay bool) []*state.Allocation {
	list := slices.Clone(left.batch)
	for _, s := range left.services {
		list = append(list, s.allocations...)
	}
	if !stay {
		list = append(list, left.system...)
	}
	return list
}

// leaving are the instances that may leave the node now: as many as the group
// can do without, by its migrate block, of all that are healthy anywhere.
func (s *service) leaving(view *state.View) []*state.Allocation {
	job := view.Job(s.namespace, s.job)
	if job == nil || job.Stop != nil && *job.Stop {
		return nil // the scheduler stops them
	}
	spec := job.LookupTaskGroup(s.group)
	if spec == nil {
		return nil
	}
	parallel := 1
	if spec.Migrate != nil && spec.Migrate.MaxParallel != nil {
		parallel = *spec.Migrate.MaxParallel
	}
	spare := healthy(view, s) - (*spec.Count - parallel)
	list := unmarked(s.allocations)
	slices.SortFunc(list, func(a, b *state.Allocation) int { return cmp.Compare(a.CreateIndex, b.CreateIndex) })
	return list[:max(0, min(spare, len(list)))]
}

// healthy is how many instances of a group run healthily and are to stay.
func healthy(view *state.View, s *service) (count int) {
	for a := range view.AllocationsOfJob(s.namespace, s.job) {
		if a.TaskGroup != s.group || a.Terminal() || a.DesiredTransition.ShouldMigrate() {
			continue
		}
		if a.DeploymentStatus != nil && a.DeploymentStatus.Healthy != nil && *a.DeploymentStatus.Healthy {
			count++
		}
	}
	return count
}
