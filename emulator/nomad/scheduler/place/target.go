package place

import (
	"strings"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// value is what a target is on a node: a text, or nothing.
type value struct {
	text string
	set  bool
}

// target is one side of a constraint: a fixed text, or something about a node.
type target struct {
	of      func(*state.Node) value
	fixed   bool
	escapes bool // it is unique to a node: computed classes say nothing about it
}

// parseTarget reads "${attr.kernel.name}", or a text that stands for itself.
func parseTarget(text string) target {
	name, is := strings.CutPrefix(text, "${")
	if !is {
		return target{of: func(*state.Node) value { return value{text, true} }, fixed: true}
	}
	name = strings.TrimSuffix(name, "}")
	scope, key, _ := strings.Cut(name, ".")
	return target{of: lookup(scope, key), escapes: strings.HasPrefix(key, "unique.")}
}

func lookup(scope, key string) func(*state.Node) value {
	switch scope {
	case "attr":
		return func(n *state.Node) value { return entry(n.Attributes, key) }
	case "meta":
		return func(n *state.Node) value { return entry(n.Meta, key) }
	case "node":
		if field := nodeField(key); field != nil {
			return func(n *state.Node) value { return value{field(n), true} }
		}
	}
	return func(*state.Node) value { return value{} }
}

func entry(of map[string]string, key string) value {
	text, set := of[key]
	return value{text, set}
}

func nodeField(key string) func(*state.Node) string {
	switch key {
	case "unique.id":
		return func(n *state.Node) string { return n.ID }
	case "unique.name":
		return func(n *state.Node) string { return n.Name }
	case "datacenter":
		return func(n *state.Node) string { return n.Datacenter }
	case "class":
		return func(n *state.Node) string { return n.NodeClass }
	case "pool":
		return func(n *state.Node) string { return n.NodePool }
	}
	return nil
}
