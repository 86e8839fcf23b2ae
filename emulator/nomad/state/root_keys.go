package state

import (
	"iter"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/store"
)

// TableRootKeys has the keys that variables are encrypted and identities are
// signed with.
const TableRootKeys = "root_keys"

// RootKey is a root key, whose material is encrypted itself.
type RootKey struct {
	api.RootKeyMeta
	Wrapped []byte
}

func rootKeyTables() store.Schema {
	return store.Schema{TableRootKeys: store.Rows[RootKey](
		store.Unique("id", store.By(func(k *RootKey) []string { return []string{k.KeyID} })))}
}

// RootKey finds a key by its ID; nil when there is none.
func (v *View) RootKey(id string) *RootKey {
	return store.First[RootKey](v.View, TableRootKeys, "id", id)
}

// RootKeys are all keys, by ID.
func (v *View) RootKeys() iter.Seq[*RootKey] {
	return store.All[RootKey](v.View, TableRootKeys, "id")
}

// ActiveRootKey is the key for what is new; nil before there is one.
func (v *View) ActiveRootKey() *RootKey {
	for key := range v.RootKeys() {
		if key.State == api.RootKeyStateActive {
			return key
		}
	}
	return nil
}

// UpsertRootKey writes a key, which becomes the row. An active one puts that
// which was active out of use.
func (tx *Tx) UpsertRootKey(k *RootKey) {
	if active := tx.ActiveRootKey(); k.State == api.RootKeyStateActive && active != nil && active.KeyID != k.KeyID {
		old := *active
		old.State, old.ModifyIndex = api.RootKeyStateInactive, tx.ChangeIndex()
		tx.Insert(TableRootKeys, &old)
	}
	k.CreateIndex, k.ModifyIndex = tx.ChangeIndex(), tx.ChangeIndex()
	if old := tx.RootKey(k.KeyID); old != nil {
		k.CreateIndex = old.CreateIndex
	}
	tx.Insert(TableRootKeys, k)
}

// DeleteRootKey removes a key.
func (tx *Tx) DeleteRootKey(k *RootKey) { tx.Delete(TableRootKeys, k) }
