package consul

import (
	"net/http"
	"regexp"
	"sync"

	"github.com/google/uuid"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

func roleRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/acl/roles", inPrimary(listRoles)),
		faithful(http.MethodPut, "/v1/acl/role", inPrimary(putRole)),
		faithful(http.MethodGet, "/v1/acl/role/{id...}", inPrimary(getRole)),
		faithful(http.MethodPut, "/v1/acl/role/{id...}", inPrimary(putRole)),
		faithful(http.MethodDelete, "/v1/acl/role/{id...}", inPrimary(deleteRole)),
		faithful(http.MethodGet, "/v1/acl/role/name/{name...}", inPrimary(getRoleNamed)),
	}
}

func listRoles(r *request) (any, error) {
	policy := r.query.Get("policy")
	if err := r.need(acl.Read, acl.ACL, ""); err != nil {
		return nil, err
	}
	if policy != "" {
		if err := checkLookup("role", policy); err != nil {
			return nil, err
		}
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		list := []*state.Role{}
		for role := range store.All[state.Role](view, state.TableRoles, "name") {
			if role = view.CurrentRole(role); policy == "" || state.Linked(role.Policies, policy) {
				list = append(list, role)
			}
		}
		return list, view.Index(state.TableRoles, state.TablePolicies), nil
	})
}

func getRole(r *request) (any, error) {
	id := r.PathValue("id")
	if id == "" {
		return nil, badRequest("Missing role ID")
	}
	return r.findRole(func(view *state.View) (*state.Role, error) {
		return view.Role(id), checkLookup("role", id)
	})
}

func getRoleNamed(r *request) (any, error) {
	name := r.PathValue("name")
	if name == "" {
		return nil, badRequest("Missing role Name")
	}
	return r.findRole(func(view *state.View) (*state.Role, error) {
		return view.RoleNamed(name), nil
	})
}

func (r *request) findRole(find func(*state.View) (*state.Role, error)) (any, error) {
	if err := r.need(acl.Read, acl.ACL, ""); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		index := view.Index(state.TableRoles, state.TablePolicies)
		role, err := find(view)
		if err != nil {
			return nil, 0, err
		}
		if role == nil {
			return nil, index, notFound("Requested role does not exist: " + aclNotFound)
		}
		return view.CurrentRole(role), index, nil
	})
}

// putRole creates a role, or changes the one that the path names.
func putRole(r *request) (any, error) {
	var role state.Role
	if err := r.decodeKnown(&role, "Role decoding failed"); err != nil {
		return nil, err
	}
	id := r.PathValue("id")
	if role.ID != "" && role.ID != id {
		return nil, badRequest("Role ID in URL and payload do not match")
	}
	if err := r.need(acl.Write, acl.ACL, ""); err != nil {
		return nil, err
	}
	role.ID = id
	var stored *state.Role
	err := r.write(func(tx *state.Tx) error {
		if err := prepareRole(&tx.View, &role); err != nil {
			return err
		}
		stored = tx.PutRole(role)
		return nil
	})
	return stored, err
}

// prepareRole checks a role, without an ID if it is new, and then makes one.
func prepareRole(view *state.View, role *state.Role) error {
	if err := checkRoleName(role.Name); err != nil {
		return errText("Invalid Role: %v", err)
	}
	named := view.RoleNamed(role.Name)
	if role.ID == "" {
		if named != nil {
			return errText("Invalid Role: A Role with Name %q already exists", role.Name)
		}
		role.ID = uuid.NewString()
	} else if err := checkRoleChange(view, named, role); err != nil {
		return err
	}
	var err error
	if role.Policies, err = resolveLinks(role.Policies, rolePolicy(view)); err != nil {
		return err
	}
	grants := grants{role.ServiceIdentities, role.NodeIdentities, role.TemplatedPolicies}
	if grants, err = grants.check(ofRole, false); err != nil {
		return err
	}
	role.ServiceIdentities, role.NodeIdentities, role.TemplatedPolicies = grants.services, grants.nodes, grants.templated
	return nil
}

func checkRoleChange(view *state.View, named, role *state.Role) error {
	if !isUUID(role.ID) {
		return errText("Role ID invalid UUID")
	}
	old := view.Role(role.ID)
	if old == nil {
		return errText("cannot find role %s", role.ID)
	}
	if named != nil && named.ID != old.ID {
		return errText("Invalid Role: A role with name %q already exists", role.Name)
	}
	return nil
}

// roleNames are also those of auth methods.
var roleNames = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`) })

func checkRoleName(name string) error {
	if name == "" {
		return errText("no Name is set")
	}
	if !roleNames().MatchString(name) {
		return errText("invalid Name. Only alphanumeric characters, '-' and '_' are allowed")
	}
	return nil
}

func deleteRole(r *request) (any, error) {
	id := r.PathValue("id")
	if id == "" {
		return nil, badRequest("Missing role ID")
	}
	if err := r.need(acl.Write, acl.ACL, ""); err != nil {
		return nil, err
	}
	if err := checkLookup("role", id); err != nil {
		return nil, err
	}
	err := r.write(func(tx *state.Tx) error {
		role := tx.Role(id)
		if role == nil {
			return notFound("Cannot find role to delete")
		}
		tx.Delete(state.TableRoles, role)
		return nil
	})
	return true, err
}
