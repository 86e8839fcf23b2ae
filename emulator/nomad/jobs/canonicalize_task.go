package jobs

import (
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/nomad/api"
)

const (
	// DefaultIdentity names the identity that every task has.
	DefaultIdentity = "default"

	defaultAudience   = "nomadproject.io"
	kindConnectNative = "connect-native:"
	zeroDuration      = time.Duration(0)
)

func canonicalizeTask(job *api.Job, group *api.TaskGroup, task *api.Task) {
	canonicalizeResources(task.Resources)
	canonicalizeIdentities(task)
	task.LogConfig.Enabled = nil // it has become Disabled
	if task.Schedule != nil && task.Schedule.Cron == nil {
		task.Schedule = nil
	}
	for _, template := range task.Templates {
		if template.ChangeScript != nil {
			template.ChangeScript.RunOnFirstRender = nil // this version does not have it
		}
	}
	for _, service := range task.Services {
		canonicalizeService(service, naming{job: *job.Name, group: *group.Name, task: task.Name, owner: task.Name + "-"})
		if service.TaskName == "" {
			service.TaskName = task.Name
		}
		for i := range service.Checks {
			if service.Checks[i].TaskName == "" {
				service.Checks[i].TaskName = task.Name
			}
		}
	}
}

func canonicalizeResources(r *api.Resources) {
	r.DiskMB = new(0) // the group's ephemeral disk has taken its place
	r.MemoryMaxMB, r.SecretsMB, r.IOPS = new(value(r.MemoryMaxMB)), new(value(r.SecretsMB)), new(value(r.IOPS))
	canonicalizeNetworks(r.Networks)
}

// canonicalizeIdentities gives a task its default identity, which may be among
// the others.
func canonicalizeIdentities(task *api.Task) {
	for _, identity := range task.Identities {
		identity.ChangeSignal = strings.ToUpper(identity.ChangeSignal)
		identity.ExtraClaims = nil // this version does not have them
	}
	if i := slices.IndexFunc(task.Identities, isDefaultIdentity); i >= 0 {
		task.Identity = task.Identities[i]
		task.Identities = slices.Delete(task.Identities, i, i+1)
	}
	if task.Identity == nil {
		task.Identity = &api.WorkloadIdentity{}
	}
	if isDefaultIdentity(task.Identity) {
		task.Identity.Name, task.Identity.Audience = DefaultIdentity, []string{defaultAudience}
	}
}

func isDefaultIdentity(i *api.WorkloadIdentity) bool {
	return i.Name == "" || i.Name == DefaultIdentity
}
