package services

import (
	"strconv"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
)

// The address modes of services and checks.
const (
	modeAuto   = "auto"
	modeHost   = "host"
	modeDriver = "driver"
	modeAlloc  = "alloc"
)

// places are where an allocation and a task of it can be reached.
type places struct {
	node    string // the address of the machine
	inside  string // that of the allocation's own network; empty without one
	ports   []api.PortMapping
	network *driver.Network // the task's own; nil without one
}

func placesOf(alloc *api.Allocation, node *api.Node, network *driver.Network) places {
	p := places{node: node.Attributes["unique.network.ip-address"], network: network}
	if alloc.AllocatedResources != nil {
		p.ports = alloc.AllocatedResources.Shared.Ports
	}
	if alloc.NetworkStatus != nil {
		p.inside = alloc.NetworkStatus.Address
	}
	return p
}

// find is where the port with a label is reached; without a label, a place
// without a port. A mode whose network is not there is that of the machine.
func (p places) find(mode, label string) endpoint {
	switch {
	case mode == modeDriver && p.network != nil, mode == modeAuto && p.network != nil && p.network.AutoAdvertise:
		return endpoint{address: p.network.IP, port: p.driverPort(label)}
	case mode == modeAlloc && p.inside != "":
		return endpoint{address: p.inside, port: p.insidePort(label)}
	case label == "":
		return endpoint{}
	}
	if mapping := p.mapping(label); mapping != nil {
		return endpoint{address: mapping.HostIP, port: mapping.Value}
	}
	return endpoint{address: p.node, port: number(label)}
}

func (p places) mapping(label string) *api.PortMapping {
	for i := range p.ports {
		if p.ports[i].Label == label {
			return &p.ports[i]
		}
	}
	return nil
}

func (p places) driverPort(label string) int {
	if port, ok := p.network.PortMap[label]; ok {
		return port
	}
	return p.insidePort(label)
}

func (p places) insidePort(label string) int {
	mapping := p.mapping(label)
	switch {
	case mapping == nil:
		return number(label)
	case mapping.To > 0:
		return mapping.To
	}
	return mapping.Value
}

// number is the port that a label names by its number; 0 for any other.
func number(label string) int {
	port, err := strconv.ParseUint(label, 10, 16)
	if err != nil {
		return 0
	}
	return int(port)
}
