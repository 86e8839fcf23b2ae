package consul

import (
	"testing"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tokensOfDC2 makes, with an agent of dc2, a policy that holds in dc2 alone, and
// a token for all datacenters and a local one that have it.
func tokensOfDC2(t *testing.T, c *Consul) (global, local *api.ACLToken) {
	t.Helper()
	manager := asIn(t, c, "dc2", root).ACL()
	_, _, err := manager.PolicyCreate(&api.ACLPolicy{
		Name: "keys", Rules: `key_prefix "" { policy = "write" }`, Datacenters: []string{"dc2"},
	}, nil)
	require.NoError(t, err)
	links := []*api.ACLTokenPolicyLink{{Name: "keys"}}
	global, _, err = manager.TokenCreate(&api.ACLToken{Policies: links}, nil)
	require.NoError(t, err)
	local, _, err = manager.TokenCreate(&api.ACLToken{Policies: links, Local: true}, nil)
	require.NoError(t, err)
	return global, local
}

func TestWhatTokensAllowInWhichDatacenter(t *testing.T) {
	t.Parallel()
	c := guarded(t, "dc1", "dc2")
	global, local := tokensOfDC2(t, c)
	denied := "Permission denied: token with AccessorID '" + global.AccessorID + `' lacks permission 'key:read' on "k"`
	const anonymous = `Permission denied: anonymous token lacks permission 'key:read' on "k". ` +
		"The anonymous token is used implicitly when a request does not specify a token."
	for _, test := range []struct {
		name         string
		secret       string
		agent, about string
		refused      string // empty: it is allowed
	}{
		{"global, at home", global.SecretID, "dc2", "dc2", ""},
		{"global, from elsewhere", global.SecretID, "dc1", "dc2", ""},
		{"global, where the policy does not hold", global.SecretID, "dc1", "dc1", denied},
		{"global, where the policy does not hold, from elsewhere", global.SecretID, "dc2", "dc1", "rpc error making call: " + denied},
		{"local, at home", local.SecretID, "dc2", "dc2", ""},
		{"local, from elsewhere", local.SecretID, "dc1", "dc2", ""},
		{"local, elsewhere", local.SecretID, "dc1", "dc1", "ACL not found"},
		{"local, not shown elsewhere", local.SecretID, "dc2", "dc1", "rpc error making call: " + anonymous},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := asIn(t, c, test.agent, test.secret).KV().Get("k", &api.QueryOptions{Datacenter: test.about})
			if test.refused == "" {
				assert.NoError(t, err)
				return
			}
			var status api.StatusError
			require.ErrorAs(t, err, &status)
			assert.Equal(t, 403, status.Code)
			assert.Equal(t, test.refused, status.Body)
		})
	}
}

func TestTokensAreWrittenWhereTheyBelong(t *testing.T) {
	t.Parallel()
	c := guarded(t, "dc1", "dc2")
	global, local := tokensOfDC2(t, c)
	accessors := func(datacenter string) (list []string) {
		tokens, _, err := asIn(t, c, datacenter, root).ACL().TokenList(nil)
		require.NoError(t, err)
		for _, token := range tokens {
			list = append(list, token.AccessorID)
		}
		return list
	}
	assert.Subset(t, accessors("dc2"), []string{global.AccessorID, local.AccessorID})
	assert.Contains(t, accessors("dc1"), global.AccessorID)
	assert.NotContains(t, accessors("dc1"), local.AccessorID)

	// The parameter dc says nothing about where a token is written.
	there := &api.WriteOptions{Datacenter: "dc2"}
	made, _, err := asIn(t, c, "dc1", root).ACL().TokenCreate(&api.ACLToken{Local: true}, there)
	require.NoError(t, err)
	assert.Contains(t, accessors("dc1"), made.AccessorID)
	assert.NotContains(t, accessors("dc2"), made.AccessorID)
}

func TestRulesOfATokenBindInEveryDatacenter(t *testing.T) {
	t.Parallel()
	c := guarded(t, "dc1", "dc2")
	manager := asIn(t, c, "dc1", root)
	_, _, err := manager.ACL().PolicyCreate(&api.ACLPolicy{
		Name: "web", Rules: `node "n" { policy = "read" } service "web" { policy = "read" }`,
	}, nil)
	require.NoError(t, err)
	token, _, err := manager.ACL().TokenCreate(&api.ACLToken{Policies: []*api.ACLTokenPolicyLink{{Name: "web"}}}, nil)
	require.NoError(t, err)
	for _, service := range []string{"web", "secret"} {
		_, err := manager.Catalog().Register(&api.CatalogRegistration{
			Datacenter: "dc2", Node: "n", Address: "10.0.0.1", Service: &api.AgentService{Service: service},
		}, nil)
		require.NoError(t, err)
	}
	services, _, err := asIn(t, c, "dc1", token.SecretID).Catalog().Services(&api.QueryOptions{Datacenter: "dc2"})
	require.NoError(t, err)
	assert.Contains(t, services, "web")
	assert.NotContains(t, services, "secret")
}
