package nomad

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-multierror"
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

const (
	maxTokenName = 256
	// How long a token that expires may hold.
	minTokenTTL = time.Minute
	maxTokenTTL = 24 * time.Hour
)

// putACLToken creates a token, or changes the one that the path names.
func (r *request) putACLToken() (any, error) {
	token := &state.ACLToken{}
	if err := r.decode(token); err != nil {
		return nil, err
	}
	if id := r.PathValue("id"); id != token.AccessorID && id != "" {
		return nil, badRequest("ACL token accessor does not match request path")
	}
	if err := r.needManagement(); err != nil {
		return nil, err
	}
	if token.AccessorID != "" {
		if err := lookupID("acl token", token.AccessorID); err != nil {
			return nil, fmt.Errorf("token lookup failed: %w", err)
		}
		r.region = r.region.homeOfToken(token.AccessorID)
	} else if token.Global {
		r.region = r.region.authority()
	}
	return token, r.write(func(tx *state.Tx) error {
		old, err := prepareToken(tx, token)
		if err != nil {
			return err
		}
		if err := checkToken(token, old); err != nil {
			return badRequest("token 0 invalid: %v", err)
		}
		roles := &tx.View
		if home := r.region.authority(); home != r.region {
			roles = home.store.View()
		}
		if token.Roles, err = linkRoles(roles, token.Roles); err != nil {
			return err
		}
		tx.UpsertACLToken(token)
		return nil
	})
}

// prepareToken gives a token what its maker does not choose, and finds the one
// that it changes; nil when it is new.
func prepareToken(tx *state.Tx, token *state.ACLToken) (old *state.ACLToken, err error) {
	if token.AccessorID == "" {
		token.AccessorID, token.SecretID = uuid.NewString(), uuid.NewString()
		token.CreateTime = tx.Now().UTC()
		if token.ExpirationTime == nil && token.ExpirationTTL != 0 {
			end := token.CreateTime.Add(time.Duration(token.ExpirationTTL))
			token.ExpirationTime = &end
		}
		return nil, nil
	}
	if old = tx.ACLToken(token.AccessorID); old == nil {
		return nil, badRequest("cannot find token %s", token.AccessorID)
	}
	token.SecretID, token.CreateTime = old.SecretID, old.CreateTime
	return old, nil
}

// checkToken finds everything that is wrong with a token, or with changing old to it.
func checkToken(token, old *state.ACLToken) error {
	var problems *multierror.Error
	add := func(problem error) { problems = multierror.Append(problems, problem) }
	if len(token.Name) > maxTokenName {
		add(errors.New("token name too long"))
	}
	switch linked := len(token.Policies)+len(token.Roles) > 0; {
	case token.Type != state.ACLClientToken && token.Type != state.ACLManagementToken:
		add(errors.New("token type must be client or management"))
	case token.Type == state.ACLClientToken && !linked:
		add(errors.New("client token missing policies or roles"))
	case token.Type == state.ACLManagementToken && linked:
		add(errors.New("management token cannot be associated with policies or roles"))
	}
	if old != nil {
		if old.Global != token.Global {
			add(errors.New("cannot toggle global mode"))
		}
		if old.ExpirationTTL != token.ExpirationTTL {
			add(errors.New("cannot update expiration TTL"))
		}
		if !sameTime(old.ExpirationTime, token.ExpirationTime) {
			add(errors.New("cannot update expiration time"))
		}
		return problems.ErrorOrNil()
	}
	problems = multierror.Append(problems, checkExpiration(token)...)
	return problems.ErrorOrNil()
}

// checkExpiration finds what is wrong with the end of a new token.
func checkExpiration(token *state.ACLToken) []error {
	var problems []error
	if token.ExpirationTTL < 0 {
		problems = append(problems, fmt.Errorf("token expiration TTL '%s' should not be negative", time.Duration(token.ExpirationTTL)))
	}
	if token.ExpirationTime == nil {
		return problems
	}
	if token.ExpirationTime.Before(token.CreateTime) {
		problems = append(problems, errors.New("expiration time cannot be before create time"))
	}
	switch holds := token.ExpirationTime.Sub(token.CreateTime); {
	case holds < minTokenTTL:
		problems = append(problems, fmt.Errorf("expiration time cannot be less than %s in the future (was %s)", minTokenTTL, holds))
	case holds > maxTokenTTL:
		problems = append(problems, fmt.Errorf("expiration time cannot be more than %s in the future (was %s)", maxTokenTTL, holds))
	}
	return problems
}

// sameTime tells whether a change leaves an end as it is: one that is not given stays.
func sameTime(old, next *time.Time) bool {
	return next == nil || old != nil && old.Equal(*next)
}

// linkRoles finds the roles that a token names by ID or by name, each once.
func linkRoles(view *state.View, links []*api.ACLTokenRoleLink) ([]*api.ACLTokenRoleLink, error) {
	if links == nil {
		return nil, nil
	}
	linked := []*api.ACLTokenRoleLink{}
	for _, link := range links {
		role := view.ACLRole(link.ID)
		if link.ID == "" {
			role = view.ACLRoleNamed(link.Name)
		}
		if role == nil {
			return nil, badRequest("cannot find role %s", link.ID+link.Name)
		}
		if !slices.ContainsFunc(linked, func(l *api.ACLTokenRoleLink) bool { return l.ID == role.ID }) {
			linked = append(linked, &api.ACLTokenRoleLink{ID: role.ID, Name: role.Name})
		}
	}
	return linked, nil
}
