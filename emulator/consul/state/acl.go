package state

import (
	"crypto/sha256"
	"encoding/json"
	"slices"

	"github.com/drydock/drydock/emulator/store"
)

// Tables of access control.
const (
	TableTokens       = "acl-tokens"
	TablePolicies     = "acl-policies"
	TableRoles        = "acl-roles"
	TableAuthMethods  = "acl-auth-methods"
	TableBindingRules = "acl-binding-rules"
)

// markBootstrap has the index at which access control was bootstrapped.
const markBootstrap = "acl-bootstrap"

func aclTables() store.Schema {
	return store.Schema{
		TableTokens: store.Rows[Token](
			store.Unique("id", store.Folded("AccessorID")),
			store.Unique("secret", store.Field("SecretID")),
			store.Many("method", store.Folded("AuthMethod")),
			store.Many("expiry", expiryIndex{}),
		),
		TablePolicies: store.Rows[Policy](
			store.Unique("id", store.Folded("ID")),
			store.Unique("name", store.Folded("Name")),
		),
		TableRoles: store.Rows[Role](
			store.Unique("id", store.Folded("ID")),
			store.Unique("name", store.Folded("Name")),
		),
		TableAuthMethods: store.Rows[AuthMethod](
			store.Unique("id", store.Folded("Name")),
		),
		TableBindingRules: store.Rows[BindingRule](
			store.Unique("id", store.Folded("ID")),
			store.Many("method", store.Folded("AuthMethod")),
		),
	}
}

// Link leads from a token or role to a policy or role. It is the ID that
// counts: the name is the one that the target had when the link was made, and
// CurrentToken and CurrentRole bring it up to date.
type Link struct {
	ID   string
	Name string
}

// Linked tells whether one of the links leads to an ID.
func Linked(links []Link, id string) bool {
	return slices.ContainsFunc(links, func(l Link) bool { return SameName(l.ID, id) })
}

// ACLIndex is the index of the last change of what decides on requests: of the
// tokens, the policies and the roles.
func (v *View) ACLIndex() uint64 { return v.Index(TableTokens, TablePolicies, TableRoles) }

// BootstrapIndex is the index at which access control was bootstrapped; 0 before.
func (v *View) BootstrapIndex() uint64 { return v.Index(markBootstrap) }

// MarkBootstrap records that this change bootstraps access control.
func (tx *Tx) MarkBootstrap() { tx.Mark(markBootstrap) }

// current are the links with the names that their targets have now, without
// those whose target is gone.
func current(links []Link, name func(id string) (string, bool)) []Link {
	var list []Link
	for _, link := range links {
		if now, ok := name(link.ID); ok {
			list = append(list, Link{ID: link.ID, Name: now})
		}
	}
	return list
}

// contentHash is the same for rows of the same content.
func contentHash(content ...any) []byte {
	text, err := json.Marshal(content)
	if err != nil {
		panic(err) // rows survive being written as JSON
	}
	sum := sha256.Sum256(text)
	return sum[:]
}
