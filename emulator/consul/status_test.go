package consul

import (
	"testing"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStatusTellsTheServerOfTheDatacenterThatIsAskedFor(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Datacenters: []Datacenter{
		{Name: "dc1"},
		{Name: "dc2", Agents: []Agent{{Address: "10.2.0.1", ServerPort: 18300}, {Address: "10.2.0.2"}}},
	}})
	status := clientOf(t, c, "dc1").Status()
	leader, err := status.Leader()
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1:8300", leader)

	there := &api.QueryOptions{Datacenter: "dc2"}
	leader, err = status.LeaderWithQueryOptions(there)
	require.NoError(t, err)
	assert.Equal(t, "10.2.0.1:18300", leader)
	peers, err := status.PeersWithQueryOptions(there)
	require.NoError(t, err)
	assert.Equal(t, []string{"10.2.0.1:18300"}, peers)
}
