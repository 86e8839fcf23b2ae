package consul

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/consul/acl"
)

// mayRead tells whether a token may read a key of dc1.
func mayRead(t *testing.T, c *Consul, secret, key string) bool {
	t.Helper()
	status, _, text := askWithToken(t, c, secret, http.MethodGet, "/v1/kv/"+key, "")
	if status == http.StatusForbidden {
		assert.Contains(t, text, "lacks permission 'key:read'")
	}
	return status != http.StatusForbidden
}

func TestWhatATokenMayDoChangesAtOnce(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	tokens := as(t, c, root).ACL()
	policy := newPolicy(t, c, "policy", "")
	role, _, err := tokens.RoleCreate(&api.ACLRole{Name: "role"}, nil)
	require.NoError(t, err)
	token, _, err := tokens.TokenCreate(&api.ACLToken{Roles: []*api.ACLTokenRoleLink{{ID: role.ID}}}, nil)
	require.NoError(t, err)
	assert.False(t, mayRead(t, c, token.SecretID, "a"))

	_, _, err = tokens.RoleUpdate(&api.ACLRole{ID: role.ID, Name: "role", Policies: []*api.ACLRolePolicyLink{{ID: policy}}}, nil)
	require.NoError(t, err)
	assert.False(t, mayRead(t, c, token.SecretID, "a"))
	_, _, err = tokens.PolicyUpdate(&api.ACLPolicy{ID: policy, Name: "policy", Rules: `key "a" { policy = "read" }`}, nil)
	require.NoError(t, err)
	assert.True(t, mayRead(t, c, token.SecretID, "a"))
	_, err = tokens.RoleDelete(role.ID, nil)
	require.NoError(t, err)
	assert.False(t, mayRead(t, c, token.SecretID, "a"))

	token.Roles, token.Policies = nil, []*api.ACLTokenPolicyLink{{ID: policy}}
	_, _, err = tokens.TokenUpdate(token, nil)
	require.NoError(t, err)
	assert.True(t, mayRead(t, c, token.SecretID, "a"))
	_, err = tokens.PolicyDelete(policy, nil)
	require.NoError(t, err)
	assert.False(t, mayRead(t, c, token.SecretID, "a"))
}

func TestTheAnonymousTokenCanBeGivenPolicies(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	assert.False(t, mayRead(t, c, "", "a"))
	id := newPolicy(t, c, "public", `key "a" { policy = "read" }`)
	_, _, err := as(t, c, root).ACL().TokenUpdate(&api.ACLToken{
		AccessorID: acl.AnonymousAccessorID, Policies: []*api.ACLTokenPolicyLink{{ID: id}},
	}, nil)
	require.NoError(t, err)
	assert.True(t, mayRead(t, c, "", "a"))
	assert.False(t, mayRead(t, c, "", "b"))
}

func TestAllowByDefault(t *testing.T) {
	t.Parallel()
	c := start(t, Options{ACL: ACL{Enabled: true, Allow: true, InitialManagement: root}})
	assert.True(t, mayRead(t, c, "", "a"))
	secret := newToken(t, c, `key "a" { policy = "deny" }`)
	assert.False(t, mayRead(t, c, secret, "a"))
	assert.True(t, mayRead(t, c, secret, "b"))
	status, header, _ := askWithToken(t, c, secret, http.MethodGet, "/v1/acl/tokens", "")
	assert.Equal(t, http.StatusForbidden, status, "access control itself is never allowed by default")
	assert.Equal(t, "allow", header.Get("X-Consul-Default-Acl-Policy"))
}

func TestDenyBeatsManagement(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	newPolicy(t, c, "deny", `key "a" { policy = "deny" }`)
	token, _, err := as(t, c, root).ACL().TokenCreate(&api.ACLToken{
		Policies: []*api.ACLTokenPolicyLink{{Name: "global-management"}, {Name: "deny"}},
	}, nil)
	require.NoError(t, err)
	assert.False(t, mayRead(t, c, token.SecretID, "a"))
	assert.True(t, mayRead(t, c, token.SecretID, "b"))
}

func TestTokensHoldInAllDatacenters(t *testing.T) {
	t.Parallel()
	c := guarded(t, "dc1", "dc2")
	newPolicy(t, c, "everywhere", `key "a" { policy = "write" }`)
	newPolicy(t, c, "here", `key "b" { policy = "write" }`, "dc1")
	tokens := as(t, c, root).ACL()
	token, _, err := tokens.TokenCreate(&api.ACLToken{
		Policies: []*api.ACLTokenPolicyLink{{Name: "everywhere"}, {Name: "here"}},
	}, nil)
	require.NoError(t, err)
	there := asIn(t, c, "dc2", token.SecretID)
	_, err = there.KV().Put(&api.KVPair{Key: "a"}, nil)
	assert.NoError(t, err)
	_, err = there.KV().Put(&api.KVPair{Key: "b"}, nil)
	assert.ErrorContains(t, err, "lacks permission 'key:write' on \"b\"")
	_, err = there.KV().Put(&api.KVPair{Key: "b"}, &api.WriteOptions{Datacenter: "dc1"})
	assert.NoError(t, err)

	// What is written through the other one is in the primary.
	_, _, err = asIn(t, c, "dc2", root).ACL().PolicyCreate(&api.ACLPolicy{Name: "from-dc2"}, nil)
	require.NoError(t, err)
	_, _, err = tokens.PolicyReadByName("from-dc2", nil)
	assert.NoError(t, err)

	// It ends everywhere.
	_, err = tokens.TokenDelete(token.AccessorID, nil)
	require.NoError(t, err)
	_, _, err = there.KV().Get("a", nil)
	assert.EqualError(t, err, "Unexpected response code: 403 (ACL not found)")
}

func TestLocalTokensHoldInTheirDatacenter(t *testing.T) {
	t.Parallel()
	c := guarded(t, "dc1", "dc2")
	id := newPolicy(t, c, "policy", `key "a" { policy = "write" }`)
	tokens := asIn(t, c, "dc2", root).ACL()
	local, _, err := tokens.TokenCreate(&api.ACLToken{
		AccessorID: givenAccessor, Local: true, Policies: []*api.ACLTokenPolicyLink{{ID: id}},
	}, nil)
	require.NoError(t, err)
	_, err = asIn(t, c, "dc2", local.SecretID).KV().Put(&api.KVPair{Key: "a"}, nil)
	assert.NoError(t, err)
	_, err = asIn(t, c, "dc1", local.SecretID).KV().Put(&api.KVPair{Key: "a"}, nil)
	assert.ErrorContains(t, err, "ACL not found")

	list, _, err := tokens.TokenList(nil)
	require.NoError(t, err)
	assert.Len(t, list, 3)
	list, _, err = as(t, c, root).ACL().TokenList(nil)
	require.NoError(t, err)
	assert.Len(t, list, 2)

	local.Description = "changed"
	changed, _, err := tokens.TokenUpdate(local, nil)
	require.NoError(t, err)
	assert.Equal(t, []*api.ACLTokenPolicyLink{{ID: id, Name: "policy"}}, changed.Policies)
	_, err = tokens.TokenDelete(givenAccessor, nil)
	require.NoError(t, err)
	_, _, err = tokens.TokenRead(givenAccessor, nil)
	assert.Error(t, err)
}

func TestTokensExpire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, err := Start(t.Context(), Options{
			Datacenters: []Datacenter{{Agents: []Agent{{HTTP: "-"}}}},
			ACL:         ACL{Enabled: true, InitialManagement: root},
		})
		require.NoError(t, err)
		defer func() { assert.NoError(t, c.Close()) }()
		call := func(secret, method, path, body string) (int, string) {
			r := httptest.NewRequest(method, path, strings.NewReader(body))
			r.Header.Set("X-Consul-Token", secret)
			answer := httptest.NewRecorder()
			c.primary().agents[0].ServeHTTP(answer, r)
			return answer.Code, answer.Body.String()
		}
		status, text := call(root, http.MethodPut, "/v1/acl/token",
			`{"ExpirationTTL":"1m","AccessorID":"`+givenAccessor+`","SecretID":"`+givenSecret+`"}`)
		require.Equal(t, http.StatusOK, status, text)

		time.Sleep(time.Minute - time.Millisecond)
		_, text = call(givenSecret, http.MethodGet, "/v1/kv/a", "")
		assert.Contains(t, text, "lacks permission")
		time.Sleep(time.Millisecond)
		for path, want := range map[string]string{
			"/v1/kv/a":           "ACL not found",
			"/v1/acl/token/self": "token does not exist: ACL not found",
		} {
			status, text = call(givenSecret, http.MethodGet, path, "")
			assert.Equal(t, http.StatusForbidden, status)
			assert.Equal(t, want, text)
		}
		synctest.Wait()
		assert.Nil(t, c.primary().store.View().Token(givenAccessor), "it is removed")
	})
}

func TestOnlyThoseWithATokenLearnThatSomethingIsHidden(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	for _, key := range []string{"public/a", "private/a"} {
		_, err := as(t, c, root).KV().Put(&api.KVPair{Key: key}, nil)
		require.NoError(t, err)
	}
	const filtered = "X-Consul-Results-Filtered-By-Acls"
	secret := newToken(t, c, `key_prefix "public/" { policy = "read" }`)
	_, header, body := askWithToken(t, c, secret, http.MethodGet, "/v1/kv/?keys", "")
	assert.Equal(t, "true", header.Get(filtered))
	assert.JSONEq(t, `["public/a"]`, body)
	_, header, _ = askWithToken(t, c, root, http.MethodGet, "/v1/kv/?keys", "")
	assert.Empty(t, header.Get(filtered))
	_, header, _ = askWithToken(t, c, "", http.MethodGet, "/v1/kv/?keys", "")
	assert.Empty(t, header.Get(filtered))
}

func TestSecretsAreFoundWhereverTheyAreShown(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	for name, set := range map[string]func(*http.Request){
		"header": func(r *http.Request) { r.Header.Set("X-Consul-Token", root) },
		"bearer": func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+root) },
		"query":  func(r *http.Request) { r.URL.RawQuery = "token=" + root },
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.URL("dc1")+"/v1/acl/tokens", nil)
		require.NoError(t, err)
		set(r)
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		answer, err := client.Do(r)
		require.NoError(t, err)
		assert.NoError(t, answer.Body.Close())
		assert.Equal(t, http.StatusOK, answer.StatusCode, name)
	}
}
