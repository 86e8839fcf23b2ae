package client

import (
	"net/http"
	"testing"

	consulapi "github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/consul"
)

func TestServicesOfAllocationsAreInConsul(t *testing.T) {
	t.Parallel()
	c, err := consul.Start(t.Context(), consul.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	client, err := consulapi.NewClient(&consulapi.Config{
		Address: c.URL("dc1"), HttpClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	})
	require.NoError(t, err)
	require.NoError(t, client.Agent().ServiceRegister(&consulapi.AgentServiceRegistration{ID: servicePrefix + "of-a-past-life", Name: "web"}))
	require.NoError(t, client.Agent().ServiceRegister(&consulapi.AgentServiceRegistration{ID: "somebody-elses", Name: "web"}))
	passing := func() []*consulapi.ServiceEntry {
		entries, _, err := client.Health().Service("web", "v1", true, nil)
		require.NoError(t, err)
		return entries
	}

	n := start(t, Options{Consul: c.URL("dc1")})
	require.NoError(t, n.Register(within(t), parse(t, "http", "provider", "consul", "count", "2")))
	eventually(t, "both instances pass in Consul", func() bool { return len(passing()) == 2 })
	entry := passing()[0]
	assert.Equal(t, "nomad", entry.Service.Meta["external-source"])
	assert.Contains(t, n.Services()[0].ID+n.Services()[1].ID, entry.Service.ID)
	assert.Equal(t, `service: "web" check`, entry.Checks[len(entry.Checks)-1].Name)

	require.NoError(t, n.Deregister(within(t), "http"))
	eventually(t, "only what is not Nomad's is left", func() bool {
		all, err := client.Agent().Services()
		require.NoError(t, err)
		return len(all) == 1 && all["somebody-elses"] != nil
	})
}
