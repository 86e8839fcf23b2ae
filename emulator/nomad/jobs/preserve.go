package jobs

import "github.com/hashicorp/nomad/api"

// CountsFrom gives the groups of a job the counts that they have in another
// version, where they are there.
func CountsFrom(job, version *api.Job) {
	for _, group := range job.TaskGroups {
		if before := version.LookupTaskGroup(*group.Name); before != nil {
			group.Count = new(*before.Count)
		}
	}
}

// ResourcesFrom gives the tasks of a job the resources that they have in another
// version, where they are there.
func ResourcesFrom(job, version *api.Job) {
	for _, group := range job.TaskGroups {
		before := version.LookupTaskGroup(*group.Name)
		if before == nil {
			continue
		}
		tasks := byName(before.Tasks, taskName)
		for _, task := range group.Tasks {
			if old, ok := tasks[task.Name]; ok {
				resources := *old.Resources
				task.Resources = &resources
			}
		}
	}
}

// SamePolicy compares two scaling policies but for what servers set.
func SamePolicy(a, b *api.ScalingPolicy) bool {
	plain := func(p *api.ScalingPolicy) *api.ScalingPolicy {
		own := *p
		own.ID, own.Namespace, own.CreateIndex, own.ModifyIndex = "", "", 0, 0
		return &own
	}
	return same(plain(a), plain(b))
}
