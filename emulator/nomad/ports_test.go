package nomad

import (
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// anyPort binds a port of this machine until the test ends, or it is closed.
func anyPort(t *testing.T) (socket net.Listener, number int) {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { socket.Close() })
	return socket, socket.Addr().(*net.TCPAddr).Port
}

func TestAPortIsGivenOnce(t *testing.T) {
	t.Parallel()
	claims := func() *ports {
		p := newPorts()
		t.Cleanup(p.close)
		return p
	}
	ours, theirs := claims(), claims()
	region, other := new(region), new(region)
	socket, number := anyPort(t)
	assert.False(t, ours.claim(region, "127.0.0.1", number), "it is bound")
	require.NoError(t, socket.Close())
	assert.True(t, ours.claim(region, "127.0.0.1", number))
	assert.True(t, ours.claim(region, "127.0.0.1", number), "one's own")
	assert.False(t, ours.claim(other, "127.0.0.1", number), "another region's")
	assert.False(t, theirs.claim(region, "127.0.0.1", number), "another Nomad's")
	ours.close()
	assert.True(t, theirs.claim(other, "127.0.0.1", number))
}

func TestClaimsAreBounded(t *testing.T) {
	t.Parallel()
	p := newPorts()
	defer p.close()
	for number := range maxClaims {
		p.claims[-number] = claim{ends: time.Now().Add(time.Hour)}
	}
	assert.Eventually(t, func() bool { // somebody else may take the port before
		socket, number := anyPort(t)
		require.NoError(t, socket.Close())
		return p.claim(nil, "127.0.0.1", number)
	}, patience, time.Millisecond)
	assert.Len(t, p.claims, maxClaims)
	clear(p.claims)
}

func TestAnAllocationWhosePortIsTakenGetsAnother(t *testing.T) {
	t.Parallel()
	o := Options{Dir: t.TempDir(), Regions: []Region{{Nodes: []Node{{Name: "a"}}}}}
	first := start(t, o)
	c := connect(t, first)
	job := mockJob("web", 2)
	job.TaskGroups[0].Networks = []*api.NetworkResource{{DynamicPorts: []api.Port{{Label: "http"}}}}
	_, _, err := c.Jobs().Register(job, nil)
	require.NoError(t, err)
	before := running(t, c, "web", 2)
	require.NoError(t, first.Close())

	taken := portOf(t, first, before[0].ID)
	socket, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(taken))
	require.NoError(t, err)
	defer socket.Close()
	second := start(t, o)
	require.Eventually(t, func() bool {
		a := second.regions[0].store.View().Allocation(before[0].ID)
		return a.ClientTerminal() && a.NextAllocation != ""
	}, patience, 10*time.Millisecond)
	after := running(t, connect(t, second), "web", 2)
	ids := []string{after[0].ID, after[1].ID}
	assert.Contains(t, ids, before[1].ID, "the other one keeps its port")
	assert.NotContains(t, ids, before[0].ID)
	for _, id := range ids {
		assert.NotEqual(t, taken, portOf(t, second, id))
	}
}

func portOf(t *testing.T, n *Nomad, allocation string) int {
	t.Helper()
	a := n.regions[0].store.View().Allocation(allocation)
	require.Len(t, a.AllocatedResources.Shared.Ports, 1)
	return a.AllocatedResources.Shared.Ports[0].Value
}

func TestNodesOfTheirOwnAddressesHaveTheSamePort(t *testing.T) {
	t.Parallel()
	addresses := []string{"127.0.57.1", "127.0.57.2"}
	var nodes []Node
	for _, address := range addresses {
		nodes = append(nodes, Node{Address: address})
	}
	n := start(t, Options{Regions: []Region{{Nodes: nodes}}})
	c := connect(t, n)
	job := mockJob("web", len(addresses))
	socket, number := anyPort(t)
	require.NoError(t, socket.Close())
	job.TaskGroups[0].Networks = []*api.NetworkResource{{ReservedPorts: []api.Port{{Label: "http", Value: number}}}}
	_, _, err := c.Jobs().Register(job, nil)
	require.NoError(t, err)
	var found []string
	for _, stub := range running(t, c, "web", len(addresses)) {
		a, _, err := c.Allocations().Info(stub.ID, nil)
		require.NoError(t, err)
		found = append(found, a.AllocatedResources.Shared.Ports[0].HostIP)
		node, _, err := c.Nodes().Info(stub.NodeID, nil)
		require.NoError(t, err)
		assert.Equal(t, a.AllocatedResources.Shared.Ports[0].HostIP, node.Attributes["unique.network.ip-address"])
	}
	assert.ElementsMatch(t, addresses, found)
}
