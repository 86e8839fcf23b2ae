package jobs

import (
	"slices"

	"github.com/hashicorp/nomad/api"
)

const (
	minCPU          = 1
	minMemoryMB     = 10
	memoryUnlimited = -1
)

func checkResources(r *api.Resources) (p problems) {
	p.when(*r.Cores > 0 && *r.CPU > 0, "Task can only ask for 'cpu' or 'cores' resource, not both.")
	var minimums problems
	p.in(append(minimums, checkMinimums(r)...), "")
	for i, device := range r.Devices {
		p.in(checkDevice(device), "device %d failed validation: ", i+1)
	}
	checkNUMA(&p, r)
	memory, most, secrets := *r.MemoryMB, *r.MemoryMaxMB, *r.SecretsMB
	p.when(most != 0 && most != memoryUnlimited && most < memory,
		"MemoryMaxMB value (%d) should be larger than MemoryMB value (%d)", most, memory)
	p.when(secrets < 0, "SecretsMB value (%d) cannot be negative", secrets)
	p.when(secrets >= 0 && secrets > memory, "SecretsMB value (%d) cannot be larger than MemoryMB value (%d)", secrets, memory)
	return p
}

func checkMinimums(r *api.Resources) (p problems) {
	p.when(*r.Cores == 0 && *r.CPU < minCPU, "minimum CPU value is %d; got %d", minCPU, *r.CPU)
	p.when(*r.MemoryMB < minMemoryMB, "minimum MemoryMB value is %d; got %d", minMemoryMB, *r.MemoryMB)
	return p
}

func checkNUMA(p *problems, r *api.Resources) {
	if r.NUMA == nil {
		return
	}
	for _, wanted := range r.NUMA.Devices {
		if !slices.ContainsFunc(r.Devices, func(d *api.RequestedDevice) bool { return d.Name == wanted }) {
			p.add("numa device %q not requested as task resource", wanted)
		}
	}
	switch r.NUMA.Affinity {
	case numaNone, "prefer", "require":
	default:
		p.add("numa affinity must be one of none, prefer, or require")
	}
}

func checkDevice(device *api.RequestedDevice) (p problems) {
	p.when(device.Name == "", "device name must be given as one of the following: type, vendor/type, or vendor/type/name")
	for i, c := range device.Constraints {
		if isDistinct(c) {
			p.add("Constraint %d validation failed: using unsupported operand %q", i+1, c.Operand)
			continue
		}
		var wrong problems
		checkConstraint(&wrong, c)
		p.in(wrong, "Constraint %d validation failed: ", i+1)
	}
	for i, a := range device.Affinities {
		var wrong problems
		checkAffinity(&wrong, a)
		p.in(wrong, "Affinity %d validation failed: ", i+1)
	}
	return p
}
