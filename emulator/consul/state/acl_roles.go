package state

import "github.com/drydock/drydock/emulator/store"

// Role is a set of grants with a name, which is unique without regard to case.
type Role struct {
	ID                string // a UUID
	Name              string
	Description       string
	Policies          []Link            `json:",omitempty"`
	ServiceIdentities []ServiceIdentity `json:",omitempty"`
	NodeIdentities    []NodeIdentity    `json:",omitempty"`
	TemplatedPolicies []TemplatedPolicy `json:",omitempty"`
	Hash              []byte            // of all above but the ID
	CreateIndex       uint64
	ModifyIndex       uint64
}

// ServiceIdentity lets a service register itself and discover others.
type ServiceIdentity struct {
	ServiceName string
	Datacenters []string `json:",omitempty"` // where it holds; empty is everywhere
}

// NodeIdentity lets an agent register its node in one datacenter.
type NodeIdentity struct {
	NodeName   string
	Datacenter string
}

// TemplatedPolicy is a policy made of one of the built-in templates.
type TemplatedPolicy struct {
	TemplateID        string
	TemplateName      string
	TemplateVariables *TemplateVariables `json:",omitempty"`
	Datacenters       []string           `json:",omitempty"` // where it holds; empty is everywhere
}

// TemplateVariables are what a template is filled with.
type TemplateVariables struct {
	Name string `json:"name,omitempty"`
}

// Role finds a role by its ID; nil when there is none.
func (v *View) Role(id string) *Role { return store.First[Role](v, TableRoles, "id", id) }

// RoleNamed finds a role by its name; nil when there is none.
func (v *View) RoleNamed(name string) *Role { return store.First[Role](v, TableRoles, "name", name) }

func (v *View) roleName(id string) (string, bool) {
	if r := v.Role(id); r != nil {
		return r.Name, true
	}
	return "", false
}

// CurrentRole is a role with its links brought up to date.
func (v *View) CurrentRole(r *Role) *Role {
	now := *r
	now.Policies = current(r.Policies, v.policyName)
	return &now
}

// PutRole creates a role, or changes the one with its ID, and returns it as it
// is stored. The caller has seen to it that no other has its name.
func (tx *Tx) PutRole(r Role) *Role {
	r.Hash = contentHash(r.Name, r.Description,
		r.Policies, r.ServiceIdentities, r.NodeIdentities, r.TemplatedPolicies)
	r.CreateIndex, r.ModifyIndex = tx.ChangeIndex(), tx.ChangeIndex()
	if old := tx.Role(r.ID); old != nil {
		r.CreateIndex = old.CreateIndex
	}
	tx.Insert(TableRoles, &r)
	return &r
}
