package state

import (
	"iter"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/store"
)

// The tables about tokens.
const (
	TableACLTokens      = "acl_token"
	TableOneTimeTokens  = "one_time_token"
	markACLBootstrapped = "acl_token_bootstrap"
)

// The types of a token.
const (
	ACLClientToken     = "client"
	ACLManagementToken = "management"
)

// ACLToken is a token: whoever shows its secret holds its policies.
type ACLToken struct {
	ExpirationTTL  TTL
	AccessorID     string
	SecretID       string
	Name           string
	Type           string
	Policies       []string
	Roles          []*api.ACLTokenRoleLink
	Global         bool // holds in all regions
	Hash           []byte
	CreateTime     time.Time
	ExpirationTime *time.Time
	CreateIndex    uint64
	ModifyIndex    uint64
}

// Expired tells whether the token's time is over.
func (t *ACLToken) Expired(now time.Time) bool {
	return t.ExpirationTime != nil && !t.ExpirationTime.After(now)
}

func aclTokenTables() store.Schema {
	expires := func(at *time.Time) []string {
		if at == nil {
			return nil
		}
		return []string{number(uint64(at.UnixNano()))}
	}
	return store.Schema{
		TableACLTokens: store.Rows[ACLToken](
			store.Unique("id", store.By(func(t *ACLToken) []string { return []string{t.AccessorID} })),
			store.Unique("secret", store.By(func(t *ACLToken) []string { return []string{t.SecretID} })),
			store.Many("created", store.By(func(t *ACLToken) []string { return []string{number(t.CreateIndex), t.AccessorID} })),
			store.Many("expires", store.By(func(t *ACLToken) []string { return expires(t.ExpirationTime) }))),
		TableOneTimeTokens: store.Rows[api.OneTimeToken](
			store.Unique("id", store.By(func(t *api.OneTimeToken) []string { return []string{t.AccessorID} })),
			store.Unique("secret", store.By(func(t *api.OneTimeToken) []string { return []string{t.OneTimeSecretID} })),
			store.Many("expires", store.By(func(t *api.OneTimeToken) []string { return expires(&t.ExpiresAt) }))),
	}
}

// ACLToken finds a token by its accessor ID; nil when there is none.
func (v *View) ACLToken(accessor string) *ACLToken {
	return store.First[ACLToken](v.View, TableACLTokens, "id", accessor)
}

// ACLTokenOf finds a token by its secret; nil when there is none.
func (v *View) ACLTokenOf(secret string) *ACLToken {
	return store.First[ACLToken](v.View, TableACLTokens, "secret", secret)
}

// ACLTokens are all tokens, in the order in which they were created.
func (v *View) ACLTokens() iter.Seq[*ACLToken] {
	return store.All[ACLToken](v.View, TableACLTokens, "created")
}

// NextACLExpiry is when the next token expires, or one-time token; the zero
// time when none does.
func (v *View) NextACLExpiry() time.Time {
	var next time.Time
	for t := range store.All[ACLToken](v.View, TableACLTokens, "expires_prefix", "") {
		next = *t.ExpirationTime
		break
	}
	for t := range store.All[api.OneTimeToken](v.View, TableOneTimeTokens, "expires_prefix", "") {
		if next.IsZero() || t.ExpiresAt.Before(next) {
			next = t.ExpiresAt
		}
		break
	}
	return next
}

// ACLBootstrapIndex is the index of the change that made the first token that
// may do everything; 0 before that.
func (v *View) ACLBootstrapIndex() uint64 { return v.Index(markACLBootstrapped) }

// MarkACLBootstrap says that this change makes the first token.
func (tx *Tx) MarkACLBootstrap() { tx.Mark(markACLBootstrapped) }

// UpsertACLToken writes a token, which becomes the row.
func (tx *Tx) UpsertACLToken(t *ACLToken) {
	t.Hash = hashOf(t.Name, t.Type, t.Policies, t.Roles, t.Global, t.ExpirationTime)
	t.CreateIndex, t.ModifyIndex = tx.ChangeIndex(), tx.ChangeIndex()
	if old := tx.ACLToken(t.AccessorID); old != nil {
		t.CreateIndex = old.CreateIndex
	}
	tx.Insert(TableACLTokens, t)
}

// DeleteACLToken removes a token, and its one-time token.
func (tx *Tx) DeleteACLToken(t *ACLToken) {
	tx.Delete(TableACLTokens, t)
	if once := store.First[api.OneTimeToken](tx.View.View, TableOneTimeTokens, "id", t.AccessorID); once != nil {
		tx.Delete(TableOneTimeTokens, once)
	}
}

// DeleteExpiredACLTokens removes the tokens whose time is over.
func (tx *Tx) DeleteExpiredACLTokens() {
	for _, t := range store.Collect[ACLToken](tx.View.View, TableACLTokens, "expires_prefix", "") {
		if t.Expired(tx.Now()) {
			tx.DeleteACLToken(t)
		}
	}
	for _, t := range store.Collect[api.OneTimeToken](tx.View.View, TableOneTimeTokens, "expires_prefix", "") {
		if !t.ExpiresAt.After(tx.Now()) {
			tx.Delete(TableOneTimeTokens, t)
		}
	}
}

// OneTimeToken finds what can be exchanged once for a token, by its secret; nil
// when there is none.
func (v *View) OneTimeToken(secret string) *api.OneTimeToken {
	return store.First[api.OneTimeToken](v.View, TableOneTimeTokens, "secret", secret)
}

// UpsertOneTimeToken writes a one-time token, of which a token has one at most.
func (tx *Tx) UpsertOneTimeToken(t *api.OneTimeToken) {
	t.CreateIndex, t.ModifyIndex = tx.ChangeIndex(), tx.ChangeIndex()
	tx.Insert(TableOneTimeTokens, t)
}

// DeleteOneTimeToken removes a one-time token.
func (tx *Tx) DeleteOneTimeToken(t *api.OneTimeToken) { tx.Delete(TableOneTimeTokens, t) }
