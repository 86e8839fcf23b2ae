package state

import (
	"testing"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGatewaysFollowTheirEntriesAndTheCatalog(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	write := func(change func(*Tx) error) { require.NoError(t, s.Write(change)) }
	services := func(gateway string) map[string]bool { // whether from the wildcard
		found := map[string]bool{}
		for _, row := range s.View().GatewayServices(gateway) {
			found[row.Service] = row.FromWildcard
		}
		return found
	}
	write(func(tx *Tx) error {
		return tx.PutConfigEntry(&api.TerminatingGatewayConfigEntry{Kind: api.TerminatingGateway, Name: "out", Services: []api.LinkedService{{Name: "*"}, {Name: "db", CAFile: "ca"}}})
	})
	write(func(tx *Tx) error {
		return tx.PutConfigEntry(&api.IngressGatewayConfigEntry{Kind: api.IngressGateway, Name: "in", Listeners: []api.IngressListener{{Port: 80, Protocol: "http", Services: []api.IngressService{{Name: "web"}}}}})
	})
	assert.Equal(t, map[string]bool{"db": false}, services("out"))
	assert.Equal(t, map[string]bool{"web": false}, services("in"))

	write(func(tx *Tx) error {
		tx.PutNode(Node{Node: "n"})
		for _, name := range []string{"web", "db", "consul"} {
			if err := tx.PutService(Service{Node: "n", ID: name, Service: name}); err != nil {
				return err
			}
		}
		return nil
	})
	assert.Equal(t, map[string]bool{"db": false, "web": true}, services("out"))
	first := s.View().GatewayServices("out")[0].ModifyIndex
	assert.Equal(t, []string{"in"}, s.View().GatewaysOf(api.ServiceKindIngressGateway, "web"))

	write(func(tx *Tx) error {
		return tx.PutConfigEntry(&api.IngressGatewayConfigEntry{Kind: api.IngressGateway, Name: "all", Listeners: []api.IngressListener{{Port: 81, Protocol: "http", Services: []api.IngressService{{Name: "*"}}}}})
	})
	assert.Empty(t, services("all"), "no service is in the mesh")
	write(func(tx *Tx) error {
		return tx.PutService(Service{Node: "n", ID: "proxy", Service: "proxy", Kind: api.ServiceKindConnectProxy, Proxy: &api.AgentServiceConnectProxyConfig{DestinationServiceName: "web"}})
	})
	assert.Empty(t, services("all"), "none speaks the listener's protocol")
	write(func(tx *Tx) error {
		return tx.PutConfigEntry(&api.ServiceConfigEntry{Kind: api.ServiceDefaults, Name: "web", Protocol: "http"})
	})
	assert.Equal(t, map[string]bool{"web": true}, services("all"))

	write(func(tx *Tx) error { tx.DeleteService("n", "web"); return nil })
	assert.Equal(t, map[string]bool{"db": false}, services("out"))
	assert.Equal(t, first, s.View().GatewayServices("out")[0].ModifyIndex, "a row that is as it was keeps its index")
	write(func(tx *Tx) error { tx.DeleteConfigEntry(api.TerminatingGateway, "out"); return nil })
	assert.Empty(t, services("out"))
}
