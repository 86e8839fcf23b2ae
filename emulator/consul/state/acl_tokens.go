package state

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/drydock/drydock/emulator/store"
)

// AnonymousSecretID is the secret of the token of requests that have none.
const AnonymousSecretID = "anonymous"

// Token is what a request shows to say who makes it. Who knows its secret may
// do what its policies, roles and identities allow.
type Token struct {
	AccessorID        string // names it where its secret must not be known, a UUID
	SecretID          string
	Description       string
	Policies          []Link            `json:",omitempty"`
	Roles             []Link            `json:",omitempty"`
	ServiceIdentities []ServiceIdentity `json:",omitempty"`
	NodeIdentities    []NodeIdentity    `json:",omitempty"`
	TemplatedPolicies []TemplatedPolicy `json:",omitempty"`
	Local             bool              // known in its datacenter alone
	AuthMethod        string            `json:",omitempty"` // that it was made by, if it was by logging in
	ExpirationTime    *time.Time        `json:",omitempty"` // nil is never
	CreateTime        time.Time
	Hash              []byte // of the description and what the token grants
	CreateIndex       uint64
	ModifyIndex       uint64
}

// Expired tells whether the token holds no more at a time.
func (t *Token) Expired(at time.Time) bool {
	return t.ExpirationTime != nil && !t.ExpirationTime.After(at)
}

// Token finds a token by its accessor; nil when there is none.
func (v *View) Token(accessor string) *Token {
	return store.First[Token](v, TableTokens, "id", accessor)
}

// TokenOf finds a token by its secret; nil when there is none.
func (v *View) TokenOf(secret string) *Token {
	return store.First[Token](v, TableTokens, "secret", secret)
}

// CurrentToken is a token, of this datacenter or another, with its links to
// this one's policies and roles brought up to date.
func (v *View) CurrentToken(t *Token) *Token {
	now := *t
	now.Policies = current(t.Policies, v.policyName)
	now.Roles = current(t.Roles, v.roleName)
	return &now
}

// NextExpiry is when the next token expires; false when none ever does.
func (v *View) NextExpiry() (time.Time, bool) {
	for token := range store.All[Token](v, TableTokens, "expiry") {
		return *token.ExpirationTime, true
	}
	return time.Time{}, false
}

// PutToken creates a token, or changes the one with its accessor, and returns
// it as it is stored. The caller has seen to it that no other has its secret.
func (tx *Tx) PutToken(t Token) *Token {
	t.Hash = contentHash(t.Description,
		t.Policies, t.Roles, t.ServiceIdentities, t.NodeIdentities, t.TemplatedPolicies, t.Local)
	t.CreateIndex, t.ModifyIndex = tx.ChangeIndex(), tx.ChangeIndex()
	if old := tx.Token(t.AccessorID); old != nil {
		t.CreateIndex = old.CreateIndex
	}
	tx.Insert(TableTokens, &t)
	return &t
}

// DeleteExpiredTokens removes the tokens that hold no more.
func (tx *Tx) DeleteExpiredTokens() {
	for _, token := range store.Collect[Token](tx, TableTokens, "expiry") {
		if !token.Expired(tx.Now()) {
			return
		}
		tx.Delete(TableTokens, token)
	}
}

// expiryIndex sorts the tokens that expire by when they do.
type expiryIndex struct{}

func (expiryIndex) FromObject(row any) (bool, []byte, error) {
	at := row.(*Token).ExpirationTime
	if at == nil {
		return false, nil, nil
	}
	return true, binary.BigEndian.AppendUint64(nil, uint64(at.UnixMilli())), nil
}

func (expiryIndex) FromArgs(...any) ([]byte, error) {
	return nil, errors.New("tokens are not looked up by the time when they expire")
}
