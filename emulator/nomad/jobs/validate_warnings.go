package jobs

import (
	"strings"

	"github.com/hashicorp/nomad/api"
)

// warn tells what a job does that is allowed and probably not meant.
func warn(job *api.Job, cluster Cluster) (p problems) {
	promoting, canaries := 0, 0
	for _, group := range job.TaskGroups {
		if inGroup := warnGroup(group); len(inGroup) > 0 {
			p.add("Group %q has warnings: %s", *group.Name, inGroup)
		}
		if group.Update != nil && *group.Update.Canary > 0 {
			canaries++
			if *group.Update.AutoPromote {
				promoting++
			}
		}
	}
	p.when(promoting > 0 && promoting < canaries, "auto_promote must be true for all groups to enable automatic promotion")
	p.when(job.Periodic != nil && *job.Periodic.Spec != "", "cron is deprecated and may be removed in a future release. Use crons instead")
	for _, group := range job.TaskGroups {
		for _, task := range group.Tasks {
			warnVaultIdentities(&p, task)
		}
	}
	if cluster.MemoryOversubscription {
		return p
	}
	for _, group := range job.TaskGroups {
		for _, task := range group.Tasks {
			p.when(*task.Resources.MemoryMaxMB != 0,
				"Memory oversubscription is not enabled; Task \"%s.%s\" memory_max value will be ignored. Update the Scheduler Configuration to allow oversubscription.",
				*group.Name, task.Name)
		}
	}
	return p
}

func warnVaultIdentities(p *problems, task *api.Task) {
	if task.Vault != nil {
		return
	}
	for _, identity := range task.Identities {
		if strings.HasPrefix(identity.Name, vaultIdentity) {
			p.add("Task %s has an identity called %s but no vault block", task.Name, identity.Name)
		}
	}
}

func warnGroup(group *api.TaskGroup) (p problems) {
	if u := group.Update; u != nil && *group.Count > 1 && *u.MaxParallel > *group.Count {
		p.add("Update max parallel count is greater than task group count (%d > %d). A destructive change would result in the simultaneous replacement of all allocations.",
			*u.MaxParallel, *group.Count)
	}
	for _, network := range group.Networks {
		if network.Megabits() > 0 {
			p.add("mbits has been deprecated as of Nomad 0.12.0. Please remove mbits from the network block")
			break
		}
	}
	for _, service := range group.Services {
		for _, warning := range warnServiceIdentity(service) {
			p.add("Service %q: %s", service.Name, warning)
		}
	}
	for _, task := range group.Tasks {
		if inTask := warnTask(task); len(inTask) > 0 {
			p.add("Task %q has warnings: %s", task.Name, inTask)
		}
	}
	return p
}

func warnServiceIdentity(service *api.Service) problems {
	if service.Identity == nil {
		return nil
	}
	return warnIdentity(service.Identity)
}

func warnTask(task *api.Task) (p problems) {
	p.when(*task.Resources.IOPS != 0, "IOPS has been deprecated as of Nomad 0.9.0. Please remove IOPS from resource block.")
	p.when(len(task.Resources.Networks) > 0,
		"task network resources have been deprecated as of Nomad 0.12.0. Please configure networking via group network block.")
	for i, template := range task.Templates {
		p.when(*template.VaultGrace != 0,
			"Template[%d] VaultGrace has been deprecated as of Nomad 0.11 and ignored since Vault 0.5. Please remove VaultGrace / vault_grace from template block.", i)
	}
	for _, identity := range task.Identities {
		warnings := warnIdentity(identity)
		for i := range warnings {
			warnings[i] = "Identity[" + identity.Name + "] " + warnings[i]
		}
		p.in(warnings, "")
	}
	return p
}
