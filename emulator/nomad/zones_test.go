package nomad

import (
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	hostports "github.com/drydock/drydock/host/ports"
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
	elsewhere := func(a *api.AllocationListStub) bool { return a.NodeName != "b" }
	require.Eventually(t, func() bool { return !slices.ContainsFunc(running(t, c, "api", 6), elsewhere) }, patience, 10*time.Millisecond)
	require.NoError(t, n.StartZone(t.Context(), "a"))
	become(map[string]string{"a1": api.NodeStatusReady, "a2": api.NodeStatusReady, "b": api.NodeStatusReady})
	running(t, c, "api", 6)

	assert.ErrorContains(t, n.StopZone("x"), `there is no node in the zone "x"`)
	assert.ErrorContains(t, n.StartZone(t.Context(), "x"), `there is no node in the zone "x"`)
}

// A fixed port of an address that the nodes share is free for what takes over.
func TestWhatIsLostLeavesItsPort(t *testing.T) {
	t.Parallel()
	free, lock, err := hostports.Free()
	require.NoError(t, err)
	defer lock.Release()
	n := start(t, Options{Regions: []Region{{Nodes: []Node{{Name: "a", Datacenter: "a"}, {Name: "b", Datacenter: "b"}}}}})
	c := connect(t, n)
	job := mockJob("api", 1)
	group := job.TaskGroups[0]
	group.Networks = []*api.NetworkResource{{ReservedPorts: []api.Port{{Label: "http", Value: free}}}}
	group.ReschedulePolicy = &api.ReschedulePolicy{Delay: new(5 * time.Second), DelayFunction: new("constant"), Unlimited: new(true)}
	group.Disconnect = &api.DisconnectStrategy{LostAfter: new(time.Hour), Replace: new(true)}
	_, _, err = c.Jobs().Register(job, nil)
	require.NoError(t, err)
	first := running(t, c, "api", 1)[0]
	zone := first.NodeName
	require.NoError(t, n.StopZone(zone))
	require.Eventually(t, func() bool {
		now := running(t, c, "api", 1)[0]
		return now.ID != first.ID && now.NodeName != zone
	}, patience, 10*time.Millisecond)
	require.NoError(t, n.StartZone(t.Context(), zone))
	require.Eventually(t, func() bool {
		list, _, err := c.Jobs().Allocations("api", false, nil)
		require.NoError(t, err)
		ends := func(a *api.AllocationListStub) bool { return a.DesiredStatus == api.AllocDesiredStatusStop }
		return len(list) == 2 && ends(list[0]) != ends(list[1])
	}, patience, 10*time.Millisecond, "one of the two stays")
}
