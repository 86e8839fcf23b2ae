package consul

import (
	"net/http"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/consul/acl"
)

const (
	givenAccessor  = "22222222-2222-2222-2222-222222222222"
	givenSecret    = "33333333-3333-3333-3333-333333333333"
	absentAccessor = "11111111-1111-1111-1111-111111111111"
)

func TestTokensAreCreatedReadChangedAndDeleted(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	tokens := as(t, c, root).ACL()
	one := newPolicy(t, c, "one", "")
	newPolicy(t, c, "two", "")
	created, _, err := tokens.TokenCreate(&api.ACLToken{
		AccessorID: givenAccessor, SecretID: givenSecret, Description: "given",
		Policies: []*api.ACLTokenPolicyLink{{ID: one}, {Name: "two"}, {Name: "one"}},
	}, nil)
	require.NoError(t, err)
	assert.Equal(t, givenAccessor, created.AccessorID)
	assert.Equal(t, givenSecret, created.SecretID)
	assert.Len(t, created.Policies, 2)
	assert.WithinDuration(t, time.Now(), created.CreateTime, time.Minute)

	read, meta, err := tokens.TokenRead(givenAccessor, nil)
	require.NoError(t, err)
	assert.Equal(t, created, read)
	assert.True(t, meta.KnownLeader)
	self, _, err := as(t, c, givenSecret).ACL().TokenReadSelf(nil)
	require.NoError(t, err)
	assert.Equal(t, created, self)

	read.Description = "changed"
	read.Policies = append(read.Policies[:1], &api.ACLTokenPolicyLink{Name: "two"})
	changed, _, err := tokens.TokenUpdate(read, nil)
	require.NoError(t, err)
	assert.Equal(t, created.CreateIndex, changed.CreateIndex)
	assert.Greater(t, changed.ModifyIndex, created.ModifyIndex)
	assert.NotEqual(t, created.Hash, changed.Hash)

	_, err = tokens.TokenDelete(givenAccessor, nil)
	require.NoError(t, err)
	_, _, err = tokens.TokenRead(givenAccessor, nil)
	assert.EqualError(t, err, "Unexpected response code: 403 (token does not exist: ACL not found)")
	_, _, err = as(t, c, givenSecret).KV().Get("a", nil)
	assert.EqualError(t, err, "Unexpected response code: 403 (ACL not found)")
}

func TestClonesGrantTheSame(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	tokens := as(t, c, root).ACL()
	self, _, err := tokens.TokenReadSelf(nil)
	require.NoError(t, err)
	clone, _, err := tokens.TokenClone(self.AccessorID, "a clone", nil)
	require.NoError(t, err)
	assert.NotEqual(t, self.AccessorID, clone.AccessorID)
	assert.NotEqual(t, self.SecretID, clone.SecretID)
	assert.Equal(t, "a clone", clone.Description)
	assert.Equal(t, self.Policies, clone.Policies)
	_, err = as(t, c, clone.SecretID).KV().Put(&api.KVPair{Key: "a"}, nil)
	assert.NoError(t, err)
}

func TestIdentitiesOfATokenAreMerged(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	web := &api.ACLTemplatedPolicyVariables{Name: "web"}
	token, _, err := as(t, c, root).ACL().TokenCreate(&api.ACLToken{
		ServiceIdentities: []*api.ACLServiceIdentity{
			{ServiceName: "web", Datacenters: []string{"dc2"}}, {ServiceName: "web", Datacenters: []string{"dc1", "dc2"}}, {ServiceName: "api"},
		},
		NodeIdentities: []*api.ACLNodeIdentity{{NodeName: "n", Datacenter: "dc1"}, {NodeName: "n", Datacenter: "dc1"}},
		TemplatedPolicies: []*api.ACLTemplatedPolicy{
			{TemplateName: api.ACLTemplatedPolicyServiceName, TemplateVariables: web, Datacenters: []string{"dc1"}},
			{TemplateName: api.ACLTemplatedPolicyServiceName, TemplateVariables: web, Datacenters: []string{"dc2"}},
			{TemplateName: api.ACLTemplatedPolicyDNSName},
		},
	}, nil)
	require.NoError(t, err)
	assert.Equal(t, []*api.ACLServiceIdentity{{ServiceName: "web", Datacenters: []string{"dc1", "dc2"}}, {ServiceName: "api"}}, token.ServiceIdentities)
	assert.Len(t, token.NodeIdentities, 1)
	require.Len(t, token.TemplatedPolicies, 2)
	assert.Equal(t, []string{"dc1", "dc2"}, token.TemplatedPolicies[0].Datacenters)
}

func TestTokensThatAreRefused(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	tokens := as(t, c, root).ACL()
	_, _, err := tokens.TokenCreate(&api.ACLToken{AccessorID: givenAccessor, SecretID: givenSecret}, nil)
	require.NoError(t, err)
	self, _, err := tokens.TokenReadSelf(nil)
	require.NoError(t, err)
	const identityName = " has an invalid name. Only lowercase alphanumeric characters, '-' and '_' are allowed"
	assertRefused(t, c, []refusal{
		{"PUT", "token", ``, 400, "Token decoding failed: EOF"},
		{"PUT", "token", `{"Rules":"x"}`, 400, `Token decoding failed: json: unknown field "Rules"`},
		{"PUT", "token", `{"ExpirationTTL":"abc"}`, 400, `Token decoding failed: time: invalid duration "abc"`},
		{"PUT", "token", `{"AccessorID":"x"}`, 500, "Invalid Token: AccessorID - not a valid UUID"},
		{"PUT", "token", `{"SecretID":"x"}`, 500, "Invalid Token: SecretID - not a valid UUID"},
		{"PUT", "token", `{"AccessorID":"` + givenAccessor + `"}`, 500, "Invalid Token: AccessorID is already in use"},
		{"PUT", "token", `{"AccessorID":"` + givenSecret + `"}`, 500, "Invalid Token: AccessorID is already in use"},
		{"PUT", "token", `{"SecretID":"` + givenSecret + `"}`, 500, "Invalid Token: SecretID is already in use"},
		{"PUT", "token", `{"SecretID":"00000000-0000-0000-0000-000000000009"}`, 500,
			`Invalid Token: SecretID - UUIDs with the prefix "00000000-0000-0000-0000-0000000000" are reserved`},
		{"PUT", "token", `{"AuthMethod":"x"}`, 500, "AuthMethod field is disallowed outside of login"},
		{"PUT", "token", `{"Policies":[{"Name":"nope"}]}`, 500, `No such ACL policy with name "nope"`},
		{"PUT", "token", `{"Policies":[{"ID":"` + absentAccessor + `"}]}`, 500, `No such ACL policy with ID "` + absentAccessor + `"`},
		{"PUT", "token", `{"Policies":[{"ID":"x"}]}`, 500, `Error looking up policy for ID: "x": failed acl policy lookup: index error: UUID must be 36 characters`},
		{"PUT", "token", `{"Roles":[{"Name":"nope"}]}`, 500, `No such ACL role with name "nope"`},
		{"PUT", "token", `{"Roles":[{"ID":"` + absentAccessor + `"}]}`, 500, `No such ACL role with ID "` + absentAccessor + `"`},
		{"PUT", "token", `{"Roles":[{"ID":"x"}]}`, 500, `Error looking up role for ID: "x": failed acl role lookup: index error: UUID must be 36 characters`},
		{"PUT", "token", `{"ServiceIdentities":[{}]}`, 500, "Service identity is missing the service name field on this token"},
		{"PUT", "token", `{"ServiceIdentities":[{"ServiceName":"A"}]}`, 500, `Service identity "A"` + identityName},
		{"PUT", "token", `{"Local":true,"ServiceIdentities":[{"ServiceName":"a","Datacenters":["dc1"]}]}`, 500,
			`Service identity "a" cannot specify a list of datacenters on a local token`},
		{"PUT", "token", `{"NodeIdentities":[{"NodeName":"n"}]}`, 500, "Node identity is missing the datacenter field on this token"},
		{"PUT", "token", `{"NodeIdentities":[{"NodeName":"N","Datacenter":"dc1"}]}`, 500, "Node identity" + identityName},
		{"PUT", "token", `{"TemplatedPolicies":[{}]}`, 500, "templated policy is missing the template name field on this token"},
		{"PUT", "token", `{"TemplatedPolicies":[{"TemplateName":"nope"}]}`, 500, `no such ACL templated policy with Name "nope"`},
		{"PUT", "token", `{"TemplatedPolicies":[{"TemplateName":"builtin/node","TemplateVariables":{"Name":"N"}}]}`, 500,
			`validation error for templated policy "builtin/node": node identity "N" ` + identityName},
		{"PUT", "token", `{"ExpirationTTL":"-1h"}`, 500, "Token Expiration TTL '-1h0m0s' should be > 0"},
		{"PUT", "token", `{"ExpirationTTL":"30s"}`, 500, "ExpirationTime cannot be less than 1m0s in the future (was 30s)"},
		{"PUT", "token", `{"ExpirationTime":"2020-01-01T00:00:00Z"}`, 500, "ExpirationTime cannot be before CreateTime"},
		{"PUT", "token", `{"ExpirationTTL":"1h","ExpirationTime":"2130-01-01T00:00:00Z"}`, 500, "Token Expiration TTL and Expiration Time cannot both be set"},
		{"PUT", "token/" + givenAccessor, `{"AccessorID":"` + absentAccessor + `"}`, 400, "Token Accessor ID in URL and payload do not match"},
		{"PUT", "token/" + givenAccessor, `{"SecretID":"x"}`, 500, "Changing a token's SecretID is not permitted"},
		{"PUT", "token/" + givenAccessor, `{"Local":true}`, 500, "Cannot toggle local mode of " + givenAccessor},
		{"PUT", "token/" + givenAccessor, `{"AuthMethod":"x"}`, 500, "Cannot change AuthMethod of " + givenAccessor},
		{"PUT", "token/" + givenAccessor, `{"ExpirationTTL":"1h"}`, 500, "Cannot change expiration time of " + givenAccessor},
		{"PUT", "token/" + absentAccessor, `{}`, 500, `Cannot find token "` + absentAccessor + `"`},
		{"PUT", "token/nope", `{}`, 500, "AccessorID is not a valid UUID"},
		{"PUT", "token/self", `{}`, 405, "method PUT not allowed"},
		{"PUT", "token/" + absentAccessor + "/clone", `{}`, 403, "token does not exist: ACL not found"},
		{"PUT", "token/nope/clone", `{}`, 500, "failed acl token lookup: index error: UUID must be 36 characters"},
		{"GET", "token/", ``, 400, "Missing token AccessorID"},
		{"GET", "token/nope", ``, 500, "failed acl token lookup: index error: UUID must be 36 characters"},
		{"GET", "tokens?policy=nope", ``, 500, "failed acl token lookup: index error: UUID must be 36 characters"},
		{"GET", "tokens?policy=x&role=y", ``, 500, "can only filter by one of policy, role, serviceName, or methodName at a time"},
		{"DELETE", "token/", ``, 400, "Missing token AccessorID"},
		{"DELETE", "token/nope", ``, 500, "Accessor ID is missing or an invalid UUID"},
		{"DELETE", "token/" + absentAccessor, ``, 404, "Cannot find token to delete"},
		{"DELETE", "token/" + acl.AnonymousAccessorID, ``, 500, "Delete operation not permitted on the anonymous token"},
		{"DELETE", "token/" + self.AccessorID, ``, 500, "Deletion of the request's authorization token is not permitted"},
	})
}

func TestTokensAreListedByWhatTheyHave(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	tokens := as(t, c, root).ACL()
	policy := newPolicy(t, c, "policy", "")
	role, _, err := tokens.RoleCreate(&api.ACLRole{Name: "role"}, nil)
	require.NoError(t, err)
	for _, token := range []*api.ACLToken{
		{Description: "policy", Policies: []*api.ACLTokenPolicyLink{{ID: policy}}},
		{Description: "role", Roles: []*api.ACLTokenRoleLink{{ID: role.ID}}},
		{Description: "service", ServiceIdentities: []*api.ACLServiceIdentity{{ServiceName: "s1"}, {ServiceName: "s2"}}},
		{Description: "template", TemplatedPolicies: []*api.ACLTemplatedPolicy{{
			TemplateName: api.ACLTemplatedPolicyServiceName, TemplateVariables: &api.ACLTemplatedPolicyVariables{Name: "s1"},
		}}},
	} {
		_, _, err := tokens.TokenCreate(token, nil)
		require.NoError(t, err)
	}
	for _, test := range []struct {
		filter api.ACLTokenFilterOptions
		want   []string
	}{
		{api.ACLTokenFilterOptions{Policy: policy}, []string{"policy"}},
		{api.ACLTokenFilterOptions{Role: role.ID}, []string{"role"}},
		{api.ACLTokenFilterOptions{ServiceName: "s1"}, []string{"service", "template"}},
		{api.ACLTokenFilterOptions{ServiceName: "s2"}, []string{"service"}},
		{api.ACLTokenFilterOptions{AuthMethod: "none"}, nil},
	} {
		list, _, err := tokens.TokenListFiltered(test.filter, nil)
		require.NoError(t, err)
		var got []string
		for _, token := range list {
			got = append(got, token.Description)
		}
		assert.ElementsMatch(t, test.want, got)
	}
	all, _, err := tokens.TokenList(nil)
	require.NoError(t, err)
	assert.Len(t, all, 6) // with the anonymous and the first one
}

func TestReadersDoNotSeeSecrets(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	secret := newToken(t, c, `acl = "read"`)
	reader := as(t, c, secret).ACL()
	list, _, err := reader.TokenList(nil)
	require.NoError(t, err)
	assert.Len(t, list, 3)
	for _, token := range list {
		assert.Equal(t, "<hidden>", token.SecretID)
	}
	self, _, err := reader.TokenReadSelf(nil)
	require.NoError(t, err)
	assert.Equal(t, secret, self.SecretID)
	read, _, err := reader.TokenRead(self.AccessorID, nil)
	require.NoError(t, err)
	assert.Equal(t, "<hidden>", read.SecretID)
	// What was hidden is there all the same.
	_, _, err = reader.TokenReadSelf(nil)
	assert.NoError(t, err)
}

func TestExpandedTokensShowAllTheyStandFor(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	tokens := as(t, c, root).ACL()
	direct, ofRole := newPolicy(t, c, "direct", `acl = "read"`), newPolicy(t, c, "of-role", "")
	role, _, err := tokens.RoleCreate(&api.ACLRole{
		Name: "role", Policies: []*api.ACLRolePolicyLink{{ID: direct}, {ID: ofRole}},
		NodeIdentities: []*api.ACLNodeIdentity{{NodeName: "n", Datacenter: "dc1"}},
	}, nil)
	require.NoError(t, err)
	_, _, err = tokens.TokenCreate(&api.ACLToken{
		AccessorID: givenAccessor, Policies: []*api.ACLTokenPolicyLink{{ID: direct}}, Roles: []*api.ACLTokenRoleLink{{ID: role.ID}},
		ServiceIdentities: []*api.ACLServiceIdentity{{ServiceName: "web"}},
		TemplatedPolicies: []*api.ACLTemplatedPolicy{
			{TemplateName: api.ACLTemplatedPolicyServiceName, TemplateVariables: &api.ACLTemplatedPolicyVariables{Name: "web"}},
			{TemplateName: api.ACLTemplatedPolicyDNSName},
		},
	}, nil)
	require.NoError(t, err)
	expanded, _, err := tokens.TokenReadExpanded(givenAccessor, nil)
	require.NoError(t, err)
	var descriptions []string
	for _, p := range expanded.ExpandedPolicies[2:] {
		descriptions = append(descriptions, p.Description)
	}
	assert.ElementsMatch(t, []string{direct, ofRole}, []string{expanded.ExpandedPolicies[0].ID, expanded.ExpandedPolicies[1].ID})
	assert.Equal(t, []string{
		"synthetic policy generated from templated policy: builtin/service",
		"synthetic policy generated from templated policy: builtin/node",
		"synthetic policy generated from templated policy: builtin/dns",
	}, descriptions)
	require.Len(t, expanded.ExpandedRoles, 1)
	assert.Equal(t, role.ID, expanded.ExpandedRoles[0].ID)
	assert.Equal(t, "deny", expanded.AgentACLDefaultPolicy)
	assert.Equal(t, "extend-cache", expanded.AgentACLDownPolicy)
	assert.Equal(t, "dc1-1", expanded.ResolvedByAgent)
}

func TestSelfNeedsAToken(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	for _, secret := range []string{"", "nobody's"} {
		status, _, text := askWithToken(t, c, secret, http.MethodGet, "/v1/acl/token/self", "")
		assert.Equal(t, http.StatusForbidden, status)
		assert.Equal(t, "token does not exist: ACL not found", text)
	}
}
