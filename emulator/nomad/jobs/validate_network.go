package jobs

import (
	"strings"

	"github.com/hashicorp/nomad/api"
	"github.com/miekg/dns"
)

const maxPort = 65535

// portUse remembers which labels and static ports the parts of a group use.
type portUse struct {
	labels map[string]string         // who has a label
	static map[string]map[int]string // by host network: who has a port
}

func checkNetworks(p *problems, group *api.TaskGroup) {
	used := portUse{labels: map[string]string{}, static: map[string]map[int]string{}}
	var wrong problems
	for _, network := range group.Networks {
		checkNetwork(&wrong, used, network)
	}
	for _, task := range group.Tasks {
		for _, network := range task.Resources.Networks {
			checkTaskPorts(&wrong, used, task.Name, network)
		}
	}
	p.in(wrong, "Task group network validation failed: ")
}

func checkNetwork(p *problems, used portUse, network *api.NetworkResource) {
	const owner = "taskgroup network"
	for _, ports := range [][]api.Port{network.ReservedPorts, network.DynamicPorts} {
		for i := range ports {
			port := &ports[i]
			if before, ok := used.labels[port.Label]; ok {
				p.add("Port label %s already in use by %s", port.Label, before)
			} else {
				used.labels[port.Label] = owner
			}
			if port.Value != 0 {
				used.claim(p, port, owner+":"+port.Label)
			}
			checkMapping(p, port)
			p.when(port.IgnoreCollision && port.Value != 0 && network.Mode != "" && network.Mode != "host",
				"Port %q collision may not be ignored on non-host network mode %q", port.Label, network.Mode)
		}
	}
	if name := network.Hostname; name != "" && !strings.Contains(name, "${") {
		if _, ok := dns.IsDomainName(name); !ok {
			p.add("Hostname is not a valid DNS name")
		}
	}
}

func checkMapping(p *problems, port *api.Port) {
	if port.To < -1 {
		p.add("Port %q cannot be mapped to negative value %d", port.Label, port.To)
	} else if port.To > maxPort {
		p.add("Port %q cannot be mapped to a port (%d) greater than %d", port.Label, port.To, maxPort)
	}
}

// claim takes a static port for its owner.
func (u portUse) claim(p *problems, port *api.Port, owner string) {
	if port.Value > maxPort {
		p.add("Port %s (%d) cannot be greater than %d", port.Label, port.Value, maxPort)
		return
	}
	if u.static[port.HostNetwork] == nil {
		u.static[port.HostNetwork] = map[int]string{}
	}
	ports := u.static[port.HostNetwork]
	if before, ok := ports[port.Value]; ok && !port.IgnoreCollision {
		p.add("Static port %d already reserved by %s", port.Value, before)
	} else if !ok {
		ports[port.Value] = owner
	}
}

func checkTaskPorts(p *problems, used portUse, task string, network *api.NetworkResource) {
	for _, ports := range [][]api.Port{network.ReservedPorts, network.DynamicPorts} {
		for i := range ports {
			port := &ports[i]
			if before, ok := used.labels[port.Label]; ok {
				p.add("Port label %s already in use by %s", port.Label, before)
			}
			if port.Value != 0 {
				used.claim(p, port, task+":"+port.Label)
			}
		}
	}
}
