package state

import (
	"encoding/json"
	"iter"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/store"
)

// TableAllocations has the allocations.
const TableAllocations = "allocs"

// Allocation is a row of an allocation. Its Job is always there, and shared by
// all allocations that were made from it.
type Allocation struct {
	api.Allocation
	Beside
}

// Beside is what the servers know of an allocation beside what they tell of it.
type Beside struct {
	Cores map[string][]uint16 `json:",omitempty"` // reserved ones, by task
	// AllocStates are when the servers lost sight of the allocation and when
	// they saw it again, in that order, over and over.
	AllocStates []AllocState `json:",omitempty"`
}

// AllocState is a change of an allocation that its servers have noticed.
type AllocState struct {
	Field uint8 // 0, the client status
	Value string
	Time  time.Time
}

// written is how a row is kept: the job is a row of its own, and too long to be
// written with each allocation.
type written struct {
	api.Allocation
	Beside
	PlacedJob uint64 // the job's JobModifyIndex
}

// MarshalJSON leaves the job out.
func (a *Allocation) MarshalJSON() ([]byte, error) {
	lean := written{a.Allocation, a.Beside, *a.Job.JobModifyIndex}
	lean.Job = nil
	return json.Marshal(lean)
}

// UnmarshalJSON reads what MarshalJSON has written: the job has its name and
// JobModifyIndex, until joinJobs puts in the whole.
func (a *Allocation) UnmarshalJSON(text []byte) error {
	var lean written
	if err := json.Unmarshal(text, &lean); err != nil {
		return err
	}
	a.Allocation, a.Beside = lean.Allocation, lean.Beside
	a.Job = &api.Job{ID: &a.JobID, Namespace: &a.Namespace, JobModifyIndex: &lean.PlacedJob}
	return nil
}

func allocationTables() store.Schema {
	optional := func(id string) []string {
		if id == "" {
			return nil
		}
		return []string{id}
	}
	return store.Schema{TableAllocations: store.Rows[Allocation](
		store.Unique("id", store.By(func(a *Allocation) []string { return []string{a.ID} })),
		store.Many("created", store.By(func(a *Allocation) []string { return []string{number(a.CreateIndex), a.ID} })),
		store.Many("job", store.By(func(a *Allocation) []string { return []string{a.Namespace, a.JobID} })),
		store.Many("node", store.By(func(a *Allocation) []string { return optional(a.NodeID) })),
		store.Many("port", store.Each(portsOf)),
		store.Many("eval", store.By(func(a *Allocation) []string { return optional(a.EvalID) })),
		store.Many("deployment", store.By(func(a *Allocation) []string { return optional(a.DeploymentID) })))}
}

// Allocation finds an allocation by its ID; nil when there is none.
func (v *View) Allocation(id string) *Allocation {
	return store.First[Allocation](v.View, TableAllocations, "id", id)
}

// Allocations are all allocations, in the order in which they were created.
func (v *View) Allocations() iter.Seq[*Allocation] {
	return store.All[Allocation](v.View, TableAllocations, "created")
}

// AllocationsOfJob are those of a job, also of earlier jobs of that name.
func (v *View) AllocationsOfJob(namespace, job string) iter.Seq[*Allocation] {
	return store.All[Allocation](v.View, TableAllocations, "job", namespace, job)
}

// AllocationsOfNode are those that a node runs or has run.
func (v *View) AllocationsOfNode(node string) iter.Seq[*Allocation] {
	return store.All[Allocation](v.View, TableAllocations, "node", node)
}

// AllocationsOfEvaluation are those that an evaluation has placed.
func (v *View) AllocationsOfEvaluation(evaluation string) iter.Seq[*Allocation] {
	return store.All[Allocation](v.View, TableAllocations, "eval", evaluation)
}

// AllocationsOfDeployment are those that are part of a deployment.
func (v *View) AllocationsOfDeployment(deployment string) iter.Seq[*Allocation] {
	return store.All[Allocation](v.View, TableAllocations, "deployment", deployment)
}

// ClientTerminal tells whether the allocation has ended on its node.
func (a *Allocation) ClientTerminal() bool {
	switch a.ClientStatus {
	case api.AllocClientStatusComplete, api.AllocClientStatusFailed, api.AllocClientStatusLost:
		return true
	}
	return false
}

// ServerTerminal tells whether the allocation is meant to end.
func (a *Allocation) ServerTerminal() bool {
	return a.DesiredStatus == api.AllocDesiredStatusStop || a.DesiredStatus == api.AllocDesiredStatusEvict
}

// Terminal tells whether the allocation has ended, or is meant to.
func (a *Allocation) Terminal() bool { return a.ServerTerminal() || a.ClientTerminal() }

// Group is the task group that the allocation is an instance of; nil when its
// job has none of that name.
func (a *Allocation) Group() *api.TaskGroup { return a.Job.LookupTaskGroup(a.TaskGroup) }

// AllocationsWithPrefix are those whose ID begins with the prefix, by ID.
func (v *View) AllocationsWithPrefix(prefix string) iter.Seq[*Allocation] {
	return store.All[Allocation](v.View, TableAllocations, "id_prefix", prefix)
}

// LostSight is when the servers lost sight of the allocation; zero when they
// did not, or have seen it again.
func (a *Allocation) LostSight() time.Time {
	if len(a.AllocStates) == 0 {
		return time.Time{}
	}
	last := a.AllocStates[len(a.AllocStates)-1]
	if last.Value != api.AllocClientStatusUnknown {
		return time.Time{}
	}
	return last.Time
}
