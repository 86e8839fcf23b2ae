package consul

import (
	"strings"
	"testing"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRolesAreCreatedChangedAndDeleted(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	roles := as(t, c, root).ACL()
	one, two := newPolicy(t, c, "one", ""), newPolicy(t, c, "two", "")
	created, _, err := roles.RoleCreate(&api.ACLRole{
		Name:              "role",
		Policies:          []*api.ACLRolePolicyLink{{ID: one}, {Name: "two"}, {Name: "one"}},
		ServiceIdentities: []*api.ACLServiceIdentity{{ServiceName: "web", Datacenters: []string{"dc1"}}},
		NodeIdentities:    []*api.ACLNodeIdentity{{NodeName: "node", Datacenter: "dc1"}},
		TemplatedPolicies: []*api.ACLTemplatedPolicy{{TemplateName: api.ACLTemplatedPolicyDNSName}},
	}, nil)
	require.NoError(t, err)
	assert.Equal(t, []*api.ACLRolePolicyLink{{ID: one, Name: "one"}, {ID: two, Name: "two"}}, created.Policies)

	read, _, err := roles.RoleRead(created.ID, nil)
	require.NoError(t, err)
	assert.Equal(t, created, read)
	read, _, err = roles.RoleReadByName("Role", nil)
	require.NoError(t, err)
	assert.Equal(t, created, read)

	_, err = roles.PolicyDelete(two, nil)
	require.NoError(t, err)
	_, _, err = roles.PolicyUpdate(&api.ACLPolicy{ID: one, Name: "uno"}, nil)
	require.NoError(t, err)
	read, _, err = roles.RoleRead(created.ID, nil)
	require.NoError(t, err)
	assert.Equal(t, []*api.ACLRolePolicyLink{{ID: one, Name: "uno"}}, read.Policies)

	read.Policies, read.Name = nil, "renamed"
	changed, _, err := roles.RoleUpdate(read, nil)
	require.NoError(t, err)
	assert.Equal(t, created.CreateIndex, changed.CreateIndex)
	assert.Empty(t, changed.Policies)

	list, _, err := roles.RoleList(nil)
	require.NoError(t, err)
	assert.Equal(t, []*api.ACLRole{changed}, list)
	_, err = roles.RoleDelete(created.ID, nil)
	require.NoError(t, err)
	read, _, err = roles.RoleRead(created.ID, nil)
	require.NoError(t, err)
	assert.Nil(t, read)
}

func TestRolesThatAreRefused(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	roles := as(t, c, root).ACL()
	one, _, err := roles.RoleCreate(&api.ACLRole{Name: "one"}, nil)
	require.NoError(t, err)
	_, _, err = roles.RoleCreate(&api.ACLRole{Name: "two"}, nil)
	require.NoError(t, err)
	const absent = "11111111-1111-1111-1111-111111111111"
	const badName = "Invalid Role: invalid Name. Only alphanumeric characters, '-' and '_' are allowed"
	assertRefused(t, c, []refusal{
		{"PUT", "role", ``, 400, "Role decoding failed: EOF"},
		{"PUT", "role", `{"Name":"x","Unknown":1}`, 400, `Role decoding failed: json: unknown field "Unknown"`},
		{"PUT", "role", `{"ID":"x","Name":"x"}`, 400, "Role ID in URL and payload do not match"},
		{"PUT", "role", `{}`, 500, "Invalid Role: no Name is set"},
		{"PUT", "role", `{"Name":"a/b"}`, 500, badName},
		{"PUT", "role", `{"Name":"` + strings.Repeat("a", 257) + `"}`, 500, badName},
		{"PUT", "role", `{"Name":"One"}`, 500, `Invalid Role: A Role with Name "One" already exists`},
		{"PUT", "role", `{"Name":"x","Policies":[{"Name":"nope"}]}`, 500, `No such ACL policy with name "nope"`},
		{"PUT", "role", `{"Name":"x","Policies":[{"ID":"x"}]}`, 500, "Failed to apply role upsert request: failed acl policy lookup: index error: UUID must be 36 characters"},
		{"PUT", "role", `{"Name":"x","Policies":[{"ID":"` + absent + `"}]}`, 500, "Failed to apply role upsert request: No such policy with ID: " + absent},
		{"PUT", "role", `{"Name":"x","ServiceIdentities":[{}]}`, 500, "Service identity is missing the service name field on this role"},
		{"PUT", "role", `{"Name":"x","NodeIdentities":[{}]}`, 500, "Node identity is missing the node name field on this role"},
		{"PUT", "role", `{"Name":"x","TemplatedPolicies":[{}]}`, 500, "templated policy is missing the template name field on this role"},
		{"PUT", "role", `{"Name":"x","TemplatedPolicies":[{"TemplateName":"nope"}]}`, 500, "templated policy with an invalid templated name: nope for this role"},
		{"PUT", "role", `{"Name":"x","TemplatedPolicies":[{"TemplateName":"builtin/service"}]}`, 500,
			"encountered role with invalid templated policy: 1 error occurred:\n\t* Invalid type. Expected: object, given: null\n\n"},
		{"PUT", "role/" + one.ID, `{"Name":"two"}`, 500, `Invalid Role: A role with name "two" already exists`},
		{"PUT", "role/" + absent, `{"Name":"x"}`, 500, "cannot find role " + absent},
		{"PUT", "role/nope", `{"Name":"x"}`, 500, "Role ID invalid UUID"},
		{"GET", "roles?policy=nope", ``, 500, "failed acl role lookup: index error: UUID must be 36 characters"},
		{"GET", "role/", ``, 400, "Missing role ID"},
		{"GET", "role/name/", ``, 400, "Missing role Name"},
		{"GET", "role/nope", ``, 500, "failed acl role lookup: index error: UUID must be 36 characters"},
		{"GET", "role/name/nope", ``, 404, "Requested role does not exist: ACL not found"},
		{"DELETE", "role/", ``, 400, "Missing role ID"},
		{"DELETE", "role/" + absent, ``, 404, "Cannot find role to delete"},
	})
}

func TestRolesOfAPolicy(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	id := newPolicy(t, c, "one", "")
	roles := as(t, c, root).ACL()
	with, _, err := roles.RoleCreate(&api.ACLRole{Name: "with", Policies: []*api.ACLRolePolicyLink{{ID: id}}}, nil)
	require.NoError(t, err)
	_, _, err = roles.RoleCreate(&api.ACLRole{Name: "without"}, nil)
	require.NoError(t, err)
	status, _, body := askWithToken(t, c, root, "GET", "/v1/acl/roles?policy="+id, "")
	assert.Equal(t, 200, status)
	assert.Contains(t, body, with.ID)
	assert.NotContains(t, body, "without")
}
