package place

import "github.com/drydock/drydock/emulator/nomad/state"

// ComputedClass is equal for nodes that no constraint can tell apart, unless
// it is on what is unique to a node.
func ComputedClass(node *state.Node) string { return "" }
