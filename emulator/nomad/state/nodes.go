package state

import (
	"iter"
	"maps"
	"slices"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/store"
)

// TableNodes has the nodes.
const TableNodes = "nodes"

// Node is a row of a node.
type Node struct {
	api.Node
	Secret        string             `json:",omitempty"` // by which the node proves what it is
	ComputedClass string             // equal for nodes that no constraint can tell apart
	StaticMeta    map[string]string  // what the node was started with; Meta is that with DynamicMeta
	DynamicMeta   map[string]*string // what was set since; nil takes a key away
}

// ApplyMeta sets some of the metadata of a node that is not a row yet.
func (n *Node) ApplyMeta(changes map[string]*string) {
	dynamic := maps.Clone(n.DynamicMeta)
	if dynamic == nil {
		dynamic = map[string]*string{}
	}
	maps.Copy(dynamic, changes)
	meta := maps.Clone(n.StaticMeta)
	if meta == nil {
		meta = map[string]string{}
	}
	for key, value := range dynamic {
		if value == nil {
			delete(meta, key)
		} else {
			meta[key] = *value
		}
	}
	n.DynamicMeta, n.Meta = dynamic, meta
}

func nodeTables() store.Schema {
	return store.Schema{TableNodes: store.Rows[Node](
		store.Unique("id", store.By(func(n *Node) []string { return []string{n.ID} })),
		store.Many("secret", store.By(func(n *Node) []string { return []string{n.Secret} })),
		store.Many("pool", store.By(func(n *Node) []string { return []string{n.NodePool} })))}
}

// Node finds a node by its ID; nil when there is none.
func (v *View) Node(id string) *Node { return store.First[Node](v.View, TableNodes, "id", id) }

// NodeBySecret finds a node by its secret; nil when there is none.
func (v *View) NodeBySecret(secret string) *Node {
	return store.First[Node](v.View, TableNodes, "secret", secret)
}

// Nodes are all nodes, by ID.
func (v *View) Nodes() iter.Seq[*Node] { return store.All[Node](v.View, TableNodes, "id") }

// NodesOfPool are those of a pool; the pool "all" has every node.
func (v *View) NodesOfPool(pool string) iter.Seq[*Node] {
	if pool == api.NodePoolAll {
		return v.Nodes()
	}
	return store.All[Node](v.View, TableNodes, "pool", pool)
}

// Ready tells whether the node takes new allocations.
func (n *Node) Ready() bool {
	return n.Status == api.NodeStatusReady && n.DrainStrategy == nil && n.SchedulingEligibility == api.NodeSchedulingEligible
}

// UpsertNode writes a node, which becomes the row. The indexes are set here.
func (tx *Tx) UpsertNode(n *Node) {
	n.Drain = n.DrainStrategy != nil
	n.ModifyIndex = tx.ChangeIndex()
	if old := tx.Node(n.ID); old != nil {
		n.CreateIndex = old.CreateIndex
	} else {
		n.CreateIndex = n.ModifyIndex
	}
	tx.Insert(TableNodes, n)
}

// UpdateNode changes a node: the copy that change gets is written.
func (tx *Tx) UpdateNode(old *Node, change func(*Node)) {
	next := *old
	change(&next)
	tx.UpsertNode(&next)
}

// NodesWithPrefix are those whose ID begins with the prefix, by ID.
func (v *View) NodesWithPrefix(prefix string) iter.Seq[*Node] {
	return store.All[Node](v.View, TableNodes, "id_prefix", prefix)
}

// DeleteNode forgets a node.
func (tx *Tx) DeleteNode(n *Node) { tx.Delete(TableNodes, n) }

// maxNodeEvents is how much of a node's past is remembered.
const maxNodeEvents = 10

// AddEvents remembers what has happened to the node, and forgets what is long
// past. The node is one that is not in the state yet, as UpdateNode gives it.
func (n *Node) AddEvents(events ...*api.NodeEvent) {
	all := slices.Concat(n.Events, events)
	n.Events = all[max(0, len(all)-maxNodeEvents):]
}
