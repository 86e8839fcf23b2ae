package client

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// datacenter is the one of the node, unless the job names another.
const datacenter = "dc1"

// node is what jobs may know of this machine.
type node struct {
	id, name   string
	attributes map[string]string // what ${node.…}, ${attr.…} and ${meta.…} stand for
}

func thisNode(meta map[string]string) node {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "localhost"
	}
	n := node{id: uuid.NewString(), name: host}
	n.attributes = map[string]string{
		"node.unique.id": n.id, "node.unique.name": host, "node.datacenter": datacenter, "node.region": "global",
		"node.class": "", "node.pool": "default",
		"attr.kernel.name": runtime.GOOS, "attr.cpu.arch": runtime.GOARCH, "attr.cpu.numcores": strconv.Itoa(runtime.NumCPU()),
		"attr.unique.hostname": host, "attr.unique.network.ip-address": loopback,
	}
	for key, value := range meta {
		n.attributes["meta."+key] = value
	}
	return n
}

// environment is the environment of a task, and what references in its job file stand for.
type environment struct {
	vars map[string]string
	node map[string]string
}

// newEnvironment makes what all tasks of the allocation have in common.
func (a *allocation) newEnvironment() environment {
	e := environment{vars: map[string]string{}, node: a.n.node.attributes}
	for _, name := range inherited() {
		if value, ok := os.LookupEnv(name); ok {
			e.vars[name] = value
		}
	}
	dc := datacenter
	if names := a.job.Datacenters; len(names) > 0 && !strings.ContainsRune(names[0], '*') {
		dc = names[0]
	}
	maps.Copy(e.vars, map[string]string{
		"NOMAD_ALLOC_DIR": a.sharedDir(), "NOMAD_ALLOC_ID": a.id, "NOMAD_SHORT_ALLOC_ID": a.id[:8],
		"NOMAD_ALLOC_NAME": a.name, "NOMAD_ALLOC_INDEX": strconv.Itoa(a.index),
		"NOMAD_GROUP_NAME": *a.group.Name, "NOMAD_JOB_ID": *a.job.ID, "NOMAD_JOB_NAME": *a.job.Name,
		"NOMAD_NAMESPACE": *a.job.Namespace, "NOMAD_REGION": *a.job.Region, "NOMAD_DC": dc,
	})
	if parent := a.job.ParentID; parent != nil && *parent != "" {
		e.vars["NOMAD_JOB_PARENT_ID"] = *parent
	}
	for _, p := range a.ports {
		number := strconv.Itoa(p.number)
		maps.Copy(e.vars, map[string]string{
			"NOMAD_IP_" + p.label: loopback, "NOMAD_PORT_" + p.label: number, "NOMAD_ADDR_" + p.label: p.address(),
			"NOMAD_HOST_IP_" + p.label: loopback, "NOMAD_HOST_PORT_" + p.label: number, "NOMAD_HOST_ADDR_" + p.label: p.address(),
			"NOMAD_ALLOC_PORT_" + p.label: number,
		})
	}
	return e
}

// newEnvironment makes the environment of the task, without what its templates add.
func (t *task) newEnvironment() (environment, error) {
	e := t.alloc.newEnvironment()
	r := t.spec.Resources
	maps.Copy(e.vars, map[string]string{
		"NOMAD_TASK_NAME": t.spec.Name, "NOMAD_TASK_DIR": t.localDir(), "NOMAD_SECRETS_DIR": t.secretsDir(),
		"NOMAD_CPU_LIMIT": strconv.Itoa(*r.CPU), "NOMAD_MEMORY_LIMIT": strconv.Itoa(*r.MemoryMB),
	})
	if r.MemoryMaxMB != nil && *r.MemoryMaxMB > 0 {
		e.vars["NOMAD_MEMORY_MAX_LIMIT"] = strconv.Itoa(*r.MemoryMaxMB)
	}
	for _, level := range []map[string]string{t.alloc.job.Meta, t.alloc.group.Meta, t.spec.Meta} {
		for key, value := range level {
			value, err := e.interpolate(value)
			if err != nil {
				return environment{}, fmt.Errorf("meta %s: %w", key, err)
			}
			e.vars["NOMAD_META_"+key] = value
			e.vars["NOMAD_META_"+strings.ToUpper(key)] = value
		}
	}
	own := map[string]string{}
	for key, value := range t.spec.Env {
		value, err := e.interpolate(value)
		if err != nil {
			return environment{}, fmt.Errorf("env %s: %w", key, err)
		}
		own[key] = value
	}
	maps.Copy(e.vars, own)
	folders := slices.Clone(t.alloc.n.options.Path)
	if path := e.vars["PATH"]; path != "" {
		folders = append(folders, path)
	}
	e.vars["PATH"] = strings.Join(folders, string(filepath.ListSeparator))
	return e, nil
}

// with returns the environment with more variables.
func (e environment) with(more map[string]string) environment {
	if len(more) == 0 {
		return e
	}
	vars := maps.Clone(e.vars)
	maps.Copy(vars, more)
	return environment{vars: vars, node: e.node}
}

// list returns the environment as a process gets it, sorted. A character that no shell takes in a name becomes "_", as with
// Nomad: port "my-port" is NOMAD_PORT_my_port.
func (e environment) list() []string {
	list := make([]string, 0, len(e.vars))
	for name, value := range e.vars {
		list = append(list, strings.Map(inEnvName, name)+"="+value)
	}
	slices.Sort(list)
	return list
}

func inEnvName(c rune) rune {
	if c == '_' || c == '.' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
		return c
	}
	return '_'
}

// interpolate replaces each ${name} by what it stands for. One that nothing stands for stays as it is, as with Nomad, so
// that a shell may have it; but one in Nomad's own name spaces is a mistake, or not in this package, and an error.
func (e environment) interpolate(text string) (string, error) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			b.WriteString("${" + rest)
			return b.String(), nil
		}
		value, known := e.vars[name]
		if !known {
			value, known = e.node[name]
		}
		if !known {
			if isNomads(name) {
				return "", fmt.Errorf("${%s} stands for nothing here: correct the name, or give it a value", name)
			}
			value = "${" + name + "}"
		}
		b.WriteString(value)
		text = after
	}
}

func isNomads(name string) bool {
	for _, prefix := range []string{"NOMAD_", "node.", "attr.", "meta."} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
