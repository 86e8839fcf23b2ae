package state

import (
	"github.com/drydock/drydock/emulator/consul/ca"
	"github.com/drydock/drydock/emulator/store"
)

// The tables of the Connect certificate authority: its one configuration, its
// root certificates, and the leaves that agents keep for services.
const (
	TableAuthority = "authority"
	TableRoots     = "roots"
	TableLeaves    = "leaves"
)

// Authority is the configuration of the certificate authority. There is one row.
type Authority struct {
	Name        string // always the same: the row's id
	ClusterID   string
	Provider    string
	Config      map[string]any // as it was given
	State       map[string]string
	Serial      uint64 // of the last certificate that was issued
	CreateIndex uint64
	ModifyIndex uint64
}

// CARoot is a root certificate. One of them is active: it signs.
type CARoot struct {
	ca.Root
	Key         string // PEM of the private key, which ca.Root leaves out of its JSON
	Active      bool
	CreateIndex uint64
	ModifyIndex uint64
}

// Signer is the root with its key.
func (r *CARoot) Signer() *ca.Root {
	signer := r.Root
	signer.PrivateKey = r.Key
	return &signer
}

// CALeaf is the certificate that an agent keeps for a service.
type CALeaf struct {
	ca.Leaf
	Node        string // of the agent
	Root        string // ID of the root that has signed it
	CreateIndex uint64
	ModifyIndex uint64
}

func authorityTables() store.Schema {
	return store.Schema{
		TableAuthority: store.Rows[Authority](store.Unique("id", store.Field("Name"))),
		TableRoots:     store.Rows[CARoot](store.Unique("id", store.Field("ID"))),
		TableLeaves:    store.Rows[CALeaf](store.Unique("id", store.Both(store.Folded("Node"), store.Field("Service")))),
	}
}

// Authority is the configuration of the certificate authority; nil when there is none.
func (v *View) Authority() *Authority {
	return store.First[Authority](v, TableAuthority, "id", authorityName)
}

const authorityName = "authority"

// ActiveRoot is the root that signs; nil when there is none.
func (v *View) ActiveRoot() *CARoot {
	for root := range store.All[CARoot](v, TableRoots, "id") {
		if root.Active {
			return root
		}
	}
	return nil
}

// PutAuthority writes the configuration.
func (tx *Tx) PutAuthority(a Authority) {
	a.Name = authorityName
	a.CreateIndex, a.ModifyIndex = tx.ChangeIndex(), tx.ChangeIndex()
	if old := tx.Authority(); old != nil {
		a.CreateIndex = old.CreateIndex
	}
	tx.Insert(TableAuthority, &a)
}

// NextSerial is a serial number that no certificate has.
func (tx *Tx) NextSerial() uint64 {
	next := *tx.Authority()
	next.Serial++
	tx.Insert(TableAuthority, &next)
	return next.Serial
}

// PutRoot adds a root and makes it the active one.
func (tx *Tx) PutRoot(root *ca.Root) {
	for _, old := range store.Collect[CARoot](tx, TableRoots, "id") {
		if old.Active {
			passive := *old
			passive.Active, passive.ModifyIndex = false, tx.ChangeIndex()
			tx.Insert(TableRoots, &passive)
		}
	}
	tx.Insert(TableRoots, &CARoot{Root: *root, Key: root.PrivateKey, Active: true, CreateIndex: tx.ChangeIndex(), ModifyIndex: tx.ChangeIndex()})
}

// Leaf finds the certificate that a node's agent keeps for a service; nil when there is none.
func (v *View) Leaf(node, service string) *CALeaf {
	return store.First[CALeaf](v, TableLeaves, "id", node, service)
}

// PutLeaf keeps a certificate in place of the one before it.
func (tx *Tx) PutLeaf(node string, root *CARoot, leaf *ca.Leaf) {
	row := &CALeaf{Leaf: *leaf, Node: node, Root: root.ID, CreateIndex: tx.ChangeIndex(), ModifyIndex: tx.ChangeIndex()}
	if old := tx.Leaf(node, leaf.Service); old != nil {
		row.CreateIndex = old.CreateIndex
	}
	tx.Insert(TableLeaves, row)
}
