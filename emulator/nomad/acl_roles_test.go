package nomad

import (
	"net/http"
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRoles(t *testing.T) {
	t.Parallel()
	n, root := startACL(t)
	_, err := root.ACLPolicies().Upsert(&api.ACLPolicy{Name: "p", Rules: `namespace "default" { policy = "read" }`}, nil)
	require.NoError(t, err)
	made, _, err := root.ACLRoles().Create(&api.ACLRole{Name: "r", Policies: []*api.ACLRolePolicyLink{{Name: "p"}, {Name: "p"}}}, nil)
	require.NoError(t, err)
	assert.Len(t, made.Policies, 1)
	byID, _, err := root.ACLRoles().Get(made.ID, nil)
	require.NoError(t, err)
	assert.Equal(t, made, byID)
	byName, _, err := root.ACLRoles().GetByName("r", nil)
	require.NoError(t, err)
	assert.Equal(t, made, byName)

	token, _, err := root.ACLTokens().Create(&api.ACLToken{Type: "client", Roles: []*api.ACLTokenRoleLink{{Name: "r"}}}, nil)
	require.NoError(t, err)
	mine := withToken(t, n, token.SecretID)
	_, _, err = mine.Services().List(nil)
	require.NoError(t, err, "a role's policies hold")
	made.Name = "renamed"
	changed, _, err := root.ACLRoles().Update(made, nil)
	require.NoError(t, err)
	assert.Equal(t, made.ID, changed.ID)
	self, _, err := mine.ACLTokens().Self(nil)
	require.NoError(t, err)
	assert.Equal(t, "renamed", self.Roles[0].Name)
	list, _, err := mine.ACLRoles().List(nil)
	require.NoError(t, err)
	assert.Len(t, list, 1)

	for _, r := range []refusal{
		{http.MethodPut, "/v1/acl/role", map[string]any{}, 400, "role 0 invalid: 2 errors occurred:\n\t* invalid name ''\n\t* at least one policy should be specified\n\n"},
		{http.MethodPut, "/v1/acl/role", api.ACLRole{Name: "x", Policies: []*api.ACLRolePolicyLink{{Name: "nope"}}}, 400, "cannot find policy nope"},
		{http.MethodPut, "/v1/acl/role", api.ACLRole{Name: "renamed", Policies: made.Policies}, 400, "role with name renamed already exists"},
		{http.MethodPut, "/v1/acl/role", api.ACLRole{ID: "x", Name: "y", Policies: made.Policies}, 400, "cannot find role x"},
		{http.MethodPut, "/v1/acl/role/" + made.ID, api.ACLRole{Name: "y", Policies: made.Policies}, 400, "ACL role ID does not match request path"},
		{http.MethodPut, "/v1/acl/role/", nil, 400, "missing ACL role ID"},
		{http.MethodGet, "/v1/acl/role/x", nil, 404, "ACL role not found"},
		{http.MethodGet, "/v1/acl/role/name/x", nil, 404, "ACL role not found"},
		{http.MethodGet, "/v1/acl/role/name/", nil, 400, "missing ACL role name"},
		{http.MethodGet, "/v1/acl/role", nil, 405, "Invalid method"},
		{http.MethodDelete, "/v1/acl/role/x", nil, 500, "ACL role not found"},
	} {
		r.check(t, n, rootSecret)
	}
	refusal{http.MethodGet, "/v1/acl/role/x", nil, 403, "Permission denied"}.check(t, n, token.SecretID)

	_, err = root.ACLRoles().Delete(made.ID, nil)
	require.NoError(t, err)
	_, _, err = mine.Services().List(nil)
	require.ErrorContains(t, err, "Permission denied")
	self, _, err = mine.ACLTokens().Self(nil)
	require.NoError(t, err)
	assert.Empty(t, self.Roles)
}
