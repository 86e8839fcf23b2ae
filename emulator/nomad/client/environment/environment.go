// Package environment is what a task finds in its environment, and what the
// references ${…} in its job stand for. The node builds it; drivers, templates
// and services interpolate with it.
package environment

import (
	"maps"
	"slices"
	"strings"
)

// Env is the environment of a task or a group. It does not change.
type Env struct {
	vars    map[string]string
	node    map[string]string
	folders map[string]string
}

// New makes an environment of variables, and of what is known of the node by
// the whole names node.…, attr.… and meta.…. Neither map is to be changed after.
func New(vars, node map[string]string) Env { return Env{vars: vars, node: node} }

// Get is the value of a variable.
func (e Env) Get(name string) (string, bool) {
	value, ok := e.vars[name]
	return value, ok
}

// Reference is what is known of the node by a whole name, such as
// attr.kernel.name.
func (e Env) Reference(name string) (string, bool) {
	value, ok := e.node[name]
	return value, ok
}

// Map is a copy of the variables.
func (e Env) Map() map[string]string { return maps.Clone(e.vars) }

// With returns the environment with more variables, which go first.
func (e Env) With(more map[string]string) Env {
	if len(more) == 0 {
		return e
	}
	vars := maps.Clone(e.vars)
	if vars == nil {
		vars = map[string]string{}
	}
	maps.Copy(vars, more)
	return Env{vars: vars, node: e.node, folders: e.folders}
}

// WithFolders returns the environment of a task that sees its folders elsewhere
// than this machine: what variables such as NOMAD_TASK_DIR are here, for
// InterpolatePath.
func (e Env) WithFolders(here map[string]string) Env {
	e.folders = here
	return e
}

// InterpolatePath is Interpolate for a path that the node itself uses: the
// task's folders are where this machine has them.
func (e Env) InterpolatePath(path string) string { return e.With(e.folders).Interpolate(path) }

// List is the environment as a process gets it, NAME=value, sorted. A character
// that no shell takes in a name is "_".
func List(vars map[string]string) []string {
	list := make([]string, 0, len(vars))
	for name, value := range vars {
		list = append(list, strings.Map(inName, name)+"="+value)
	}
	slices.Sort(list)
	return list
}

func inName(c rune) rune {
	if c == '_' || c == '.' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
		return c
	}
	return '_'
}

// Interpolate replaces each ${name} by what it stands for: a variable, or
// something of the node. One that stands for nothing stays as it is.
func (e Env) Interpolate(text string) string {
	if !strings.Contains(text, "${") {
		return text
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			b.WriteString("${" + rest)
			return b.String()
		}
		if value, known := e.lookUp(name); known {
			b.WriteString(value)
		} else {
			b.WriteString("${" + name + "}")
		}
		text = after
	}
}

func (e Env) lookUp(name string) (string, bool) {
	if value, known := e.vars[strings.TrimPrefix(name, "env.")]; known {
		return value, true
	}
	value, known := e.node[name]
	return value, known
}
