package state

import "github.com/hashicorp/nomad/api"

// Amount is how much of a node something takes: CPU in MHz, memory and disk in MB.
type Amount struct{ CPU, MemoryMB, MemoryMaxMB, DiskMB int64 }

// Plus is the sum of both.
func (a Amount) Plus(b Amount) Amount {
	return Amount{a.CPU + b.CPU, a.MemoryMB + b.MemoryMB, a.MemoryMaxMB + b.MemoryMaxMB, a.DiskMB + b.DiskMB}
}

// Minus is what is left of a without b.
func (a Amount) Minus(b Amount) Amount {
	return Amount{a.CPU - b.CPU, a.MemoryMB - b.MemoryMB, a.MemoryMaxMB - b.MemoryMaxMB, a.DiskMB - b.DiskMB}
}

// orMore is the larger of both in each respect.
func (a Amount) orMore(b Amount) Amount {
	return Amount{max(a.CPU, b.CPU), max(a.MemoryMB, b.MemoryMB), max(a.MemoryMaxMB, b.MemoryMaxMB), max(a.DiskMB, b.DiskMB)}
}

// AmountOf is how much an instance of a group takes at any time of its life:
// tasks that run before or after the main ones do not run beside them. With
// nil for a group all tasks run beside each other.
func AmountOf(group *api.TaskGroup, allocated *api.AllocatedResources) Amount {
	var always, before, main, after Amount
	for name, task := range allocated.Tasks {
		phase := &main
		switch hook, sidecar := lifecycle(group, name); {
		case hook == api.TaskLifecycleHookPrestart && sidecar:
			phase = &always
		case hook == api.TaskLifecycleHookPrestart:
			phase = &before
		case hook == api.TaskLifecycleHookPoststop:
			phase = &after
		}
		*phase = phase.Plus(amountOfTask(task))
	}
	total := always.Plus(before.orMore(main).orMore(after))
	total.DiskMB += allocated.Shared.DiskMB
	return total
}

func amountOfTask(task *api.AllocatedTaskResources) Amount {
	return Amount{
		CPU:         task.Cpu.CpuShares,
		MemoryMB:    task.Memory.MemoryMB,
		MemoryMaxMB: max(task.Memory.MemoryMB, task.Memory.MemoryMaxMB),
	}
}

func lifecycle(group *api.TaskGroup, name string) (hook string, sidecar bool) {
	if group == nil {
		return "", false
	}
	for _, task := range group.Tasks {
		if task.Name == name && task.Lifecycle != nil {
			return task.Lifecycle.Hook, task.Lifecycle.Sidecar
		}
	}
	return "", false
}
