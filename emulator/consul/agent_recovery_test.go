package consul

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheRecoveryTokenIsOfItsAgentAlone(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	_, err := as(t, c, root).Agent().UpdateAgentRecoveryACLToken("recovery", nil)
	require.NoError(t, err)
	for path, want := range map[string]string{
		"/v1/agent/self":     "",
		"/v1/catalog/nodes":  "",
		"/v1/kv/a":           `Permission denied: token with AccessorID 'agent-recovery:dc1-1' lacks permission 'key:read' on "a"`,
		"/v1/acl/tokens":     "Permission denied: token with AccessorID 'agent-recovery:dc1-1' lacks permission 'acl:read'",
		"/v1/acl/token/self": "token does not exist: ACL not found",
	} {
		status, _, text := askWithToken(t, c, "recovery", http.MethodGet, path, "")
		if want == "" {
			assert.Equal(t, http.StatusOK, status, text)
		} else {
			assert.Equal(t, http.StatusForbidden, status)
			assert.Equal(t, want, text)
		}
	}
}

func TestRequestsWithoutATokenHaveTheAgents(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	assert.False(t, mayRead(t, c, "", "a"))
	_, err := as(t, c, root).Agent().UpdateDefaultACLToken(newToken(t, c, `key "a" { policy = "read" }`), nil)
	require.NoError(t, err)
	assert.True(t, mayRead(t, c, "", "a"))
	assert.False(t, mayRead(t, c, "", "b"))
}
