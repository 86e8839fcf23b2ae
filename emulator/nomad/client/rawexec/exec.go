package rawexec

import (
	"fmt"

	"github.com/zclconf/go-cty/cty"

	"github.com/drydock/drydock/emulator/nomad/client/cgroup"
	"github.com/drydock/drydock/emulator/nomad/client/driver"
	"github.com/drydock/drydock/emulator/nomad/client/process"
)

// NewExec is the driver exec, whose processes the starter starts. Where the
// machine allows it they are under limits of memory and CPU; they always see the
// machine's own files, unlike those of Nomad.
func NewExec(starter *process.Starter) *Driver {
	d := &Driver{name: "exec", starter: starter, schema: schema(map[string]cty.Type{
		"pid_mode": cty.String, "ipc_mode": cty.String,
		"cap_add": cty.List(cty.String), "cap_drop": cty.List(cty.String),
	})}
	d.limits, d.unlimited = cgroup.Find()
	return d
}

// fingerprintExec says whether tasks are limited.
func (d *Driver) fingerprintExec() driver.Fingerprint {
	f := driver.Fingerprint{
		Detected: true, Healthy: true, Description: "Healthy", Attributes: map[string]string{"driver.exec.limits": "memory,cpu"},
	}
	if d.unlimited != nil {
		f.Description = fmt.Sprintf("Healthy, but tasks are not limited: %v", d.unlimited)
		f.Attributes["driver.exec.limits"] = "none"
	}
	return f
}

// confine makes the group that limits a task; nil without limits.
func (d *Driver) confine(task driver.Task) (*cgroup.Group, error) {
	if d.limits == nil {
		return nil, nil
	}
	memory := max(task.Resources.Memory.MemoryMB, task.Resources.Memory.MemoryMaxMB)
	return d.limits.Make(task.ID, cgroup.Limits{MemoryBytes: memory << 20, CPUShares: task.Resources.Cpu.CpuShares})
}
