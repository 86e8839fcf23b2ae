// Package rawexec is the drivers raw_exec and exec: their tasks are programs of
// this machine, each in a process group of its own. Nodes of the emulator have
// them.
package rawexec

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/zclconf/go-cty/cty"

	"github.com/drydock/drydock/emulator/nomad/client/cgroup"
	"github.com/drydock/drydock/emulator/nomad/client/driver"
	"github.com/drydock/drydock/emulator/nomad/client/environment"
	"github.com/drydock/drydock/emulator/nomad/client/process"
)

// Driver is the driver raw_exec, or exec.
type Driver struct {
	name    string
	starter *process.Starter
	schema  hcldec.ObjectSpec

	limits    *cgroup.Hierarchy // nil for raw_exec, and where there are none
	unlimited error             // why there are none
	isolated  bool              // tasks have a view of the files of their own
	shared    error             // why they have not
}

// NewRaw is the driver raw_exec, whose processes the starter starts.
func NewRaw(starter *process.Starter) *Driver {
	return &Driver{name: "raw_exec", starter: starter, schema: schema(map[string]cty.Type{
		"cgroup_v2_override": cty.String, "cgroup_v1_override": cty.List(cty.Map(cty.String)),
		"oom_score_adj": cty.Number, "denied_envvars": cty.List(cty.String),
	})}
}

func schema(own map[string]cty.Type) hcldec.ObjectSpec {
	s := hcldec.ObjectSpec{
		"command":  &hcldec.AttrSpec{Name: "command", Type: cty.String, Required: true},
		"args":     &hcldec.AttrSpec{Name: "args", Type: cty.List(cty.String)},
		"work_dir": &hcldec.AttrSpec{Name: "work_dir", Type: cty.String},
	}
	for name, kind := range own {
		s[name] = &hcldec.AttrSpec{Name: name, Type: kind}
	}
	return s
}

// Name is raw_exec or exec.
func (d *Driver) Name() string { return d.name }

// Fingerprint is that of a driver which always works, and says of exec whether
// its tasks are limited.
func (d *Driver) Fingerprint(context.Context) driver.Fingerprint {
	if d.name == "exec" {
		return d.fingerprintExec()
	}
	return driver.Fingerprint{Detected: true, Healthy: true, Description: "Healthy"}
}

// Capabilities says whether tasks see the machine as it is.
func (d *Driver) Capabilities() driver.Capabilities {
	return driver.Capabilities{Isolated: d.isolated}
}

// Schema is the config block.
func (d *Driver) Schema() hcldec.Spec { return d.schema }

// config is the config block.
type config struct {
	Command       string   `json:"command"`
	Args          []string `json:"args"`
	WorkDir       string   `json:"work_dir"`
	DeniedEnvvars []string `json:"denied_envvars"`
}

// Start starts the program.
func (d *Driver) Start(_ context.Context, task driver.Task) (driver.Handle, error) {
	var c config
	if err := json.Unmarshal(task.Config, &c); err != nil {
		return nil, fmt.Errorf("failed to decode driver config: %w", err)
	}
	task.Env = maps.Clone(task.Env)
	for _, name := range c.DeniedEnvvars {
		delete(task.Env, name)
	}
	d.settle(&task)
	path, err := d.find(c.Command, task)
	if err != nil {
		return nil, launchError(err)
	}
	credential, err := credentialOf(task.User)
	if err != nil {
		return nil, launchError(err)
	}
	command := process.Command{
		Path: path, Args: c.Args, Dir: d.workDir(task), Env: environment.List(task.Env),
		Stdout: task.Stdout, Stderr: task.Stderr, Credential: credential,
	}
	if c.WorkDir != "" {
		command.Dir = c.WorkDir
	}
	group, err := d.limit(task)
	if err != nil {
		return nil, launchError(err)
	}
	command.Confine = confineAll(group.confine, d.isolate(task))
	p, err := d.starter.Start(command)
	if err != nil {
		if group != nil {
			err = errors.Join(err, group.Remove())
		}
		return nil, launchError(err)
	}
	return newHandle(d, p, group, command, task), nil
}

// launchError words an error as Nomad does, whose executor is another program.
func launchError(err error) error {
	return fmt.Errorf("failed to launch command with executor: rpc error: code = Unknown desc = %w", err)
}

// findProgram looks for a program in the task directory, then in the folders of
// path.
func findProgram(name, taskDir, path string) (string, error) {
	folders := []string{filepath.Join(taskDir, "local"), taskDir}
	switch {
	case filepath.IsAbs(name):
		folders = []string{""}
	case filepath.Base(name) == name:
		folders = append(folders, filepath.SplitList(path)...)
	}
	for _, folder := range folders {
		file := filepath.Join(folder, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return file, nil
		}
	}
	return "", fmt.Errorf("binary %q could not be found", name)
}
