package consul

import (
	"strings"
	"testing"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/consul/state"
)

func TestPoliciesAreCreatedChangedAndDeleted(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	policies := as(t, c, root).ACL()
	created, _, err := policies.PolicyCreate(&api.ACLPolicy{
		Name: "one", Description: "first", Rules: `node_prefix "" { policy = "read" }`, Datacenters: []string{"dc1"},
	}, nil)
	require.NoError(t, err)
	assert.NotEmpty(t, created.ID)
	assert.NotEmpty(t, created.Hash)

	read, meta, err := policies.PolicyRead(created.ID, nil)
	require.NoError(t, err)
	assert.Equal(t, created, read)
	assert.True(t, meta.KnownLeader)
	assert.Equal(t, created.ModifyIndex, meta.LastIndex)
	named, _, err := policies.PolicyReadByName("ONE", nil)
	require.NoError(t, err)
	assert.Equal(t, created, named)

	read.Name, read.Rules, read.Datacenters = "team/one", "", nil
	changed, _, err := policies.PolicyUpdate(read, nil)
	require.NoError(t, err)
	assert.Equal(t, created.CreateIndex, changed.CreateIndex)
	assert.Greater(t, changed.ModifyIndex, created.ModifyIndex)
	assert.NotEqual(t, created.Hash, changed.Hash)
	assert.Nil(t, changed.Datacenters)
	named, _, err = policies.PolicyReadByName("team/one", nil)
	require.NoError(t, err)
	assert.Equal(t, changed, named)

	list, _, err := policies.PolicyList(nil)
	require.NoError(t, err)
	var names []string
	for _, p := range list {
		names = append(names, p.Name)
	}
	assert.Equal(t, []string{"builtin/global-read-only", "global-management", "team/one"}, names)

	_, err = policies.PolicyDelete(created.ID, nil)
	require.NoError(t, err)
	_, _, err = policies.PolicyRead(created.ID, nil)
	assert.EqualError(t, err, "Unexpected response code: 404 (Requested policy does not exist: ACL not found)")
}

func TestPoliciesThatAreRefused(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	one := newPolicy(t, c, "one", "")
	newPolicy(t, c, "two", "")
	const absent = "11111111-1111-1111-1111-111111111111"
	const onlyThese = "Invalid Policy: invalid Name. Only alphanumeric characters, a single '/', '-' and '_' are allowed"
	const prefixed = "Invalid Policy: invalid Name. Names cannot be prefixed with '/' or 'builtin/'"
	assertRefused(t, c, []refusal{
		{"PUT", "policy", ``, 400, "Policy decoding failed: EOF"},
		{"PUT", "policy", `{bad`, 400, "Policy decoding failed: invalid character 'b' looking for beginning of object key string"},
		{"PUT", "policy", `{"Name":"x","Unknown":1}`, 400, `Policy decoding failed: json: unknown field "Unknown"`},
		{"PUT", "policy", `{"ID":"` + absent + `"}`, 400, "Cannot specify the ID when creating a new policy"},
		{"PUT", "policy", `{}`, 500, "Invalid Policy: no Name is set"},
		{"PUT", "policy", `{"Name":"bad name"}`, 500, onlyThese},
		{"PUT", "policy", `{"Name":"a/b/c"}`, 500, onlyThese},
		{"PUT", "policy", `{"Name":"/a"}`, 500, prefixed},
		{"PUT", "policy", `{"Name":"builtin/a"}`, 500, prefixed},
		{"PUT", "policy", `{"Name":"` + strings.Repeat("a", 129) + `"}`, 500, "Invalid Policy: invalid Name. Length must be greater than 0 and less than 128"},
		{"PUT", "policy", `{"Name":"One"}`, 500, `Invalid Policy: A Policy with Name "One" already exists`},
		{"PUT", "policy", `{"Name":"x","Rules":"xxx {{"}`, 500, "Failed to parse ACL rules: At 1:6: expected: IDENT | STRING got: LBRACE"},
		{"PUT", "policy/" + one, `{"Name":"two"}`, 500, `Invalid Policy: A policy with name "two" already exists`},
		{"PUT", "policy/" + one, `{"ID":"` + absent + `"}`, 400, "Policy ID in URL and payload do not match"},
		{"PUT", "policy/" + absent, `{"Name":"x"}`, 500, "cannot find policy " + absent},
		{"PUT", "policy/nope", `{"Name":"x"}`, 500, "Policy ID invalid UUID"},
		{"PUT", "policy/" + state.ManagementPolicyID, `{"Name":"x"}`, 500, "Changing the Rules for the builtin global-management policy is not permitted"},
		{"DELETE", "policy/" + state.ManagementPolicyID, ``, 500, "Delete operation not permitted on the builtin global-management policy"},
		{"DELETE", "policy/" + state.ReadOnlyPolicyID, ``, 500, "Delete operation not permitted on the builtin builtin/global-read-only policy"},
		{"DELETE", "policy/" + absent, ``, 404, "Cannot find policy to delete"},
		{"DELETE", "policy/nope", ``, 500, "failed acl policy lookup: index error: UUID must be 36 characters"},
		{"DELETE", "policy/", ``, 400, "Missing policy ID"},
		{"GET", "policy/", ``, 400, "Missing policy ID"},
		{"GET", "policy/name/", ``, 400, "Missing policy Name"},
		{"GET", "policy/nope", ``, 500, "failed acl policy lookup: index error: UUID must be 36 characters"},
		{"GET", "policy/" + absent, ``, 404, "Requested policy does not exist: ACL not found"},
	})
}

func TestBuiltinPoliciesCanBeRenamedAlone(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	policies := as(t, c, root).ACL()
	policy, _, err := policies.PolicyRead(state.ReadOnlyPolicyID, nil)
	require.NoError(t, err)
	policy.Name = "read-only"
	_, _, err = policies.PolicyUpdate(policy, nil)
	require.NoError(t, err)
	policy.Datacenters = []string{"dc1"}
	_, _, err = policies.PolicyUpdate(policy, nil)
	assert.ErrorContains(t, err, "Changing the Datacenters of the read-only policy is not permitted")
}
