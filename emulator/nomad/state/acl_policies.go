package state

import (
	"iter"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/store"
)

// TableACLPolicies has the policies.
const TableACLPolicies = "acl_policy"

// ACLPolicy is a policy: rules that tokens hold by its name.
type ACLPolicy struct {
	Name        string
	Description string
	Rules       string
	JobACL      *api.JobACL // the workloads that hold it without a token; nil for none
	Hash        []byte
	CreateIndex uint64
	ModifyIndex uint64
}

func aclPolicyTables() store.Schema {
	return store.Schema{TableACLPolicies: store.Rows[ACLPolicy](
		store.Unique("id", store.By(func(p *ACLPolicy) []string { return []string{p.Name} })),
		store.Many("namespace", store.By(func(p *ACLPolicy) []string {
			if p.JobACL == nil || p.JobACL.Namespace == "" {
				return nil
			}
			return []string{p.JobACL.Namespace}
		})))}
}

// ACLPolicy finds a policy by its name; nil when there is none.
func (v *View) ACLPolicy(name string) *ACLPolicy {
	return store.First[ACLPolicy](v.View, TableACLPolicies, "id", name)
}

// ACLPolicies are those whose name begins with the prefix, by name.
func (v *View) ACLPolicies(prefix string) iter.Seq[*ACLPolicy] {
	return store.All[ACLPolicy](v.View, TableACLPolicies, "id_prefix", prefix)
}

// ACLPoliciesOfJobs are those that jobs of the namespace hold.
func (v *View) ACLPoliciesOfJobs(namespace string) iter.Seq[*ACLPolicy] {
	return store.All[ACLPolicy](v.View, TableACLPolicies, "namespace", namespace)
}

// UpsertACLPolicy writes a policy, which becomes the row.
func (tx *Tx) UpsertACLPolicy(p *ACLPolicy) {
	p.Hash = hashOf(p.Name, p.Description, p.Rules, p.JobACL)
	p.CreateIndex, p.ModifyIndex = tx.ChangeIndex(), tx.ChangeIndex()
	if old := tx.ACLPolicy(p.Name); old != nil {
		p.CreateIndex = old.CreateIndex
	}
	tx.Insert(TableACLPolicies, p)
}

// DeleteACLPolicy removes a policy; that it is gone already is no error.
func (tx *Tx) DeleteACLPolicy(name string) {
	if p := tx.ACLPolicy(name); p != nil {
		tx.Delete(TableACLPolicies, p)
	}
}
