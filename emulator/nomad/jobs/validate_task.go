package jobs

import (
	"regexp"
	"strings"
	"sync"

	"github.com/hashicorp/nomad/api"
)

// Hooks, and kinds of tasks that the servers add.
const (
	hookPrestart  = api.TaskLifecycleHookPrestart
	hookPoststart = api.TaskLifecycleHookPoststart
	hookPoststop  = api.TaskLifecycleHookPoststop

	kindConnectProxy = "connect-proxy:"
)

func checkTask(p *problems, jobType string, group *api.TaskGroup, task *api.Task) {
	checkTaskName(p, task.Name)
	p.when(task.Driver == "", "Missing task driver")
	checkStop(p, group, task)
	p.in(checkResources(task.Resources), "")
	p.in(checkLogs(group, task.LogConfig), "")
	checkTaskConstraints(p, task.Constraints)
	checkAffinities(p, jobType, task.Affinities)
	p.in(checkTaskServices(group, task), "")
	checkArtifacts(p, task.Artifacts)
	checkVault(p, task.Vault)
	checkTemplates(p, task.Templates)
	checkActions(p, task.Actions)
	if d := task.DispatchPayload; d != nil && escapes("task/local", d.File) {
		p.add("Dispatch Payload validation failed: destination escapes allocation directory")
	}
	checkLifecycle(p, task.Lifecycle)
	checkKind(p, group, task)
	checkMounts(p, group, task.VolumeMounts)
	checkCSIPlugin(p, task.CSIPluginConfig)
	checkIdentities(p, task)
	checkSecrets(p, task)
}

func checkTaskName(p *problems, name string) {
	switch {
	case name == "":
		p.add("Missing task name")
	case strings.ContainsAny(name, `/\`):
		p.add("Task name cannot include slashes")
	case strings.Contains(name, "\x00"):
		p.add("Task name cannot include null characters")
	case name == "alloc":
		p.add("Task cannot be named \"alloc\"")
	}
}

func checkStop(p *problems, group *api.TaskGroup, task *api.Task) {
	timeout := *task.KillTimeout
	if timeout < 0 {
		p.add("KillTimeout must be a positive value")
	} else if u := group.Update; u != nil && *u.ProgressDeadline > 0 && timeout > *u.ProgressDeadline {
		p.add("KillTimout (%s) longer than the group's ProgressDeadline (%s)", timeout, *u.ProgressDeadline)
	}
	p.when(task.ShutdownDelay < 0, "ShutdownDelay must be a positive value")
}

func checkLogs(group *api.TaskGroup, logs *api.LogConfig) (p problems) {
	files, size, disk := *logs.MaxFiles, *logs.MaxFileSizeMB, *group.EphemeralDisk.SizeMB
	p.when(files < 1, "minimum number of files is 1; got %d", files)
	p.when(size < 1, "minimum file size is 1MB; got %d", size)
	p.when(len(p) == 0 && files*size >= disk,
		"log storage (%d MB) must be less than requested disk capacity (%d MB)", files*size, disk)
	return p
}

// checkTaskConstraints checks the constraints of a task, which cannot be about
// the other allocations.
func checkTaskConstraints(p *problems, constraints []*api.Constraint) {
	checkConstraints(p, constraints)
	for i, c := range constraints {
		p.when(isDistinct(c), "Constraint %d has disallowed Operand at task level: %s", i+1, c.Operand)
	}
}

func isDistinct(c *api.Constraint) bool {
	return c.Operand == api.ConstraintDistinctHosts || c.Operand == api.ConstraintDistinctProperty
}

var actionName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z0-9-]{1,128}$`) })

func checkActions(p *problems, actions []*api.Action) {
	seen := map[string]bool{}
	for _, action := range actions {
		var wrong problems
		wrong.when(action.Command == "", "command cannot be empty")
		wrong.when(!actionName().MatchString(action.Name), "invalid name '%s'", action.Name)
		p.in(wrong, "Action %s validation failed: ", action.Name)
		p.when(seen[action.Name], "Action %s defined multiple times", action.Name)
		seen[action.Name] = true
	}
}

func checkLifecycle(p *problems, l *api.TaskLifecycle) {
	if l == nil {
		return
	}
	switch l.Hook {
	case hookPrestart, hookPoststart, hookPoststop:
	case "":
		p.add("Lifecycle validation failed: no lifecycle hook provided")
	default:
		p.add("Lifecycle validation failed: invalid hook: %s", l.Hook)
	}
}

// checkKind checks that a proxy has a service to connect.
func checkKind(p *problems, group *api.TaskGroup, task *api.Task) {
	wanted, ok := strings.CutPrefix(task.Kind, kindConnectProxy)
	if !ok {
		return
	}
	connected := false
	for _, service := range group.Services {
		if service.Connect != nil {
			connected = true
			if service.Name == wanted {
				return
			}
		}
	}
	if connected {
		p.add("Connect proxy service name not found in services from task group (%q)", wanted)
	} else {
		p.add("No Connect services in task group with Connect proxy (%q)", wanted)
	}
}

func checkCSIPlugin(p *problems, plugin *api.TaskCSIPluginConfig) {
	if plugin == nil {
		return
	}
	p.when(plugin.ID == "", "CSIPluginConfig must have a non-empty PluginID")
	switch plugin.Type {
	case api.CSIPluginTypeNode, api.CSIPluginTypeController, api.CSIPluginTypeMonolith:
	default:
		p.add("CSIPluginConfig PluginType must be one of 'node', 'controller', or 'monolith', got: %q", plugin.Type)
	}
}
