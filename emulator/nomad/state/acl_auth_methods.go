package state

import (
	"iter"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/store"
)

// The tables about logging in.
const (
	TableACLAuthMethods  = "acl_auth_methods"
	TableACLBindingRules = "acl_binding_rules"
)

// ACLAuthMethod is a way to get a token: by the word of another issuer.
type ACLAuthMethod struct {
	MaxTokenTTL     TTL
	Name            string
	Type            string
	TokenLocality   string
	TokenNameFormat string
	Default         bool
	Config          *api.ACLAuthMethodConfig
	Hash            []byte
	CreateTime      time.Time
	ModifyTime      time.Time
	CreateIndex     uint64
	ModifyIndex     uint64
}

// ACLBindingRule says what somebody who logs in gets.
type ACLBindingRule struct {
	ID          string
	Description string
	AuthMethod  string
	Selector    string
	BindType    string
	BindName    string
	Hash        []byte
	CreateTime  time.Time
	ModifyTime  time.Time
	CreateIndex uint64
	ModifyIndex uint64
}

func aclLoginTables() store.Schema {
	return store.Schema{
		TableACLAuthMethods: store.Rows[ACLAuthMethod](
			store.Unique("id", store.By(func(m *ACLAuthMethod) []string { return []string{m.Name} }))),
		TableACLBindingRules: store.Rows[ACLBindingRule](
			store.Unique("id", store.By(func(r *ACLBindingRule) []string { return []string{r.ID} })),
			store.Many("method", store.By(func(r *ACLBindingRule) []string { return []string{r.AuthMethod} }))),
	}
}

// ACLAuthMethod finds an auth method by its name; nil when there is none.
func (v *View) ACLAuthMethod(name string) *ACLAuthMethod {
	return store.First[ACLAuthMethod](v.View, TableACLAuthMethods, "id", name)
}

// ACLAuthMethods are all auth methods, by name.
func (v *View) ACLAuthMethods() iter.Seq[*ACLAuthMethod] {
	return store.All[ACLAuthMethod](v.View, TableACLAuthMethods, "id")
}

// UpsertACLAuthMethod writes an auth method, which becomes the row.
func (tx *Tx) UpsertACLAuthMethod(m *ACLAuthMethod) {
	m.Hash = hashOf(m.Name, m.Type, m.TokenLocality, m.TokenNameFormat, m.Default, m.MaxTokenTTL, m.Config)
	m.CreateIndex, m.ModifyIndex = tx.ChangeIndex(), tx.ChangeIndex()
	m.CreateTime, m.ModifyTime = tx.Now().UTC(), tx.Now().UTC()
	if old := tx.ACLAuthMethod(m.Name); old != nil {
		m.CreateIndex, m.CreateTime = old.CreateIndex, old.CreateTime
	}
	tx.Insert(TableACLAuthMethods, m)
}

// DeleteACLAuthMethod removes an auth method.
func (tx *Tx) DeleteACLAuthMethod(m *ACLAuthMethod) { tx.Delete(TableACLAuthMethods, m) }

// ACLBindingRule finds a binding rule by its ID; nil when there is none.
func (v *View) ACLBindingRule(id string) *ACLBindingRule {
	return store.First[ACLBindingRule](v.View, TableACLBindingRules, "id", id)
}

// ACLBindingRules are all binding rules, by ID.
func (v *View) ACLBindingRules() iter.Seq[*ACLBindingRule] {
	return store.All[ACLBindingRule](v.View, TableACLBindingRules, "id")
}

// ACLBindingRulesOf are those of an auth method.
func (v *View) ACLBindingRulesOf(method string) iter.Seq[*ACLBindingRule] {
	return store.All[ACLBindingRule](v.View, TableACLBindingRules, "method", method)
}

// UpsertACLBindingRule writes a binding rule, which becomes the row.
func (tx *Tx) UpsertACLBindingRule(r *ACLBindingRule) {
	r.Hash = hashOf(r.Description, r.AuthMethod, r.Selector, r.BindType, r.BindName)
	r.CreateIndex, r.ModifyIndex = tx.ChangeIndex(), tx.ChangeIndex()
	r.CreateTime, r.ModifyTime = tx.Now().UTC(), tx.Now().UTC()
	if old := tx.ACLBindingRule(r.ID); old != nil {
		r.CreateIndex, r.CreateTime = old.CreateIndex, old.CreateTime
	}
	tx.Insert(TableACLBindingRules, r)
}

// DeleteACLBindingRule removes a binding rule.
func (tx *Tx) DeleteACLBindingRule(r *ACLBindingRule) { tx.Delete(TableACLBindingRules, r) }
