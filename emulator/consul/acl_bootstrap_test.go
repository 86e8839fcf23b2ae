package consul

import (
	"net/http"
	"testing"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBootstrapWorksOnce(t *testing.T) {
	t.Parallel()
	c := start(t, Options{ACL: ACL{Enabled: true}})
	_, _, err := as(t, c, "").ACL().TokenList(nil)
	assert.EqualError(t, err, "Unexpected response code: 403 (Permission denied: anonymous token lacks permission 'acl:read'. "+
		"The anonymous token is used implicitly when a request does not specify a token.)")
	_, _, err = as(t, c, root).ACL().TokenList(nil)
	assert.EqualError(t, err, "Unexpected response code: 403 (ACL system must be bootstrapped before making any requests "+
		"that require authorization: ACL not found)")

	token, _, err := as(t, c, "").ACL().Bootstrap()
	require.NoError(t, err)
	assert.Equal(t, "Bootstrap Token (Global Management)", token.Description)
	list, _, err := as(t, c, token.SecretID).ACL().TokenList(nil)
	require.NoError(t, err)
	assert.Len(t, list, 2)

	_, _, err = as(t, c, "").ACL().Bootstrap()
	assert.ErrorContains(t, err, "403 (Permission denied: ACL bootstrap no longer allowed (reset index: ")
	_, _, err = as(t, c, root).ACL().TokenList(nil)
	assert.EqualError(t, err, "Unexpected response code: 403 (ACL not found)")
}

func TestBootstrapWithASecret(t *testing.T) {
	t.Parallel()
	c := start(t, Options{ACL: ACL{Enabled: true}})
	assertRefused(t, c, []refusal{
		{"PUT", "bootstrap", `{"Other":1}`, 400, `Request decoding failed: json: unknown field "Other"`},
		{"PUT", "bootstrap", `{"BootstrapSecret":"x"}`, 500, "uuid string is wrong length"},
		{"PUT", "bootstrap", `{"BootstrapSecret":"33333333-3333-3333-3333-33333333333x"}`, 500, "uuid is improperly formatted"},
		{"PUT", "bootstrap", `{"BootstrapSecret":"00000000-0000-0000-0000-000000000009"}`, 500,
			"Provided token cannot be used because a token with that secret already exists."},
	})
	token, _, err := as(t, c, "").ACL().BootstrapWithToken(givenSecret)
	require.NoError(t, err)
	assert.Equal(t, givenSecret, token.SecretID)
	_, err = as(t, c, givenSecret).KV().Put(&api.KVPair{Key: "a"}, nil)
	assert.NoError(t, err)
}

func TestTheFirstTokenBootstraps(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	self, _, err := as(t, c, root).ACL().TokenReadSelf(nil)
	require.NoError(t, err)
	assert.Equal(t, "Initial Management Token", self.Description)
	_, _, err = as(t, c, "").ACL().Bootstrap()
	assert.ErrorContains(t, err, "ACL bootstrap no longer allowed")
}

func TestAccessControlSurvivesARestart(t *testing.T) {
	t.Parallel()
	o := Options{ACL: ACL{Enabled: true, InitialManagement: root}, Dir: t.TempDir()}
	first, err := Start(t.Context(), o)
	require.NoError(t, err)
	before, _, err := as(t, first, root).ACL().TokenReadSelf(nil)
	require.NoError(t, err)
	secret := newToken(t, first, `key "a" { policy = "write" }`)
	require.NoError(t, first.Close())

	c := start(t, o)
	after, _, err := as(t, c, root).ACL().TokenReadSelf(nil)
	require.NoError(t, err)
	assert.Equal(t, before, after)
	_, err = as(t, c, secret).KV().Put(&api.KVPair{Key: "a"}, nil)
	assert.NoError(t, err)
	_, err = as(t, c, secret).KV().Put(&api.KVPair{Key: "b"}, nil)
	assert.Error(t, err)
}

func TestNothingIsReplicated(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	status, meta, err := as(t, c, "").ACL().Replication(nil)
	require.NoError(t, err)
	assert.Equal(t, &api.ACLReplicationStatus{}, status)
	assert.NotZero(t, meta.RequestTime)
	code, _, _ := askWithToken(t, c, "nobody's", http.MethodGet, "/v1/acl/replication", "")
	assert.Equal(t, http.StatusOK, code)
}
