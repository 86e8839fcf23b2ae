package nomad

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStatus(t *testing.T) {
	t.Parallel()
	n := start(t, Options{Regions: []Region{{}, {Name: "west"}}})
	c := connect(t, n)
	leader, err := c.Status().Leader()
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1:4647", leader)
	peers, err := c.Status().Peers()
	require.NoError(t, err)
	assert.Equal(t, []string{"127.0.0.1:4647"}, peers)
	regions, err := c.Regions().List()
	require.NoError(t, err)
	assert.Equal(t, []string{"global", "west"}, regions)
	assert.Equal(t, http.StatusNotFound, get(t, n, "/v1/nowhere", nil).StatusCode)
	assert.Equal(t, http.StatusInternalServerError, get(t, n, "/v1/status/leader?region=mars", nil).StatusCode)
}
