package state

import (
	"iter"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/store"
)

// TableACLRoles has the roles.
const TableACLRoles = "acl_roles"

// ACLRole is a role: policies that tokens hold together.
type ACLRole struct {
	ID          string
	Name        string // unique
	Description string
	Policies    []*api.ACLRolePolicyLink
	Hash        []byte
	CreateIndex uint64
	ModifyIndex uint64
}

func aclRoleTables() store.Schema {
	return store.Schema{TableACLRoles: store.Rows[ACLRole](
		store.Unique("id", store.By(func(r *ACLRole) []string { return []string{r.ID} })),
		store.Unique("name", store.By(func(r *ACLRole) []string { return []string{r.Name} })))}
}

// ACLRole finds a role by its ID; nil when there is none.
func (v *View) ACLRole(id string) *ACLRole {
	return store.First[ACLRole](v.View, TableACLRoles, "id", id)
}

// ACLRoleNamed finds a role by its name; nil when there is none.
func (v *View) ACLRoleNamed(name string) *ACLRole {
	return store.First[ACLRole](v.View, TableACLRoles, "name", name)
}

// ACLRoles are those whose ID begins with the prefix, by ID.
func (v *View) ACLRoles(prefix string) iter.Seq[*ACLRole] {
	return store.All[ACLRole](v.View, TableACLRoles, "id_prefix", prefix)
}

// UpsertACLRole writes a role, which becomes the row.
func (tx *Tx) UpsertACLRole(r *ACLRole) {
	r.Hash = hashOf(r.Name, r.Description, r.Policies)
	r.CreateIndex, r.ModifyIndex = tx.ChangeIndex(), tx.ChangeIndex()
	if old := tx.ACLRole(r.ID); old != nil {
		r.CreateIndex = old.CreateIndex
	}
	tx.Insert(TableACLRoles, r)
}

// DeleteACLRole removes a role.
func (tx *Tx) DeleteACLRole(r *ACLRole) { tx.Delete(TableACLRoles, r) }

// WithRoles is a token with the names that its roles have now, and without
// those that are gone.
func (v *View) WithRoles(t *ACLToken) *ACLToken {
	if len(t.Roles) == 0 {
		return t
	}
	own := *t
	own.Roles = []*api.ACLTokenRoleLink{}
	for _, link := range t.Roles {
		if role := v.ACLRole(link.ID); role != nil {
			own.Roles = append(own.Roles, &api.ACLTokenRoleLink{ID: role.ID, Name: role.Name})
		}
	}
	return &own
}
