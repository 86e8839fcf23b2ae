package jobs

import (
	"time"

	"github.com/hashicorp/nomad/api"
)

const (
	defaultNodePool    = "default"
	defaultHostNetwork = "default"
	anyDatacenter      = "*"
)

// Canonicalize makes of a job that a client sends what the servers keep, in
// place: the defaults of api.Job.Canonicalize, and what the servers add to them,
// change, or do not take from clients. Absent entries of lists are dropped. A
// job that is canonical stays as it is, but for what only servers set.
func Canonicalize(job *api.Job) {
	dropAbsent(job)
	job.Canonicalize()
	forgetServerSide(job)
	if *job.Priority == 0 {
		job.Priority = new(api.JobDefaultPriority)
	}
	if len(job.Datacenters) == 0 {
		job.Datacenters = []string{anyDatacenter}
	}
	if *job.NodePool == "" {
		job.NodePool = new(defaultNodePool)
	}
	job.Update = jobUpdate(job.Update)
	job.Reschedule, job.Migrate = nil, nil // the groups have them
	if p := job.ParameterizedJob; p != nil && p.Payload == "" {
		p.Payload = PayloadOptional
	}
	emptyToAbsent(job)
	for _, group := range job.TaskGroups {
		canonicalizeGroup(job, group)
		imply(group)
	}
}

// forgetServerSide resets what clients do not decide.
func forgetServerSide(job *api.Job) {
	job.Status, job.StatusDescription = new(""), new("")
	job.Stable, job.Version = new(false), new(uint64(0))
	job.CreateIndex, job.ModifyIndex, job.JobModifyIndex = new(uint64(0)), new(uint64(0)), new(uint64(0))
	job.ParentID, job.DispatchIdempotencyToken, job.NomadTokenID = new(""), new(""), new("")
	job.ConsulNamespace = new("") // only Enterprise has them
	job.SubmitTime, job.Dispatched = nil, false
}

// jobUpdate is what remains of the job's update block, which goes back to when
// blocks were the job's alone: the groups have all of it.
func jobUpdate(given *api.UpdateStrategy) *api.UpdateStrategy {
	kept := &api.UpdateStrategy{
		Stagger: new(time.Duration(0)), MaxParallel: new(0), HealthCheck: new(""),
		MinHealthyTime: new(time.Duration(0)), HealthyDeadline: new(time.Duration(0)), ProgressDeadline: new(time.Duration(0)),
		Canary: new(0), AutoRevert: new(false), AutoPromote: new(false),
	}
	if given != nil && value(given.MaxParallel) > 0 {
		kept.Stagger, kept.MaxParallel = new(value(given.Stagger)), new(*given.MaxParallel)
	}
	return kept
}

// value is what a pointer leads to, or nothing.
func value[T any](p *T) T {
	if p == nil {
		var none T
		return none
	}
	return *p
}
