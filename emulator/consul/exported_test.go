package consul

import (
	"testing"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/consul/state"
)

func TestExportedServices(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	require.NoError(t, c.primary().store.Write(func(tx *state.Tx) error {
		tx.PutNode(state.Node{Node: "n"})
		for _, name := range []string{"web", "db", "db", consulService} {
			if err := tx.PutService(state.Service{Node: "n", ID: name, Service: name}); err != nil {
				return err
			}
		}
		return nil
	}))
	official := client(t, c)
	list, _, err := official.ExportedServices(nil)
	require.NoError(t, err)
	assert.Empty(t, list)
	configure(t, c, `{"Kind":"exported-services","Name":"default","Services":[
		{"Name":"web","Consumers":[{"Peer":"x"}]}, {"Name":"*","Consumers":[{"Peer":"y"},{"Peer":"y"}]}]}`)
	list, _, err = official.ExportedServices(nil)
	require.NoError(t, err)
	assert.Equal(t, []api.ResolvedExportedService{
		{Service: "db", Consumers: api.ResolvedConsumers{Peers: []string{"y"}}},
		{Service: "web", Consumers: api.ResolvedConsumers{Peers: []string{"x", "y"}}},
	}, list)
	imported, _, err := official.ImportedServices(nil)
	require.NoError(t, err)
	assert.Empty(t, imported)
}
