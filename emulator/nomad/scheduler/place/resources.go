package place

import (
	"github.com/hashicorp/nomad/api"
)

// allocate makes what an instance of the group gets of what a node offers: nil
// for cores or an offer is none.
func (s *Selector) allocate(g *group, cores map[string][]uint16, offer *offer) *api.AllocatedResources {
	allocated := &api.AllocatedResources{Tasks: make(map[string]*api.AllocatedTaskResources, len(g.Tasks))}
	if g.EphemeralDisk != nil && g.EphemeralDisk.SizeMB != nil {
		allocated.Shared.DiskMB = int64(*g.EphemeralDisk.SizeMB)
	}
	for _, task := range g.Tasks {
		given := &api.AllocatedTaskResources{
			Cpu:    api.AllocatedCpuResources{CpuShares: int64(*task.Resources.CPU)},
			Memory: api.AllocatedMemoryResources{MemoryMB: int64(*task.Resources.MemoryMB)},
		}
		if limit := task.Resources.MemoryMaxMB; limit != nil && s.config.MemoryOversubscriptionEnabled {
			given.Memory.MemoryMaxMB = int64(*limit)
		}
		if reserved := cores[task.Name]; reserved != nil {
			given.Cpu.CpuShares = int64(len(reserved)) * offer.coreMHz
		}
		if offer != nil {
			given.Networks, given.Devices = offer.networks.byTask[task.Name], offer.devices.byTask[task.Name]
		}
		allocated.Tasks[task.Name] = given
	}
	if offer != nil {
		allocated.Shared.Networks, allocated.Shared.Ports = offer.networks.group, offer.networks.ports
	}
	return allocated
}

// placement is an offer in the forms in which allocations have it.
func (s *Selector) placement(o *offer) *Placement {
	p := &Placement{
		Node: o.node, Allocated: s.allocate(o.group, o.cores, o), Cores: o.cores, Preempted: o.preempted,
		TaskResources: make(map[string]*api.Resources, len(o.group.Tasks)), Resources: newResources(),
	}
	for _, task := range o.group.Tasks {
		given := p.Allocated.Tasks[task.Name]
		shown := newResources()
		shown.CPU, shown.Cores = new(int(given.Cpu.CpuShares)), new(len(o.cores[task.Name]))
		shown.MemoryMB, shown.MemoryMaxMB = new(int(given.Memory.MemoryMB)), new(int(given.Memory.MemoryMaxMB))
		shown.Networks = given.Networks
		p.TaskResources[task.Name] = shown
		*p.Resources.Cores += *shown.Cores
		p.Resources.Networks = append(p.Resources.Networks, given.Networks...)
	}
	p.Resources.Networks = append(p.Resources.Networks, p.Allocated.Shared.Networks...)
	p.Resources.CPU, p.Resources.DiskMB = new(int(o.amount.CPU)), new(int(o.amount.DiskMB))
	p.Resources.MemoryMB, p.Resources.MemoryMaxMB = new(int(o.amount.MemoryMB)), new(int(o.amount.MemoryMaxMB))
	return p
}

// newResources are resources of which nothing is asked, as answers show them.
func newResources() *api.Resources {
	return &api.Resources{
		CPU: new(0), Cores: new(0), MemoryMB: new(0), MemoryMaxMB: new(0), DiskMB: new(0), IOPS: new(0), SecretsMB: new(0),
	}
}
