package state

import (
	"fmt"
	"reflect"
	"strings"
)

// TableNodes is the table of the catalog's nodes.
const TableNodes = "nodes"

// Node is a node of the catalog. Its name is unique without regard to case.
type Node struct {
	ID              string // a UUID; may be empty
	Node            string
	Address         string
	Datacenter      string
	TaggedAddresses map[string]string
	Meta            map[string]string
	Locality        *Locality `json:",omitempty"`
	CreateIndex     uint64
	ModifyIndex     uint64
}

// Locality is where a node or a service is.
type Locality struct {
	Region string `json:",omitempty"`
	Zone   string `json:",omitempty"`
}

func nodeTables() map[string]table {
	return map[string]table{
		TableNodes: {reflect.TypeFor[Node](), indexes(
			unique("id", folded("Node")),
			many("uuid", folded("ID")),
		)},
	}
}

// Node finds a node by its name; nil when there is none.
func (v *View) Node(name string) *Node {
	return First[Node](v, TableNodes, "id", name)
}

// PutNode registers a node, or changes it. What is as it was keeps its index.
func (tx *Tx) PutNode(n Node) {
	n.CreateIndex, n.ModifyIndex = tx.index, tx.index
	if old := tx.Node(n.Node); old != nil {
		n.CreateIndex = old.CreateIndex
		same := *old
		same.ModifyIndex = n.ModifyIndex
		if reflect.DeepEqual(same, n) {
			return
		}
	}
	tx.Insert(TableNodes, &n)
	// What is asked about the node's services tells about the node too.
	for service := range All[Service](&tx.View, TableServices, "node", n.Node) {
		tx.Mark(serviceMark(service.Service))
	}
}

// DeleteNode removes a node with its services, checks and sessions. It does
// nothing when the node is not there.
func (tx *Tx) DeleteNode(name string) {
	node := tx.Node(name)
	if node == nil {
		return
	}
	for _, service := range Collect[Service](&tx.View, TableServices, "node", name) {
		tx.DeleteService(name, service.ID)
	}
	for _, check := range Collect[Check](&tx.View, TableChecks, "node", name) {
		tx.DeleteCheck(name, check.CheckID)
	}
	tx.Delete(TableNodes, node)
	tx.endSessionsOfNode(node.Node)
}

// NoNodeError says that a service or check names a node that is not in the catalog.
type NoNodeError struct{ Node string }

func (e *NoNodeError) Error() string {
	return fmt.Sprintf("there is no node %q in the catalog", e.Node)
}

// SameName tells whether two names of nodes or services are the same.
func SameName(a, b string) bool { return strings.EqualFold(a, b) }
