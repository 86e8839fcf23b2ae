package rawexec

import (
	"fmt"
	"strings"
	"syscall"

	"github.com/zclconf/go-cty/cty"

	"github.com/drydock/drydock/emulator/nomad/client/cgroup"
	"github.com/drydock/drydock/emulator/nomad/client/driver"
	"github.com/drydock/drydock/emulator/nomad/client/process"
)

// What an isolated task is given that says nothing of it.
const (
	isolatedUser = "nobody"
	isolatedPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
)

// NewExec is the driver exec, whose processes the starter starts. Where the
// machine allows it they see no files but the system's and their own, and are
// under limits of memory and CPU; the driver's fingerprint says where not. They
// see the machine's other processes, unlike those of Nomad.
func NewExec(starter *process.Starter) *Driver {
	d := &Driver{name: "exec", starter: starter, schema: schema(map[string]cty.Type{
		"pid_mode": cty.String, "ipc_mode": cty.String,
		"cap_add": cty.List(cty.String), "cap_drop": cty.List(cty.String),
	})}
	d.limits, d.unlimited = cgroup.Find()
	d.shared = canIsolate()
	d.isolated = d.shared == nil
	return d
}

// fingerprintExec says whether tasks are isolated and limited.
func (d *Driver) fingerprintExec() driver.Fingerprint {
	f := driver.Fingerprint{Detected: true, Healthy: true, Description: "Healthy", Attributes: map[string]string{
		"driver.exec.limits": "memory,cpu", "driver.exec.isolation": "files",
	}}
	var missing []string
	if d.shared != nil {
		missing = append(missing, fmt.Sprintf("tasks are not isolated (%v)", d.shared))
		f.Attributes["driver.exec.isolation"] = "none"
	}
	if d.unlimited != nil {
		missing = append(missing, fmt.Sprintf("tasks are not limited (%v)", d.unlimited))
		f.Attributes["driver.exec.limits"] = "none"
	}
	if len(missing) > 0 {
		f.Description = "Healthy, but " + strings.Join(missing, ", ")
	}
	return f
}

// settle gives an isolated task the user and the variables that it has of its
// own in Nomad as well.
func (d *Driver) settle(task *driver.Task) {
	if !d.isolated {
		return
	}
	if task.User == "" {
		task.User = isolatedUser
	}
	for name, value := range map[string]string{"PATH": isolatedPath, "USER": task.User, "LOGNAME": task.User, "HOME": homeOf(task.User)} {
		if task.Env[name] == "" {
			task.Env[name] = value
		}
	}
	task.Path = task.Env["PATH"]
}

// find finds a program as the task sees it.
func (d *Driver) find(name string, task driver.Task) (string, error) {
	if d.isolated {
		return findIsolated(name, task.Dir.Root, task.Path)
	}
	return findProgram(name, task.Dir.Root, task.Path)
}

func (d *Driver) workDir(task driver.Task) string {
	if d.isolated {
		return "/"
	}
	return task.Dir.Root
}

func (d *Driver) isolate(task driver.Task) confinement {
	if d.isolated {
		return isolate(task)
	}
	return nil
}

// group is what limits a task; nil without limits.
type group struct{ *cgroup.Group }

// limit makes the group that limits a task.
func (d *Driver) limit(task driver.Task) (*group, error) {
	if d.limits == nil {
		return nil, nil
	}
	memory := max(task.Resources.Memory.MemoryMB, task.Resources.Memory.MemoryMaxMB)
	g, err := d.limits.Make(task.ID, cgroup.Limits{MemoryBytes: memory << 20, CPUShares: task.Resources.Cpu.CpuShares})
	if err != nil {
		return nil, err
	}
	return &group{g}, nil
}

func (g *group) confine(attr *syscall.SysProcAttr) (restore func() error, err error) {
	if g == nil {
		return func() error { return nil }, nil
	}
	return g.Confine(attr)
}
