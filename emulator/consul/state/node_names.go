package state

import (
	"fmt"

	"github.com/hashicorp/consul/api"
)

// SerfHealth is the ID of the check that says whether a node's agent is alive.
const SerfHealth = "serfHealth"

// NoNodeError says that a service or check names a node that is not in the catalog.
type NoNodeError struct{ Node string }

func (e *NoNodeError) Error() string {
	return fmt.Sprintf("there is no node %q in the catalog", e.Node)
}

// NodeTakenError says that a node cannot have a name, because another one that
// is alive has it.
type NodeTakenError struct {
	ID      string // of the node that cannot have the name
	Address string // that it is to have, when it is in the catalog with another name
	Holder  *Node
}

func (e *NodeTakenError) Error() string {
	who := fmt.Sprintf("%q", e.ID)
	if e.Address != "" {
		who += fmt.Sprintf(" (%s)", e.Address)
	}
	return fmt.Sprintf("Error while renaming Node ID: %s: Node name %s is reserved by node %s with name %s (%s)",
		who, e.Holder.Node, e.Holder.ID, e.Holder.Node, e.Holder.Address)
}

// renamedNode finds the node that has the ID of n, but another name.
func (v *View) renamedNode(n Node) (*Node, error) {
	if n.ID == "" {
		return nil, nil
	}
	renamed := v.NodeWithID(n.ID)
	if renamed != nil && SameName(renamed.Node, n.Node) {
		return nil, nil
	}
	holder := v.Node(n.Node)
	if holder == nil || holder.ID == "" || SameName(holder.ID, n.ID) || !v.alive(holder.Node) {
		return renamed, nil
	}
	taken := &NodeTakenError{ID: n.ID, Holder: holder}
	if renamed != nil {
		taken.Address = n.Address
	}
	return nil, taken
}

// alive tells whether the agent of a node is.
func (v *View) alive(node string) bool {
	check := v.Check(node, SerfHealth)
	return check != nil && check.Status == api.HealthPassing
}
