package state

// Role is a set of policies with a name, which is unique without regard to case.
type Role struct {
	ID          string // a UUID
	Name        string
	Description string
	Grants
	Hash        []byte // of all above but the ID
	CreateIndex uint64
	ModifyIndex uint64
}

// Grants are what a token or a role may do, Roles apart.
type Grants struct {
	Policies          []Link            `json:",omitempty"`
	ServiceIdentities []ServiceIdentity `json:",omitempty"`
	NodeIdentities    []NodeIdentity    `json:",omitempty"`
	TemplatedPolicies []TemplatedPolicy `json:",omitempty"`
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
	TemplateID        string `json:",omitempty"`
	TemplateName      string
	TemplateVariables *TemplateVariables `json:",omitempty"`
	Datacenters       []string           `json:",omitempty"` // where it holds; empty is everywhere
}

// TemplateVariables are the values that a template is filled with.
type TemplateVariables struct {
	Name string `json:"name,omitempty"`
}

// Role finds a role by its ID; nil when there is none.
func (v *View) Role(id string) *Role { return v.current(First[Role](v, TableRoles, "id", id)) }

// RoleNamed finds a role by its name; nil when there is none.
func (v *View) RoleNamed(name string) *Role {
	return v.current(First[Role](v, TableRoles, "name", name))
}

// Roles are all roles by name; with the ID of a policy, those that have it.
func (v *View) Roles(policy string) []*Role {
	list := []*Role{}
	for role := range All[Role](v, TableRoles, "name") {
		if role = v.current(role); policy == "" || Links(role.Policies, policy) {
			list = append(list, role)
		}
	}
	return list
}

// current is the role with its links brought up to date.
func (v *View) current(role *Role) *Role {
	if role == nil || len(role.Policies) == 0 {
		return role
	}
	now := *role
	now.Policies = named(role.Policies, v.policyName)
	return &now
}

// roleName is the name of the role with an ID.
func (v *View) roleName(id string) (string, bool) {
	if r := First[Role](v, TableRoles, "id", id); r != nil {
		return r.Name, true
	}
	return "", false
}

// PutRole creates a role, or changes the one with its ID, and returns it as it is stored.
func (tx *Tx) PutRole(r Role) *Role {
	r.Hash = contentHash([]any{r.Name, r.Description, r.Grants})
	r.CreateIndex, r.ModifyIndex = tx.index, tx.index
	if old := tx.Role(r.ID); old != nil {
		r.CreateIndex = old.CreateIndex
	}
	tx.Insert(TableRoles, &r)
	return &r
}

// DeleteRole removes a role that is there. Links to it end.
func (tx *Tx) DeleteRole(id string) {
	tx.Delete(TableRoles, First[Role](&tx.View, TableRoles, "id", id))
}
