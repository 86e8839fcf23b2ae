package state

import (
	"fmt"
	"maps"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/store"
)

// UpsertAllocation writes an allocation as the servers want it, which becomes
// the row. The indexes and times are set here; the summary and status of its job, and its
// deployment's counts, follow.
func (tx *Tx) UpsertAllocation(a *Allocation) {
	old := tx.Allocation(a.ID)
	index, now := tx.ChangeIndex(), tx.Now().UnixNano()
	a.ModifyIndex, a.ModifyTime, a.AllocModifyIndex = index, now, index
	if old == nil {
		a.CreateIndex, a.CreateTime = index, now
	} else {
		a.CreateIndex, a.CreateTime = old.CreateIndex, old.CreateTime
	}
	tx.putAllocation(old, a)
}

// UpdateAllocation changes an allocation as its node does: the copy that
// change gets is written. AllocModifyIndex, which nodes go by, stays.
func (tx *Tx) UpdateAllocation(old *Allocation, change func(*Allocation)) {
	next := *old
	next.ModifyIndex, next.ModifyTime = tx.ChangeIndex(), tx.Now().UnixNano()
	change(&next)
	tx.putAllocation(old, &next)
}

func (tx *Tx) putAllocation(old, next *Allocation) {
	if old == nil || *old.Job.JobModifyIndex != *next.Job.JobModifyIndex {
		tx.placeJob(next)
	}
	tx.Insert(TableAllocations, next)
	tx.account(old, next)
	tx.recount(old, next)
	tx.countDeployment(old, next)
	if old == nil || old.Terminal() != next.Terminal() {
		tx.touchJob(next.Namespace, next.JobID)
	}
}

// DeleteAllocation forgets an allocation.
func (tx *Tx) DeleteAllocation(a *Allocation) {
	tx.Delete(TableAllocations, a)
	tx.account(a, nil)
}

// placeJob keeps what the allocation was made from, for as long as it lives,
// and has it share what others of that job have.
func (tx *Tx) placeJob(a *Allocation) {
	if kept := tx.placedJob(a.Job); kept != nil {
		a.Job = kept
		return
	}
	tx.Insert(tablePlacedJobs, a.Job)
}

func (tx *Tx) placedJob(job *api.Job) *api.Job {
	return store.First[api.Job](tx.View.View, tablePlacedJobs, "id", *job.Namespace, *job.ID, number(*job.JobModifyIndex))
}

// joinJobs gives allocations that were read from the disk their jobs.
func (tx *Tx) joinJobs() error {
	for a := range tx.Allocations() {
		job := tx.placedJob(a.Job)
		if job == nil {
			return fmt.Errorf("read the state: the job %q of allocation %s is missing", a.JobID, a.ID)
		}
		a.Job = job // nobody has seen the row yet
	}
	return nil
}

// ForgetPlacedJobs drops the jobs that no allocation was made from any more.
func (tx *Tx) ForgetPlacedJobs() {
	used := map[*api.Job]bool{}
	for a := range tx.Allocations() {
		used[a.Job] = true
	}
	for _, job := range store.Collect[api.Job](tx.View.View, tablePlacedJobs, "id") {
		if !used[job] {
			tx.Delete(tablePlacedJobs, job)
		}
	}
}

// recount moves an allocation in its job's summary from one state to another.
func (tx *Tx) recount(old, next *Allocation) {
	if old != nil && old.ClientStatus == next.ClientStatus {
		return
	}
	tx.summarize(next.Namespace, next.JobID, func(groups map[string]api.TaskGroupSummary) {
		group, known := groups[next.TaskGroup]
		if !known {
			return
		}
		if old != nil {
			if count := countOf(&group, old.ClientStatus); *count > 0 {
				*count--
			}
		}
		*countOf(&group, next.ClientStatus)++
		groups[next.TaskGroup] = group
	})
}

// countOf is the count of a summary that an allocation with the status is in.
func countOf(group *api.TaskGroupSummary, status string) *int {
	switch status {
	case api.AllocClientStatusRunning:
		return &group.Running
	case api.AllocClientStatusComplete:
		return &group.Complete
	case api.AllocClientStatusFailed:
		return &group.Failed
	case api.AllocClientStatusLost:
		return &group.Lost
	case api.AllocClientStatusUnknown:
		return &group.Unknown
	}
	return &group.Starting
}

// summarize changes the groups of a job's summary.
func (tx *Tx) summarize(namespace, job string, change func(map[string]api.TaskGroupSummary)) {
	old := tx.JobSummary(namespace, job)
	if old == nil {
		return
	}
	next := *old
	next.Summary = maps.Clone(old.Summary)
	change(next.Summary)
	if !maps.Equal(old.Summary, next.Summary) {
		next.ModifyIndex = tx.ChangeIndex()
		tx.Insert(TableSummaries, &next)
	}
}

// TransitionAllocation says what the scheduler is to do with an allocation.
// AllocModifyIndex, which nodes go by, stays.
func (tx *Tx) TransitionAllocation(a *Allocation, change func(*api.DesiredTransition)) {
	tx.UpdateAllocation(a, func(next *Allocation) { change(&next.DesiredTransition) })
}

// Summarize counts the allocations of a job anew.
func (tx *Tx) Summarize(job *api.Job) {
	tx.summarize(*job.Namespace, *job.ID, func(groups map[string]api.TaskGroupSummary) {
		for name, group := range groups {
			groups[name] = api.TaskGroupSummary{Queued: group.Queued}
		}
		for a := range tx.AllocationsOfJob(*job.Namespace, *job.ID) {
			if group, known := groups[a.TaskGroup]; known {
				*countOf(&group, a.ClientStatus)++
				groups[a.TaskGroup] = group
			}
		}
	})
}
