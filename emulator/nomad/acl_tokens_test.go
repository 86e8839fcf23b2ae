package nomad

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	n, root := startACL(t)
	made, _, err := root.ACLTokens().Create(&api.ACLToken{Name: "foo", Type: "client", Policies: []string{"foo1"}}, nil)
	require.NoError(t, err)
	self, _, err := withToken(t, n, made.SecretID).ACLTokens().Self(nil)
	require.NoError(t, err)
	assert.Equal(t, made, self)
	made.Name = "other"
	changed, _, err := root.ACLTokens().Update(made, nil)
	require.NoError(t, err)
	assert.Equal(t, "other", changed.Name)
	assert.Equal(t, made.SecretID, changed.SecretID)
	changed.ExpirationTTL = 10 * time.Minute
	_, _, err = root.ACLTokens().Update(changed, nil)
	require.ErrorContains(t, err, "token 0 invalid: 1 error occurred:\n\t* cannot update expiration TTL")

	_, err = root.ACLPolicies().Upsert(&api.ACLPolicy{Name: "p"}, nil)
	require.NoError(t, err)
	role, _, err := root.ACLRoles().Create(&api.ACLRole{Name: "r", Policies: []*api.ACLRolePolicyLink{{Name: "p"}}}, nil)
	require.NoError(t, err)
	changed.ExpirationTTL, changed.Roles = 0, []*api.ACLTokenRoleLink{{Name: "r"}, {ID: role.ID}}
	linked, _, err := root.ACLTokens().Update(changed, nil)
	require.NoError(t, err)
	assert.Equal(t, []*api.ACLTokenRoleLink{{ID: role.ID, Name: "r"}}, linked.Roles)
	info, _, err := root.ACLTokens().Info(linked.AccessorID, nil)
	require.NoError(t, err)
	assert.Equal(t, linked, info)

	expiring, _, err := root.ACLTokens().Create(&api.ACLToken{Type: "client", Policies: []string{"foo1"}, ExpirationTTL: time.Hour}, nil)
	require.NoError(t, err)
	assert.Equal(t, expiring.CreateTime.Add(time.Hour), *expiring.ExpirationTime)
	list, meta, err := root.ACLTokens().List(nil)
	require.NoError(t, err)
	assert.NotZero(t, meta.LastIndex)
	require.Len(t, list, 3)
	assert.Nil(t, list[0].ExpirationTime, "the oldest is first")
	assert.NotNil(t, list[2].ExpirationTime)
	list, meta, err = root.ACLTokens().List(&api.QueryOptions{PerPage: 1, Reverse: true, Filter: `Type == client`})
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.Equal(t, expiring.AccessorID, list[0].AccessorID)
	list, _, err = root.ACLTokens().List(&api.QueryOptions{NextToken: meta.NextToken, Reverse: true})
	require.NoError(t, err)
	assert.Len(t, list, 2)
	list, _, err = root.ACLTokens().List(&api.QueryOptions{Prefix: made.AccessorID[:8]})
	require.NoError(t, err)
	assert.Len(t, list, 1)

	_, err = root.ACLTokens().Delete(made.AccessorID, nil)
	require.NoError(t, err)
	_, _, err = root.ACLTokens().Info(made.AccessorID, nil)
	require.ErrorContains(t, err, "ACL token not found")
}

func TestTokensThatAreRefused(t *testing.T) {
	t.Parallel()
	n, root := startACL(t)
	token, _, err := root.ACLTokens().Create(&api.ACLToken{Type: "client", Policies: []string{"p"}}, nil)
	require.NoError(t, err)
	const path, nobody = "/v1/acl/token", "00000000-1111-1111-1111-111111111111"
	client := func(more map[string]any) map[string]any {
		all := map[string]any{"Type": "client", "Policies": []string{"p"}}
		for name, value := range more {
			all[name] = value
		}
		return all
	}
	invalid := func(problem string) string { return "token 0 invalid: 1 error occurred:\n\t* " + problem + "\n\n" }
	for _, r := range []refusal{
		{http.MethodPut, path, nil, 400, "Request body is empty"},
		{http.MethodPut, path, map[string]any{}, 400, invalid("token type must be client or management")},
		{http.MethodPut, path, map[string]any{"Type": "client"}, 400, invalid("client token missing policies or roles")},
		{http.MethodPut, path, client(map[string]any{"Type": "management"}), 400, invalid("management token cannot be associated with policies or roles")},
		{http.MethodPut, path, client(map[string]any{"Name": strings.Repeat("x", 257)}), 400, invalid("token name too long")},
		{http.MethodPut, path, client(map[string]any{"ExpirationTTL": "1s"}), 400, invalid("expiration time cannot be less than 1m0s in the future (was 1s)")},
		{http.MethodPut, path, client(map[string]any{"ExpirationTTL": "24h1s"}), 400, invalid("expiration time cannot be more than 24h0m0s in the future (was 24h0m1s)")},
		{http.MethodPut, path, client(map[string]any{"ExpirationTTL": "-1s"}), 400, "token 0 invalid: 3 errors occurred:\n\t* token expiration TTL '-1s' should not be negative\n\t* expiration time cannot be before create time\n\t* expiration time cannot be less than 1m0s in the future (was -1s)\n\n"},
		{http.MethodPut, path, client(map[string]any{"ExpirationTTL": "x"}), 400, `time: invalid duration "x"`},
		{http.MethodPut, path, client(map[string]any{"Roles": []map[string]string{{"Name": "nope"}}}), 400, "cannot find role nope"},
		{http.MethodPut, path, client(map[string]any{"AccessorID": "x"}), 500, "token lookup failed: acl token lookup failed: index error: UUID must be 36 characters"},
		{http.MethodPut, path, client(map[string]any{"AccessorID": nobody}), 400, "cannot find token " + nobody},
		{http.MethodPut, path + "/" + token.AccessorID, client(nil), 400, "ACL token accessor does not match request path"},
		{http.MethodPut, path + "/" + token.AccessorID, client(map[string]any{"AccessorID": token.AccessorID, "Global": true}), 400, invalid("cannot toggle global mode")},
		{http.MethodPut, path + "/" + token.AccessorID, client(map[string]any{"AccessorID": token.AccessorID, "ExpirationTime": "2030-01-01T00:00:00Z"}), 400, invalid("cannot update expiration time")},
		{http.MethodGet, path + "/nope", nil, 500, "acl token lookup failed: index error: UUID must be 36 characters"},
		{http.MethodGet, path + "/" + nobody, nil, 404, "ACL token not found"},
		{http.MethodGet, path + "/", nil, 400, "Missing Token Accessor"},
		{http.MethodGet, path, nil, 405, "Invalid method"},
		{http.MethodDelete, path + "/x", nil, 400, "token lookup failed: acl token lookup failed: index error: UUID must be 36 characters"},
		{http.MethodDelete, path + "/" + nobody, nil, 400, "Cannot delete nonexistent tokens: " + nobody},
		{http.MethodGet, path + "s?prefix=2", nil, 500, "acl token lookup failed: index error: Input (without hyphens) must be even length"},
		{http.MethodGet, path + "s?prefix=zz", nil, 500, "acl token lookup failed: index error: Invalid UUID: encoding/hex: invalid byte: U+007A 'z'"},
		{http.MethodGet, path + "s?per_page=x", nil, 400, "Expect a number for `per_page` query string parameter"},
		{http.MethodGet, path + "s?filter=Foo==x", nil, 400, `failed to read result page: error finding value in datum: /Foo at part 0: couldn't find key: struct field with name "Foo"`},
	} {
		r.check(t, n, rootSecret)
	}
	for _, r := range []refusal{
		{http.MethodPut, path, client(nil), 403, "Permission denied"},
		{http.MethodGet, path + "/" + nobody, nil, 403, "Permission denied"},
		{http.MethodGet, path + "s", nil, 403, "Permission denied"},
		{http.MethodDelete, path + "/" + token.AccessorID, nil, 403, "Permission denied"},
	} {
		r.check(t, n, token.SecretID)
	}
	status, _ := ask(t, n, token.SecretID, http.MethodGet, path+"/"+token.AccessorID, nil)
	assert.Equal(t, 200, status, "one sees one's own token")
}

func TestOneTimeTokens(t *testing.T) {
	t.Parallel()
	n, root := startACL(t)
	token, _, err := root.ACLTokens().Create(&api.ACLToken{Type: "client", Policies: []string{"p"}}, nil)
	require.NoError(t, err)
	once, _, err := withToken(t, n, token.SecretID).ACLTokens().UpsertOneTimeToken(nil)
	require.NoError(t, err)
	assert.True(t, once.ExpiresAt.After(time.Now()))
	given, _, err := connect(t, n).ACLTokens().ExchangeOneTimeToken(once.OneTimeSecretID, nil)
	require.NoError(t, err)
	assert.Equal(t, token, given)
	_, _, err = connect(t, n).ACLTokens().ExchangeOneTimeToken(once.OneTimeSecretID, nil)
	require.ErrorContains(t, err, "Permission denied", "it is used up")
	for _, r := range []refusal{
		{http.MethodPut, "/v1/acl/token/onetime", nil, 500, "acl token lookup failed: missing secret id"},
		{http.MethodPut, "/v1/acl/token/onetime/exchange", map[string]any{}, 500, "one-time token lookup failed: missing secret"},
		{http.MethodPut, "/v1/acl/token/onetime/exchange", map[string]any{"OneTimeSecretID": "x"}, 500, "one-time token lookup failed: index error: UUID must be 36 characters"},
	} {
		r.check(t, n, "")
	}
}
