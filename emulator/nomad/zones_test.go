package nomad

import (
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAZoneIsLostAndComesBack(t *testing.T) {
	t.Parallel()
	n := start(t, Options{Regions: []Region{{Nodes: []Node{{Name: "a1", Datacenter: "a"}, {Name: "a2", Datacenter: "a"}, {Name: "b", Datacenter: "b"}}}}})
	c := connect(t, n)
	job := mockJob("api", 6)
	job.AddSpread(api.NewSpread("${node.unique.name}", 100, nil))
	_, _, err := c.Jobs().Register(job, nil)
	require.NoError(t, err)
	running(t, c, "api", 6)
	statuses := func() map[string]string {
		nodes, _, err := c.Nodes().List(nil)
		require.NoError(t, err)
		found := map[string]string{}
		for _, node := range nodes {
			found[node.Name] = node.Status
		}
		return found
	}
	become := func(want map[string]string) {
		t.Helper()
		require.EventuallyWithT(t, func(t *assert.CollectT) { assert.Equal(t, want, statuses()) }, patience, 10*time.Millisecond)
	}
	require.NoError(t, n.StopZone("a"))
	become(map[string]string{"a1": api.NodeStatusDown, "a2": api.NodeStatusDown, "b": api.NodeStatusReady})
	for _, a := range running(t, c, "api", 6) {
		assert.Equal(t, "b", a.NodeName)
	}
	require.NoError(t, n.StartZone(t.Context(), "a"))
	become(map[string]string{"a1": api.NodeStatusReady, "a2": api.NodeStatusReady, "b": api.NodeStatusReady})
	running(t, c, "api", 6)

	assert.ErrorContains(t, n.StopZone("x"), `there is no node in the zone "x"`)
	assert.ErrorContains(t, n.StartZone(t.Context(), "x"), `there is no node in the zone "x"`)
}
