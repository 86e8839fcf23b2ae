package consul

import (
	"net/http"
	"testing"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/consul/state"
)

// officialClient is the official client of dc1's first agent.
func officialClient(t *testing.T, c *Consul) *api.Client {
	t.Helper()
	client, err := api.NewClient(&api.Config{
		Address:   c.URL("dc1"),
		Transport: &http.Transport{DisableKeepAlives: true},
	})
	require.NoError(t, err)
	return client
}

// registerNode puts a node with passing checks in the catalog of dc1.
func registerNode(t *testing.T, c *Consul, node string, checks ...string) {
	t.Helper()
	require.NoError(t, c.primary().store.Write(func(tx *state.Tx) error {
		tx.PutNode(state.Node{Node: node, Address: "127.0.0.1", Datacenter: "dc1"})
		for _, id := range checks {
			if err := tx.PutCheck(state.Check{Node: node, CheckID: id, Name: id, Status: api.HealthPassing}); err != nil {
				return err
			}
		}
		return nil
	}))
}
