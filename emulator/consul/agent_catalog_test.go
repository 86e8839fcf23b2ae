package consul

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/consul/state"
)

// quiet is a Consul without addresses, in a bubble of synctest.
func quiet(t *testing.T) *Consul {
	t.Helper()
	return start(t, Options{Datacenters: []Datacenter{{Agents: []Agent{{HTTP: "-"}}}}})
}

// tell makes a request of the first agent without a connection.
func tell(t *testing.T, c *Consul, path, body string) {
	t.Helper()
	answer := httptest.NewRecorder()
	c.primary().agents[0].ServeHTTP(answer, httptest.NewRequest(http.MethodPut, path, strings.NewReader(body)))
	require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
}

func TestAnAgentIsInTheCatalog(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Datacenters: []Datacenter{{Agents: []Agent{
		{Node: "server", ServerPort: 8399, Meta: map[string]string{"zone": "a"}}, {Node: "client", Address: "10.0.0.2"},
	}}}})
	client := officialClient(t, c)
	servers, _, err := client.Catalog().Service("consul", "", nil)
	require.NoError(t, err)
	require.Len(t, servers, 1, "a client is no server")
	assert.Equal(t, 8399, servers[0].ServicePort)
	assert.Equal(t, "127.0.0.1", servers[0].TaggedAddresses["lan_ipv4"])
	assert.Equal(t, map[string]string{"consul-network-segment": "", "consul-version": Version, "zone": "a"}, servers[0].NodeMeta)
	assert.Equal(t, "127.0.0.1:8399", get[string](t, c, "/v1/status/leader"))
	alive, _, err := client.Health().Node("client", nil)
	require.NoError(t, err)
	require.Len(t, alive, 1)
	assert.Equal(t, "serfHealth", alive[0].CheckID)
	assert.Equal(t, "Agent alive and reachable", alive[0].Output)
}

func TestTheCatalogIsPutRight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := quiet(t)
		tell(t, c, "/v1/agent/service/register", `{"Name":"kept","Tags":["mine"],"Check":{"TTL":"1h"}}`)
		tell(t, c, "/v1/agent/service/register", `{"Name":"free","Tags":["mine"],"EnableTagOverride":true}`)
		store := c.primary().store
		require.NoError(t, store.Write(func(tx *state.Tx) error {
			tx.DeleteNode("dc1-1")
			return nil
		}))
		time.Sleep(syncEvery + time.Second)
		view := store.View()
		assert.NotNil(t, view.Service("dc1-1", "kept"))
		assert.NotNil(t, view.Service("dc1-1", ownService))
		assert.NotNil(t, view.Check("dc1-1", serfHealth))

		tell(t, c, "/v1/catalog/register", `{"Node":"dc1-1","SkipNodeUpdate":true,"Service":{"Service":"kept","Tags":["theirs"]}}`)
		tell(t, c, "/v1/catalog/register", `{"Node":"dc1-1","SkipNodeUpdate":true,"Service":{"Service":"free","Tags":["theirs"],"EnableTagOverride":true}}`)
		tell(t, c, "/v1/catalog/register", `{"Node":"dc1-1","SkipNodeUpdate":true,"Service":{"Service":"unknown"}}`)
		tell(t, c, "/v1/catalog/deregister", `{"Node":"dc1-1","CheckID":"service:kept"}`)
		tell(t, c, "/v1/catalog/register", `{"Node":"other","Address":"10.0.0.9","Service":{"Service":"elsewhere"}}`)
		time.Sleep(syncEvery)
		view = store.View()
		assert.Equal(t, []string{"mine"}, view.Service("dc1-1", "kept").Tags)
		assert.Equal(t, []string{"theirs"}, view.Service("dc1-1", "free").Tags, "its tags may be changed")
		assert.Equal(t, []string{"theirs"}, view.LocalService("dc1-1", "free").Tags)
		assert.Nil(t, view.Service("dc1-1", "unknown"))
		assert.NotNil(t, view.Check("dc1-1", "service:kept"))
		assert.NotNil(t, view.Service("other", "elsewhere"), "other nodes are not the agent's")

		index := view.LastIndex()
		time.Sleep(10 * syncEvery)
		assert.Equal(t, index, store.View().LastIndex(), "what is right is left alone")
	})
}

func TestAServiceThatIsCriticalForLongIsRemoved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := quiet(t)
		tell(t, c, "/v1/agent/service/register", `{"Name":"web","Check":{"TTL":"10s","Status":"passing","DeregisterCriticalServiceAfter":"1s"}}`)
		there := func() bool { return c.primary().store.View().Service("dc1-1", "web") != nil }
		time.Sleep(11 * time.Second)
		assert.Equal(t, api.HealthCritical, c.primary().store.View().Check("dc1-1", "service:web").Status)
		time.Sleep(minDeregister - time.Second)
		assert.True(t, there(), "a minute is the least")
		time.Sleep(reapEvery + time.Second)
		assert.False(t, there())
	})
}

func TestAServiceThatRecoversInTimeStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := quiet(t)
		tell(t, c, "/v1/agent/service/register", `{"Name":"web","Check":{"TTL":"100h","DeregisterCriticalServiceAfter":"90s"}}`)
		for range 5 {
			time.Sleep(time.Minute)
			tell(t, c, "/v1/agent/check/pass/service:web", "")
			tell(t, c, "/v1/agent/check/fail/service:web", "")
		}
		assert.NotNil(t, c.primary().store.View().Service("dc1-1", "web"))
	})
}

// What is registered is back after a restart; what checks had found before it
// counts no more, unless somebody had told it.
func TestWhatIsRegisteredIsKept(t *testing.T) {
	t.Parallel()
	o := Options{Dir: t.TempDir()}
	c := start(t, o)
	registerLocal(t, c, `{"Name":"web","Port":80,"Connect":{"SidecarService":{}},"Checks":[{"CheckID":"told","TTL":"1h"},{"CheckID":"asked","TCP":"127.0.0.1:1","Interval":"1h"}]}`)
	before := officialClient(t, c).Agent()
	require.NoError(t, before.UpdateTTL("told", "fine", api.HealthPassing))
	require.NoError(t, before.EnableServiceMaintenance("web", "moving"))
	require.NoError(t, c.primary().store.Write(func(tx *state.Tx) error {
		return tx.ReportLocalCheck("dc1-1", "asked", api.HealthPassing, "connected")
	}))
	require.NoError(t, c.Close())

	agent := officialClient(t, start(t, o)).Agent()
	services, err := agent.Services()
	require.NoError(t, err)
	assert.Equal(t, 80, services["web"].Port)
	assert.Contains(t, services, "web-sidecar-proxy")
	list, err := agent.Checks()
	require.NoError(t, err)
	assert.Equal(t, api.HealthPassing, list["told"].Status)
	assert.Equal(t, api.HealthCritical, list["asked"].Status)
	assert.Contains(t, list, "_service_maintenance:web")
	require.NoError(t, agent.UpdateTTL("told", "still", api.HealthPassing), "it runs again")
	require.NoError(t, agent.ServiceDeregister("web"))
	services, err = agent.Services()
	require.NoError(t, err)
	assert.Empty(t, services)
}
