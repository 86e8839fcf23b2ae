package state

import (
	"github.com/drydock/drydock/emulator/consul/acl"

	"github.com/drydock/drydock/emulator/store"
)

// IDs of the policies that are always there.
const (
	ManagementPolicyID = "00000000-0000-0000-0000-000000000001"
	ReadOnlyPolicyID   = "00000000-0000-0000-0000-000000000002"
)

// Policy is a set of rules with a name, which is unique without regard to case.
type Policy struct {
	ID          string // a UUID
	Name        string
	Description string
	Rules       string   // in the language of package acl
	Datacenters []string `json:",omitempty"` // where the rules hold; empty is everywhere
	Hash        []byte   // of all above but the ID
	CreateIndex uint64
	ModifyIndex uint64
}

// Policy finds a policy by its ID; nil when there is none.
func (v *View) Policy(id string) *Policy { return store.First[Policy](v, TablePolicies, "id", id) }

// PolicyNamed finds a policy by its name; nil when there is none.
func (v *View) PolicyNamed(name string) *Policy {
	return store.First[Policy](v, TablePolicies, "name", name)
}

func (v *View) policyName(id string) (string, bool) {
	if p := v.Policy(id); p != nil {
		return p.Name, true
	}
	return "", false
}

// PutPolicy creates a policy, or changes the one with its ID, and returns it as
// it is stored. The caller has seen to it that no other has its name.
func (tx *Tx) PutPolicy(p Policy) *Policy {
	p.Hash = acl.PolicyHash(p.Name, p.Description, p.Rules, p.Datacenters)
	p.CreateIndex, p.ModifyIndex = tx.ChangeIndex(), tx.ChangeIndex()
	if old := tx.Policy(p.ID); old != nil {
		p.CreateIndex = old.CreateIndex
	}
	tx.Insert(TablePolicies, &p)
	return &p
}
