package client

import (
	"maps"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/nomad/api"

	taskenv "github.com/drydock/drydock/emulator/nomad/client/environment"
)

// parentCgroup is what NOMAD_PARENT_CGROUP says, as Nomad has it unless told otherwise.
const parentCgroup = "nomad.slice"

// nodeReferences are what ${node.…}, ${attr.…} and ${meta.…} stand for.
func nodeReferences(node *api.Node, region string) map[string]string {
	references := map[string]string{
		"node.unique.id": node.ID, "node.unique.name": node.Name, "node.datacenter": node.Datacenter,
		"node.region": region, "node.class": node.NodeClass, "node.pool": node.NodePool,
	}
	for key, value := range node.Attributes {
		references["attr."+key] = value
	}
	for key, value := range node.Meta {
		references["meta."+key] = value
	}
	return references
}

// groupEnvironment is what all tasks of an allocation have in common.
func groupEnvironment(alloc *api.Allocation, group *api.TaskGroup, datacenter string, references map[string]string) taskenv.Env {
	job := alloc.Job
	vars := map[string]string{
		"NOMAD_ALLOC_ID": alloc.ID, "NOMAD_SHORT_ALLOC_ID": alloc.ID[:min(8, len(alloc.ID))],
		"NOMAD_ALLOC_NAME": alloc.Name, "NOMAD_ALLOC_INDEX": allocIndex(alloc.Name),
		"NOMAD_GROUP_NAME": *group.Name, "NOMAD_JOB_ID": *job.ID, "NOMAD_JOB_NAME": *job.Name,
		"NOMAD_NAMESPACE": alloc.Namespace, "NOMAD_REGION": *job.Region, "NOMAD_DC": datacenter,
	}
	if job.ParentID != nil && *job.ParentID != "" {
		vars["NOMAD_JOB_PARENT_ID"] = *job.ParentID
	}
	for _, p := range allocatedPorts(alloc) {
		addPort(vars, p)
	}
	return taskenv.New(vars, references)
}

// allocIndex is the number in the name of an allocation, <job>.<group>[<number>].
func allocIndex(name string) string {
	open := strings.LastIndexByte(name, '[')
	if open < 0 || !strings.HasSuffix(name, "]") {
		return ""
	}
	return name[open+1 : len(name)-1]
}

// allocatedPorts are the ports of the whole allocation.
func allocatedPorts(alloc *api.Allocation) []api.PortMapping {
	if alloc.AllocatedResources == nil {
		return nil
	}
	return alloc.AllocatedResources.Shared.Ports
}

func addPort(vars map[string]string, p api.PortMapping) {
	host := strconv.Itoa(p.Value)
	inside := host
	if p.To > 0 {
		inside = strconv.Itoa(p.To)
	}
	maps.Copy(vars, map[string]string{
		"NOMAD_IP_" + p.Label: p.HostIP, "NOMAD_PORT_" + p.Label: inside,
		"NOMAD_ADDR_" + p.Label:    net.JoinHostPort(p.HostIP, host),
		"NOMAD_HOST_IP_" + p.Label: p.HostIP, "NOMAD_HOST_PORT_" + p.Label: host,
		"NOMAD_HOST_ADDR_" + p.Label:  net.JoinHostPort(p.HostIP, host),
		"NOMAD_ALLOC_PORT_" + p.Label: inside,
	})
}

// taskEnvironment is the environment of a task, but for what identities and
// templates add to it.
func taskEnvironment(group taskenv.Env, alloc *api.Allocation, spec *api.Task, paths, here taskPaths) taskenv.Env {
	vars := map[string]string{}
	if paths == here {
		maps.Copy(vars, inheritedVariables())
	}
	maps.Copy(vars, map[string]string{
		"NOMAD_TASK_NAME": spec.Name, "NOMAD_PARENT_CGROUP": parentCgroup,
	})
	maps.Copy(vars, paths.variables())
	addResources(vars, alloc, spec)
	base := group.With(vars)
	if paths != here {
		base = base.WithFolders(here.variables())
	}
	own := map[string]string{}
	for _, level := range []map[string]string{alloc.Job.Meta, groupOf(alloc).Meta, spec.Meta} {
		for key, value := range level {
			value = base.Interpolate(value)
			own["NOMAD_META_"+key] = value
			own["NOMAD_META_"+strings.ToUpper(key)] = value
		}
	}
	base = base.With(own)
	given := make(map[string]string, len(spec.Env))
	for key, value := range spec.Env {
		given[base.Interpolate(key)] = base.Interpolate(value)
	}
	return base.With(given)
}

// taskPaths are the folders of a task as it sees them.
type taskPaths struct{ alloc, local, secrets string }

func (p taskPaths) variables() map[string]string {
	return map[string]string{"NOMAD_ALLOC_DIR": p.alloc, "NOMAD_TASK_DIR": p.local, "NOMAD_SECRETS_DIR": p.secrets}
}

// noCores is how Nomad shows that a task has no cores to itself.
const noCores = " "

func addResources(vars map[string]string, alloc *api.Allocation, spec *api.Task) {
	r := taskResources(alloc, spec.Name)
	vars["NOMAD_CPU_LIMIT"] = strconv.FormatInt(r.Cpu.CpuShares, 10)
	vars["NOMAD_MEMORY_LIMIT"] = strconv.FormatInt(r.Memory.MemoryMB, 10)
	vars["NOMAD_CPU_CORES"] = noCores
	if spec.Resources != nil && spec.Resources.Cores != nil && *spec.Resources.Cores > 0 {
		vars["NOMAD_CPU_CORES"] = coreRange(*spec.Resources.Cores)
	}
	if r.Memory.MemoryMaxMB > r.Memory.MemoryMB {
		vars["NOMAD_MEMORY_MAX_LIMIT"] = strconv.FormatInt(r.Memory.MemoryMaxMB, 10)
	}
}

// coreRange names the first cores: which ones they are the servers do not say.
func coreRange(cores int) string {
	if cores == 1 {
		return "0"
	}
	return "0-" + strconv.Itoa(min(cores, runtime.NumCPU())-1)
}

// taskResources are what a task was given; nothing at all when the servers did not say.
func taskResources(alloc *api.Allocation, task string) *api.AllocatedTaskResources {
	if alloc.AllocatedResources != nil && alloc.AllocatedResources.Tasks[task] != nil {
		return alloc.AllocatedResources.Tasks[task]
	}
	return &api.AllocatedTaskResources{}
}

// inherited is what a task gets of the owner's environment. It is a list of what is harmless, where Nomad has one of what is
// not (its env.denylist): the credentials of a developer must not reach a task by being new.
func inherited() []string {
	return []string{"HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "TMPDIR", "TZ", "USER"}
}

// inheritedVariables are what a task gets of the owner's environment.
func inheritedVariables() map[string]string {
	vars := map[string]string{}
	for _, name := range inherited() {
		if value, ok := os.LookupEnv(name); ok {
			vars[name] = value
		}
	}
	return vars
}

// searchPath puts folders before those of an environment's PATH.
func searchPath(first []string, path string) string {
	folders := slices.Clone(first)
	if path != "" {
		folders = append(folders, path)
	}
	return strings.Join(folders, string(filepath.ListSeparator))
}

// isolatedPaths are the folders of a task that sees nothing else.
func isolatedPaths() taskPaths {
	return taskPaths{alloc: "/alloc", local: "/local", secrets: "/secrets"}
}

// groupOf is the group of an allocation in its job; the servers send no other.
func groupOf(alloc *api.Allocation) *api.TaskGroup {
	for _, group := range alloc.Job.TaskGroups {
		if *group.Name == alloc.TaskGroup {
			return group
		}
	}
	return nil
}
