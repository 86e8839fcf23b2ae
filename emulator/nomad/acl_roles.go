package nomad

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/google/uuid"
	"github.com/hashicorp/go-multierror"
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// holdsRole tells whether the caller may see the role: it has it, or may everything.
func (c *caller) holdsRole(id string) bool {
	if c.may.IsManagement() {
		return true
	}
	return c.token != nil && slices.ContainsFunc(c.token.Roles, func(l *api.ACLTokenRoleLink) bool { return l.ID == id })
}

func (r *request) aclRoles() (any, error) {
	c, err := r.identify()
	if err != nil {
		return nil, err
	}
	if c.token == nil {
		return nil, fail(http.StatusForbidden, "ACL token not found")
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		list := []*state.ACLRole{}
		for role := range view.ACLRoles(r.query.Get("prefix")) {
			if c.holdsRole(role.ID) {
				list = append(list, role)
			}
		}
		return list, tableIndex(view, state.TableACLRoles), nil
	})
}

func (r *request) aclRole() (any, error) {
	id := r.PathValue("id")
	if id == "" {
		return nil, badRequest("missing ACL role ID")
	}
	return r.oneRole(func(view *state.View) *state.ACLRole { return view.ACLRole(id) })
}

func (r *request) aclRoleNamed() (any, error) {
	name := r.PathValue("name")
	if name == "" {
		return nil, badRequest("missing ACL role name")
	}
	return r.oneRole(func(view *state.View) *state.ACLRole { return view.ACLRoleNamed(name) })
}

func (r *request) oneRole(find func(*state.View) *state.ACLRole) (any, error) {
	c, err := r.identify()
	if err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		role := find(view)
		switch {
		case role == nil && c.may.IsManagement():
			return nil, tableIndex(view, state.TableACLRoles), notFound("ACL role not found")
		case role == nil || !c.holdsRole(role.ID):
			return nil, 0, errDenied
		}
		return role, role.ModifyIndex, nil
	})
}

// putACLRole creates a role, or changes the one that the path names.
func (r *request) putACLRole() (any, error) {
	id, inPath := r.PathValue("id"), r.URL.Path != "/v1/acl/role"
	if inPath && id == "" {
		return nil, badRequest("missing ACL role ID")
	}
	role := &state.ACLRole{}
	if err := r.decode(role); err != nil {
		return nil, err
	}
	if inPath && role.ID != id {
		return nil, badRequest("ACL role ID does not match request path")
	}
	if err := r.needManagement(); err != nil {
		return nil, err
	}
	if err := checkRole(role); err != nil {
		return nil, badRequest("role 0 invalid: %v", err)
	}
	return role, r.write(func(tx *state.Tx) error { return upsertRole(tx, role) })
}

// checkRole finds everything that is wrong with a role by itself.
func checkRole(role *state.ACLRole) error {
	var problems *multierror.Error
	if !aclNames().MatchString(role.Name) {
		problems = multierror.Append(problems, fmt.Errorf("invalid name '%s'", role.Name))
	}
	if len(role.Description) > maxDescription {
		problems = multierror.Append(problems, fmt.Errorf("description longer than %d", maxDescription))
	}
	if len(role.Policies) == 0 {
		problems = multierror.Append(problems, errors.New("at least one policy should be specified"))
	}
	return problems.ErrorOrNil()
}

func upsertRole(tx *state.Tx, role *state.ACLRole) error {
	same := tx.ACLRoleNamed(role.Name)
	switch {
	case role.ID == "" && same != nil:
		return badRequest("role with name %s already exists", role.Name)
	case role.ID == "":
		role.ID = uuid.NewString()
	case tx.ACLRole(role.ID) == nil:
		return badRequest("cannot find role %s", role.ID)
	case same != nil && same.ID != role.ID:
		return fmt.Errorf("ACL role with name %s already exists", role.Name)
	}
	var policies []*api.ACLRolePolicyLink
	for _, link := range role.Policies {
		if tx.ACLPolicy(link.Name) == nil {
			return badRequest("cannot find policy %s", link.Name)
		}
		if !slices.ContainsFunc(policies, func(l *api.ACLRolePolicyLink) bool { return l.Name == link.Name }) {
			policies = append(policies, link)
		}
	}
	role.Policies = policies
	tx.UpsertACLRole(role)
	return nil
}

func (r *request) deleteACLRole() (any, error) {
	id := r.PathValue("id")
	if id == "" {
		return nil, badRequest("missing ACL role ID")
	}
	if err := r.needManagement(); err != nil {
		return nil, err
	}
	return nil, r.write(func(tx *state.Tx) error {
		role := tx.ACLRole(id)
		if role == nil {
			return fail(http.StatusInternalServerError, "ACL role not found")
		}
		tx.DeleteACLRole(role)
		return nil
	})
}
