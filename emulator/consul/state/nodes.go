package state

import (
	"reflect"
	"strings"

	"github.com/drydock/drydock/emulator/store"
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
	Locality        *Locality `json:",omitempty" bexpr:"-"`
	CreateIndex     uint64    `bexpr:"-"`
	ModifyIndex     uint64    `bexpr:"-"`
}

// Locality is where a node or a service is.
type Locality struct {
	Region string `json:",omitempty"`
	Zone   string `json:",omitempty"`
}

func nodeTables() store.Schema {
	return store.Schema{
		TableNodes: store.Rows[Node](
			store.Unique("id", store.Folded("Node")),
			store.Many("uuid", store.Folded("ID")),
		),
	}
}

// Node finds a node by its name; nil when there is none.
func (v *View) Node(name string) *Node {
	return store.First[Node](v, TableNodes, "id", name)
}

// NodeWithID finds a node by its UUID; nil when there is none.
func (v *View) NodeWithID(id string) *Node {
	return store.First[Node](v, TableNodes, "uuid", id)
}

// markNodesGone is marked when a node is removed.
const markNodesGone = "nodes gone"

// nodeMark is the mark of a node and of the services on it.
func nodeMark(name string) string { return "node." + strings.ToLower(name) }

// NodeIndex is the index of the last change of a node or of a service on it.
// Of a node that is not there it is that of the last removal of any.
func (v *View) NodeIndex(name string) uint64 {
	if index := v.Index(nodeMark(name)); index > 0 {
		return index
	}
	return v.Index(markNodesGone)
}

// PutNode registers a node, or changes it. One that has the ID of a node with
// another name takes its place: that one is removed, with all that is on it. The
// error is a *NodeTakenError. What is as it was keeps its index.
func (tx *Tx) PutNode(n Node) error {
	renamed, err := tx.renamedNode(n)
	if err != nil {
		return err
	}
	n.CreateIndex, n.ModifyIndex = tx.ChangeIndex(), tx.ChangeIndex()
	old := tx.Node(n.Node)
	if old != nil {
		n.CreateIndex = old.CreateIndex
		same := *old
		same.ModifyIndex = n.ModifyIndex
		if reflect.DeepEqual(same, n) {
			return nil
		}
	}
	if renamed != nil {
		n.CreateIndex = renamed.CreateIndex
		tx.DeleteNode(renamed.Node)
	}
	tx.Insert(TableNodes, &n)
	tx.markNode(n.Node)
	return nil
}

// markNode marks the node and, as what is asked about services tells about
// their nodes too, all services on it.
func (tx *Tx) markNode(name string) {
	tx.Mark(nodeMark(name))
	for service := range store.All[Service](tx, TableServices, "node", name) {
		tx.markService(service)
	}
}

// DeleteNode removes a node with its services, checks and sessions. It does
// nothing when the node is not there.
func (tx *Tx) DeleteNode(name string) {
	node := tx.Node(name)
	if node == nil {
		return
	}
	for _, service := range store.Collect[Service](tx, TableServices, "node", name) {
		tx.DeleteService(name, service.ID)
	}
	for _, check := range store.Collect[Check](tx, TableChecks, "node", name) {
		tx.DeleteCheck(name, check.CheckID)
	}
	tx.Delete(TableNodes, node)
	tx.Unmark(nodeMark(name))
	tx.Mark(markNodesGone)
	tx.endSessionsOfNode(node.Node)
	tx.deleteCoordinates(node.Node)
}

// SameName tells whether two names of nodes or services are the same.
func SameName(a, b string) bool { return strings.EqualFold(a, b) }
