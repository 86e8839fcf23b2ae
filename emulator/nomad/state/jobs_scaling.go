package state

import (
	"iter"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/jobs"
	"github.com/drydock/drydock/emulator/store"
)

// The tables about scaling.
const (
	TableScalingPolicies = "scaling_policy"
	TableScalingEvents   = "scaling_event"
)

// rememberedScalings is how many scaling events of a group are kept, as the real
// servers do by default.
const rememberedScalings = 20

// ScalingEvents are what was done to, or said of, the counts of a job's groups.
type ScalingEvents struct {
	Namespace   string
	JobID       string
	Groups      map[string][]api.ScalingEvent // newest first
	ModifyIndex uint64
}

func scalingTables() store.Schema {
	target := func(p *api.ScalingPolicy) []string {
		return []string{p.Target[jobs.TargetNamespace], p.Target[jobs.TargetJob], p.Target[jobs.TargetGroup]}
	}
	return store.Schema{
		TableScalingPolicies: store.Rows[api.ScalingPolicy](
			store.Unique("id", store.By(func(p *api.ScalingPolicy) []string { return []string{p.ID} })),
			store.Many("target", store.By(target))),
		TableScalingEvents: store.Rows[ScalingEvents](
			store.Unique("id", store.By(func(e *ScalingEvents) []string { return []string{e.Namespace, e.JobID} }))),
	}
}

// ScalingPolicy finds a policy by its ID; nil when there is none.
func (v *View) ScalingPolicy(id string) *api.ScalingPolicy {
	return store.First[api.ScalingPolicy](v.View, TableScalingPolicies, "id", id)
}

// ScalingPolicies are all policies, by ID.
func (v *View) ScalingPolicies() iter.Seq[*api.ScalingPolicy] {
	return store.All[api.ScalingPolicy](v.View, TableScalingPolicies, "id")
}

// policiesOfJob are those of a job, by the group that they scale.
func (v *View) policiesOfJob(namespace, job string) map[string]*api.ScalingPolicy {
	policies := map[string]*api.ScalingPolicy{}
	for p := range store.All[api.ScalingPolicy](v.View, TableScalingPolicies, "target_prefix", namespace, job, "") {
		policies[p.Target[jobs.TargetGroup]] = p
	}
	return policies
}

// ScalingEvents are those of a job; nil when there are none.
func (v *View) ScalingEvents(namespace, job string) *ScalingEvents {
	return store.First[ScalingEvents](v.View, TableScalingEvents, "id", namespace, job)
}

// AddScalingEvent remembers an event of a group, whose time and index are set here.
func (tx *Tx) AddScalingEvent(namespace, job, group string, event api.ScalingEvent) {
	event.Time, event.CreateIndex = uint64(tx.Now().UnixNano()), tx.ChangeIndex()
	next := &ScalingEvents{Namespace: namespace, JobID: job, Groups: map[string][]api.ScalingEvent{}, ModifyIndex: tx.ChangeIndex()}
	if old := tx.ScalingEvents(namespace, job); old != nil {
		next.Groups = maps.Clone(old.Groups)
	}
	list := slices.Insert(slices.Clone(next.Groups[group]), 0, event)
	next.Groups[group] = list[:min(len(list), rememberedScalings)]
	tx.Insert(TableScalingEvents, next)
}

// putPolicies keeps the policies of a job, and gives them what is not the
// client's. The groups of the job that get it are copies.
func (tx *Tx) putPolicies(job *api.Job) {
	known := tx.policiesOfJob(*job.Namespace, *job.ID)
	groups := slices.Clone(job.TaskGroups)
	for i, group := range groups {
		if group.Scaling == nil {
			continue
		}
		own := *group
		own.Scaling = tx.putPolicy(known[*group.Name], group.Scaling)
		groups[i] = &own
		delete(known, *group.Name)
	}
	job.TaskGroups = groups
	for _, gone := range known {
		tx.Delete(TableScalingPolicies, gone)
	}
}

// putPolicy keeps a policy in the place of the one that there is for its group.
func (tx *Tx) putPolicy(old, given *api.ScalingPolicy) *api.ScalingPolicy {
	next := *given
	next.ID, next.CreateIndex, next.ModifyIndex = uuid.NewString(), tx.ChangeIndex(), tx.ChangeIndex()
	if old != nil {
		next.ID, next.CreateIndex = old.ID, old.CreateIndex
		if jobs.SamePolicy(old, given) {
			return old
		}
	}
	tx.Insert(TableScalingPolicies, &next)
	return &next
}

// forgetScaling drops the policies and the events of a job.
func (tx *Tx) forgetScaling(namespace, job string) {
	for _, p := range tx.policiesOfJob(namespace, job) {
		tx.Delete(TableScalingPolicies, p)
	}
	if events := tx.ScalingEvents(namespace, job); events != nil {
		tx.Delete(TableScalingEvents, events)
	}
}
