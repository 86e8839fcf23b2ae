package jobs

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/nomad/api"
)

// checkTaskServices checks the services of a task, and that the ports exist that
// they and their checks refer to.
func checkTaskServices(group *api.TaskGroup, task *api.Task) (p problems) {
	services, checks := map[string]bool{}, map[string]bool{}
	users := map[string]map[string]bool{} // of a port, by label: the names of services
	for i, service := range task.Services {
		var wrong problems
		checkService(&wrong, service)
		p.in(wrong, "service[%d] %q validation failed: ", i, service.Name)
		checkTaskService(&p, service)
		id := service.Name + service.PortLabel
		p.when(services[id], "service %q is duplicate", service.Name)
		services[id] = true
		if service.PortLabel != "" && !isDriverPort(service.AddressMode, service.PortLabel) {
			use(users, service.PortLabel, service.Name)
		}
		for i := range service.Checks {
			check := &service.Checks[i]
			checkPortOfCheck(&p, users, service, check)
			p.when(checks[check.Name], "check %q is duplicate", check.Name)
			checks[check.Name] = true
		}
	}
	checkLabels(&p, users, group, task)
	return p
}

func checkTaskService(p *problems, service *api.Service) {
	const groupOnly = "only services defined in a \"group\" block can"
	p.when(service.AddressMode == addressAlloc,
		"service %q cannot use address_mode=\"alloc\", "+groupOnly+" use this mode", service.Name)
	p.when(service.Connect != nil, "service %q cannot have \"connect\" block, "+groupOnly, service.Name)
}

func use(users map[string]map[string]bool, label, service string) {
	if users[label] == nil {
		users[label] = map[string]bool{}
	}
	users[label][service] = true
}

// isDriverPort tells whether a port is a number in the network that the driver
// makes, which no label stands for.
func isDriverPort(addressMode, port string) bool {
	_, err := strconv.Atoi(port)
	return addressMode == addressDriver && err == nil
}

func checkPortOfCheck(p *problems, users map[string]map[string]bool, service *api.Service, check *api.ServiceCheck) {
	if check.PortLabel == "" || isDriverPort(check.AddressMode, check.PortLabel) {
		return
	}
	if number, err := strconv.Atoi(check.PortLabel); err == nil {
		p.add("check %q cannot use a numeric port %d without setting address_mode=%q", check.Name, number, addressDriver)
		return
	}
	use(users, check.PortLabel, service.Name)
}

// checkLabels checks that ports of the task or the group have the labels.
func checkLabels(p *problems, users map[string]map[string]bool, group *api.TaskGroup, task *api.Task) {
	exists := map[string]bool{}
	for _, network := range slices.Concat(task.Resources.Networks, group.Networks) {
		for _, port := range slices.Concat(network.ReservedPorts, network.DynamicPorts) {
			exists[port.Label] = true
		}
	}
	for _, label := range slices.Sorted(maps.Keys(users)) {
		if !exists[label] {
			services := slices.Sorted(maps.Keys(users[label]))
			p.add("port label %q referenced by services %s does not exist", label, strings.Join(services, ", "))
		}
	}
}
