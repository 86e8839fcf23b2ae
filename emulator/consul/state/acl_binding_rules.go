package state

import (
	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/store"
)

// BindingRule says what those who log in with an auth method may do.
type BindingRule struct {
	ID          string // a UUID
	Description string
	AuthMethod  string
	Selector    string // an expression that says whom it is for; empty is everybody
	BindType    api.BindingRuleBindType
	BindName    string             // a template that is filled with who logs in
	BindVars    *TemplateVariables `json:",omitempty"` // templates too
	CreateIndex uint64
	ModifyIndex uint64
}

// BindingRule finds a binding rule by its ID; nil when there is none.
func (v *View) BindingRule(id string) *BindingRule {
	return store.First[BindingRule](v, TableBindingRules, "id", id)
}

// PutBindingRule creates a binding rule, or changes the one with its ID, and
// returns it as it is stored.
func (tx *Tx) PutBindingRule(r BindingRule) *BindingRule {
	r.CreateIndex, r.ModifyIndex = tx.ChangeIndex(), tx.ChangeIndex()
	if old := tx.BindingRule(r.ID); old != nil {
		r.CreateIndex = old.CreateIndex
	}
	tx.Insert(TableBindingRules, &r)
	return &r
}
