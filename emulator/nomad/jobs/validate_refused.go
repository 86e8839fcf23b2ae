package jobs

import (
	"slices"
	"strings"

	"github.com/hashicorp/nomad/api"
)

const (
	defaultCluster = "default"
	numaNone       = "none"
)

// checkRefused finds what the servers refuse whatever the rest of the job is.
func checkRefused(p *problems, job *api.Job) {
	checkSidecars(p, job)
	if cluster, used := vaultCluster(job); used {
		p.add("Vault %q not enabled but used in the job", cluster)
	}
	if usesOtherConsul(job) {
		p.add("non-default Consul cluster requires Nomad Enterprise")
		return
	}
	for _, group := range job.TaskGroups {
		checkPartitions(p, group)
	}
}

// vaultCluster is the first cluster of Vault that a task needs.
func vaultCluster(job *api.Job) (name string, used bool) {
	for _, group := range job.TaskGroups {
		for _, task := range group.Tasks {
			if task.Vault != nil {
				return task.Vault.Cluster, true
			}
		}
	}
	return "", false
}

func usesOtherConsul(job *api.Job) bool {
	other := func(c *api.Consul) bool { return c != nil && c.Cluster != defaultCluster }
	otherService := func(s *api.Service) bool { return inConsul(s) && s.Cluster != defaultCluster }
	for _, group := range job.TaskGroups {
		if other(group.Consul) || slices.ContainsFunc(group.Services, otherService) {
			return true
		}
		for _, task := range group.Tasks {
			if other(task.Consul) || slices.ContainsFunc(task.Services, otherService) {
				return true
			}
		}
	}
	return false
}

func checkPartitions(p *problems, group *api.TaskGroup) {
	if group.Consul == nil || group.Consul.Partition == "" {
		return
	}
	for _, task := range group.Tasks {
		if c := task.Consul; c != nil && c.Partition != "" && c.Partition != group.Consul.Partition {
			p.add("task.consul.partition %q must match group.consul.partition %q if both are set",
				c.Partition, group.Consul.Partition)
			return
		}
	}
}

// checkSidecars checks that services which a proxy connects to the mesh have a
// network of their own.
func checkSidecars(p *problems, job *api.Job) {
	for _, group := range job.TaskGroups {
		sidecar := func(s *api.Service) bool { return s.Connect != nil && s.Connect.SidecarService != nil }
		if slices.ContainsFunc(group.Services, sidecar) {
			checkMeshNetwork(p, group, "connect sidecar")
		}
	}
	for _, group := range job.TaskGroups {
		checkExposed(p, group)
		checkNative(p, group)
	}
}

func checkExposed(p *problems, group *api.TaskGroup) {
	for _, service := range group.Services {
		for i := range service.Checks {
			check := &service.Checks[i]
			if !check.Expose {
				continue
			}
			if !checkMeshNetwork(p, group, "connect expose check") {
				return
			}
			if service.Connect == nil || service.Connect.SidecarService == nil {
				p.add("exposed service check %s->%s->%s requires use of sidecar_proxy", *group.Name, service.Name, check.Name)
				return
			}
		}
	}
}

// checkNative checks that the tasks exist which connect themselves.
func checkNative(p *problems, group *api.TaskGroup) {
	for _, service := range group.Services {
		if !connectsNatively(service) || service.TaskName == "" {
			continue
		}
		if !slices.ContainsFunc(group.Tasks, func(t *api.Task) bool { return t.Name == service.TaskName }) {
			p.add("task %s named by Consul Connect Native service %s->%s does not exist", service.TaskName, *group.Name, service.Name)
		}
	}
}

// checkMeshNetwork reports whether the group can be connected.
func checkMeshNetwork(p *problems, group *api.TaskGroup, what string) bool {
	if n := len(group.Networks); n != 1 {
		p.add("%s: must have exactly one network for Consul Connect: group %q has %d networks", what, *group.Name, n)
		return false
	}
	mode := group.Networks[0].Mode
	if mode != "bridge" && !strings.HasPrefix(mode, "cni/") {
		p.add("%s: invalid network mode for Consul Connect: group %q uses network mode %q; must be \"bridge\" or \"cni/*\"",
			what, *group.Name, mode)
		return false
	}
	return true
}

// checkServiceIdentities finds services whose identities nothing names.
func checkServiceIdentities(p *problems, job *api.Job) {
	for _, group := range job.TaskGroups {
		checkIdentityNames(p, "task group "+*group.Name, group.Services)
		for _, task := range group.Tasks {
			checkIdentityNames(p, "task "+task.Name, task.Services)
			checkVaultIdentity(p, task)
		}
	}
}

// checkEnterprise finds, last of all, what needs a licence.
func checkEnterprise(p *problems, job *api.Job) {
	var numa, schedule bool
	for _, group := range job.TaskGroups {
		for _, task := range group.Tasks {
			numa = numa || task.Resources.NUMA != nil && task.Resources.NUMA.Affinity != numaNone
			schedule = schedule || task.Schedule != nil && task.Schedule.Cron != nil
		}
	}
	p.when(numa, "numa scheduling requires Nomad Enterprise")
	p.when(schedule, "task schedules requires Nomad Enterprise")
}

func checkIdentityNames(p *problems, of string, services []*api.Service) {
	for _, service := range services {
		if service.Identity != nil && service.Identity.Name == "" {
			p.add("Service %s in %s has an identity with an empty name", service.Name, of)
		}
	}
}

func checkVaultIdentity(p *problems, task *api.Task) {
	if task.Vault == nil || task.Vault.Cluster == defaultCluster {
		return
	}
	wanted := vaultIdentity + task.Vault.Cluster
	if !slices.ContainsFunc(task.Identities, func(i *api.WorkloadIdentity) bool { return i.Name == wanted }) {
		p.add("Task %s uses Vault cluster %s but does not have an identity named %s and no default identity is provided in agent configuration",
			task.Name, task.Vault.Cluster, wanted)
	}
}
