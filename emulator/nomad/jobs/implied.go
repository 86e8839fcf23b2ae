package jobs

import (
	"slices"
	"strings"

	"github.com/hashicorp/nomad/api"
)

// imply adds to a group the constraints that follow from what it uses: it can
// only run where that is to be had. One that is there is not added again.
func imply(group *api.TaskGroup) {
	add := func(left, operand, right string) {
		addConstraint(&group.Constraints, left, operand, right)
	}
	implyPartition(&group.Constraints, group.Consul)
	for _, task := range group.Tasks {
		implyPartition(&task.Constraints, task.Consul)
	}
	for _, provider := range secretProviders(group) {
		add("${attr.plugins.secrets."+provider+".version}", api.ConstraintAttributeIsSet, "")
	}
	if signals := usedSignals(group); len(signals) > 0 {
		add("${attr.os.signals}", api.ConstraintSetContains, strings.Join(signals, ","))
	}
	implyDiscovery(group, add)
	if slices.ContainsFunc(group.Networks, isBridge) {
		for _, plugin := range []string{"bridge", "firewall", "host-local", "loopback", "portmap"} {
			add("${attr.plugins.cni.version."+plugin+"}", api.ConstraintSemver, ">= 0.4.0")
		}
	}
	if hasIdentities(group) {
		add("${attr.nomad.version}", api.ConstraintSemver, ">= 1.7.0-a")
	}
}

func implyPartition(to *[]*api.Constraint, consul *api.Consul) {
	if consul != nil && consul.Partition != "" {
		addConstraint(to, "${attr.consul.partition}", "=", consul.Partition)
	}
}

// implyDiscovery adds what the services of a group need. That a service of a task
// needs Consul is a constraint of the task.
func implyDiscovery(group *api.TaskGroup, add func(left, operand, right string)) {
	const consulVersion, consulMinimum = "${attr.consul.version}", ">= 1.8.0"
	services := group.Services
	for _, task := range group.Tasks {
		services = slices.Concat(services, task.Services)
		if slices.ContainsFunc(task.Services, inConsul) {
			addConstraint(&task.Constraints, consulVersion, api.ConstraintSemver, consulMinimum)
		}
	}
	if slices.ContainsFunc(services, inNomad) {
		add("${attr.nomad.service_discovery}", "=", "true")
	}
	if slices.ContainsFunc(services, func(s *api.Service) bool { return inNomad(s) && len(s.Checks) > 0 }) {
		add("${attr.nomad.version}", api.ConstraintSemver, ">= 1.4.0")
	}
	if slices.ContainsFunc(group.Services, inConsul) {
		add(consulVersion, api.ConstraintSemver, consulMinimum)
	}
}

func addConstraint(to *[]*api.Constraint, left, operand, right string) {
	wanted := api.Constraint{LTarget: left, Operand: operand, RTarget: right}
	if !slices.ContainsFunc(*to, func(c *api.Constraint) bool { return *c == wanted }) {
		*to = append(*to, &wanted)
	}
}

func inNomad(s *api.Service) bool  { return s.Provider == providerNomad }
func inConsul(s *api.Service) bool { return s.Provider == api.ServiceProviderConsul }

func isBridge(n *api.NetworkResource) bool { return n.Mode == "bridge" }

func hasIdentities(group *api.TaskGroup) bool {
	return slices.ContainsFunc(group.Services, func(s *api.Service) bool { return s.Identity != nil }) ||
		slices.ContainsFunc(group.Tasks, func(t *api.Task) bool {
			return len(t.Identities) > 0 || slices.ContainsFunc(t.Services, func(s *api.Service) bool { return s.Identity != nil })
		})
}

// usedSignals are those that tasks are killed with, and that templates and Vault
// tokens send when they change; sorted.
func usedSignals(group *api.TaskGroup) []string {
	var all []string
	for _, task := range group.Tasks {
		if task.KillSignal != "" {
			all = append(all, task.KillSignal)
		}
		for _, template := range task.Templates {
			if *template.ChangeMode == changeSignal {
				all = append(all, *template.ChangeSignal)
			}
		}
		if v := task.Vault; v != nil && *v.ChangeMode == changeSignal {
			all = append(all, *v.ChangeSignal)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// secretProviders are those that the tasks read secrets from, sorted.
func secretProviders(group *api.TaskGroup) []string {
	var all []string
	for _, task := range group.Tasks {
		for _, secret := range task.Secrets {
			all = append(all, secret.Provider)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
