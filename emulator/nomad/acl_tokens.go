package nomad

import (
	"iter"
	"strings"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// tokenStub is a token as lists have it.
type tokenStub struct {
	AccessorID     string
	Name           string
	Type           string
	Policies       []string
	Roles          []*api.ACLTokenRoleLink
	Global         bool
	Hash           []byte
	CreateTime     time.Time
	ExpirationTime *time.Time
	CreateIndex    uint64
	ModifyIndex    uint64
}

func stubOfToken(t *state.ACLToken) *tokenStub {
	var roles []*api.ACLTokenRoleLink
	for _, link := range t.Roles {
		roles = append(roles, &api.ACLTokenRoleLink{ID: link.ID}) // lists do not look for the names
	}
	return &tokenStub{
		t.AccessorID, t.Name, t.Type, t.Policies, roles, t.Global, t.Hash, t.CreateTime, t.ExpirationTime, t.CreateIndex, t.ModifyIndex,
	}
}

func (r *request) aclTokens() (any, error) {
	if err := r.needManagement(); err != nil {
		return nil, err
	}
	prefix := r.query.Get("prefix")
	if err := lookupPrefix("acl token", prefix); err != nil {
		return nil, err
	}
	at := func(t *state.ACLToken) position { return position{t.CreateIndex, t.AccessorID} }
	return r.block(func(view *state.View) (any, uint64, error) {
		list, err := page(r, tokensWith(view, prefix), at, func(t *state.ACLToken) (*tokenStub, bool) {
			return stubOfToken(t), true
		})
		return list, tableIndex(view, state.TableACLTokens), err
	})
}

// tokensWith are the tokens whose accessor ID begins with the prefix, in the
// order in which they were created.
func tokensWith(view *state.View, prefix string) iter.Seq[*state.ACLToken] {
	return func(yield func(*state.ACLToken) bool) {
		for t := range view.ACLTokens() {
			if strings.HasPrefix(t.AccessorID, prefix) && !yield(t) {
				return
			}
		}
	}
}

func (r *request) aclToken() (any, error) {
	id := r.PathValue("id")
	if id == "" {
		return nil, badRequest("Missing Token Accessor")
	}
	c, err := r.identify()
	if err != nil {
		return nil, err
	}
	if !c.may.IsManagement() && (c.token == nil || c.token.AccessorID != id) {
		return nil, errDenied
	}
	if err := lookupID("acl token", id); err != nil {
		return nil, err
	}
	r.region = r.region.homeOfToken(id)
	return r.block(func(view *state.View) (any, uint64, error) {
		token := view.ACLToken(id)
		if token == nil {
			return nil, tableIndex(view, state.TableACLTokens), notFound("ACL token not found")
		}
		return r.region.authority().store.View().WithRoles(token), token.ModifyIndex, nil
	})
}

// homeOfToken is the region that has the token: this one, or the authoritative
// one for those that hold everywhere.
func (r *region) homeOfToken(accessor string) *region {
	home := r.authority()
	if token := home.store.View().ACLToken(accessor); token != nil && token.Global {
		return home
	}
	return r
}

// ownACLToken tells the token that the request shows, or why it is none.
func (r *request) ownACLToken() (any, error) {
	c, err := r.resolve()
	if err != nil {
		return nil, err
	}
	switch {
	case !r.region.nomad.options.ACL:
		return &state.ACLToken{AccessorID: "acls-disabled", Name: "ACLs disabled token", Type: state.ACLClientToken}, nil
	case c.token == nil:
		return nil, notFound("ACL token not found")
	}
	r.setIndex(c.token.ModifyIndex)
	return r.region.authority().store.View().WithRoles(c.token), nil
}

func (r *request) deleteACLToken() (any, error) {
	id := r.PathValue("id")
	if id == "" {
		return nil, badRequest("Missing Token Accessor")
	}
	if err := r.needManagement(); err != nil {
		return nil, err
	}
	if err := lookupID("acl token", id); err != nil {
		return nil, badRequest("token lookup failed: %v", err)
	}
	r.region = r.region.homeOfToken(id)
	return nil, r.write(func(tx *state.Tx) error {
		token := tx.ACLToken(id)
		if token == nil {
			return badRequest("Cannot delete nonexistent tokens: %s", id)
		}
		tx.DeleteACLToken(token)
		return nil
	})
}
