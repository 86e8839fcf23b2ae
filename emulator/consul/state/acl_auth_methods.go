package state

import (
	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/store"
)

// AuthMethod is a way to get a token by showing a credential of another
// system. Its name is unique without regard to case.
type AuthMethod struct {
	MaxTokenTTL   api.ReadableDuration `json:",omitempty"` // of the tokens; 0 is for ever
	Name          string
	Type          string
	DisplayName   string `json:",omitempty"`
	Description   string `json:",omitempty"`
	TokenLocality string `json:",omitempty"` // local or global; empty is local
	Config        map[string]any
	CreateIndex   uint64
	ModifyIndex   uint64
}

// AuthMethod finds an auth method by its name; nil when there is none.
func (v *View) AuthMethod(name string) *AuthMethod {
	return store.First[AuthMethod](v, TableAuthMethods, "id", name)
}

// PutAuthMethod creates an auth method, or changes the one with its name, and
// returns it as it is stored.
func (tx *Tx) PutAuthMethod(m AuthMethod) *AuthMethod {
	m.CreateIndex, m.ModifyIndex = tx.ChangeIndex(), tx.ChangeIndex()
	if old := tx.AuthMethod(m.Name); old != nil {
		m.CreateIndex = old.CreateIndex
	}
	tx.Insert(TableAuthMethods, &m)
	return &m
}

// DeleteAuthMethod removes an auth method that is there, with its binding rules
// and the tokens that were made by it.
func (tx *Tx) DeleteAuthMethod(m *AuthMethod) {
	for _, rule := range store.Collect[BindingRule](tx, TableBindingRules, "method", m.Name) {
		tx.Delete(TableBindingRules, rule)
	}
	tx.DeleteTokensOf(m.Name)
	tx.Delete(TableAuthMethods, m)
}

// DeleteTokensOf removes the tokens that were made by an auth method.
func (tx *Tx) DeleteTokensOf(method string) {
	for _, token := range store.Collect[Token](tx, TableTokens, "method", method) {
		tx.Delete(TableTokens, token)
	}
}
