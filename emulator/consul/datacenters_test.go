package consul

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// twoDatacenters starts dc1 and dc2, and returns the client of an agent of each.
func twoDatacenters(t *testing.T) (c *Consul, dc1, dc2 *api.Client) {
	t.Helper()
	c = start(t, Options{Datacenters: []Datacenter{{Name: "dc1"}, {Name: "dc2"}}})
	return c, clientOf(t, c, "dc1"), clientOf(t, c, "dc2")
}

func clientOf(t *testing.T, c *Consul, datacenter string) *api.Client {
	t.Helper()
	client, err := api.NewClient(&api.Config{
		Address:   c.URL(datacenter),
		Transport: &http.Transport{DisableKeepAlives: true},
	})
	require.NoError(t, err)
	return client
}

func TestDatacentersAreNamedWithTheAgentsOwnFirst(t *testing.T) {
	t.Parallel()
	_, dc1, dc2 := twoDatacenters(t)
	names, err := dc1.Catalog().Datacenters()
	require.NoError(t, err)
	assert.Equal(t, []string{"dc1", "dc2"}, names)
	names, err = dc2.Catalog().Datacenters()
	require.NoError(t, err)
	assert.Equal(t, []string{"dc2", "dc1"}, names)
}

func TestEachDatacenterHasItsOwnStateAndAllAgentsReachIt(t *testing.T) {
	t.Parallel()
	_, dc1, dc2 := twoDatacenters(t)
	there := &api.WriteOptions{Datacenter: "dc2"}
	_, err := dc1.KV().Put(&api.KVPair{Key: "k", Value: []byte("v")}, there)
	require.NoError(t, err)
	_, err = dc1.Catalog().Register(&api.CatalogRegistration{
		Datacenter: "dc2", Node: "n", Address: "10.0.0.1", Service: &api.AgentService{Service: "web", Port: 80},
	}, nil)
	require.NoError(t, err)

	pair, _, err := dc2.KV().Get("k", nil)
	require.NoError(t, err)
	require.NotNil(t, pair)
	pair, _, err = dc1.KV().Get("k", nil)
	require.NoError(t, err)
	assert.Nil(t, pair)

	instances, _, err := dc1.Health().Service("web", "", false, &api.QueryOptions{Datacenter: "dc2"})
	require.NoError(t, err)
	require.Len(t, instances, 1)
	assert.Equal(t, "dc2", instances[0].Node.Datacenter)
	instances, _, err = dc1.Health().Service("web", "", false, nil)
	require.NoError(t, err)
	assert.Empty(t, instances)
}

func TestABlockingQueryWaitsForAnotherDatacenter(t *testing.T) {
	t.Parallel()
	_, dc1, dc2 := twoDatacenters(t)
	_, err := dc2.KV().Put(&api.KVPair{Key: "k", Value: []byte("old")}, nil)
	require.NoError(t, err)
	there := &api.QueryOptions{Datacenter: "dc2"}
	_, meta, err := dc1.KV().Get("k", there)
	require.NoError(t, err)

	got := make(chan string, 1)
	go func() {
		pair, _, err := dc1.KV().Get("k", &api.QueryOptions{Datacenter: "dc2", WaitIndex: meta.LastIndex, WaitTime: time.Minute})
		if assert.NoError(t, err) && assert.NotNil(t, pair) {
			got <- string(pair.Value)
		}
		close(got)
	}()
	_, err = dc1.KV().Put(&api.KVPair{Key: "k", Value: []byte("here")}, nil)
	require.NoError(t, err)
	_, err = dc2.KV().Put(&api.KVPair{Key: "k", Value: []byte("new")}, nil)
	require.NoError(t, err)
	assert.Equal(t, "new", <-got)
}

func TestADatacenterThatThereIsNot(t *testing.T) {
	t.Parallel()
	c, _, _ := twoDatacenters(t)
	const noPath = "No path to datacenter"
	for _, test := range []struct {
		method, path, body string
		status             int
		answer             string
	}{
		{"GET", "/v1/catalog/nodes?dc=nope", "", 500, noPath},
		{"GET", "/v1/catalog/nodes?dc=DC2", "", 500, noPath},
		{"GET", "/v1/status/leader?dc=nope", "", 500, noPath},
		{"GET", "/v1/status/peers?dc=nope", "", 500, noPath},
		{"GET", "/v1/kv/k?dc=nope", "", 500, noPath},
		{"PUT", "/v1/kv/k?dc=nope", "v", 500, noPath},
		{"PUT", "/v1/session/create?dc=nope", "{}", 500, noPath},
		{"PUT", "/v1/event/fire/e?dc=nope", "", 500, noPath},
		{"PUT", "/v1/txn?dc=nope", "[]", 500, noPath},
		{"GET", "/v1/snapshot?dc=nope", "", 500, noPath},
		{"GET", "/v1/config/service-defaults?dc=nope", "", 500, noPath},
		{"GET", "/v1/connect/ca/roots?dc=nope", "", 500, noPath},
		{"PUT", "/v1/catalog/register", `{"Datacenter":"nope","Node":"n","Address":"10.0.0.1"}`, 500, noPath},
		{"PUT", "/v1/catalog/deregister", `{"Datacenter":"nope","Node":"n"}`, 500, noPath},

		{"GET", "/v1/status/leader?dc=", "", 200, `"127.0.0.1:8300"`},
		{"GET", "/v1/status/peers?dc=dc2", "", 200, `["127.0.0.1:8300"]`},
		{"GET", "/v1/catalog/datacenters?dc=nope", "", 200, `["dc1","dc2"]`},
		{"GET", "/v1/event/list?dc=nope", "", 200, "[]"},
		{"PUT", "/v1/catalog/register?dc=nope", `{"Node":"n","Address":"10.0.0.1"}`, 200, "true"},
		{"PUT", "/v1/config?dc=nope", `{"Kind":"service-defaults","Name":"a","Protocol":"http"}`, 200, "true"},
		{"DELETE", "/v1/config/service-defaults/a?dc=nope", "", 200, "{}"},
		{"PUT", "/v1/connect/intentions/exact?source=a&destination=b&dc=nope", `{"Action":"allow"}`, 200, "true"},
	} {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			status, _, answer := ask(t, c, test.method, test.path, strings.NewReader(test.body))
			assert.Equal(t, test.status, status)
			assert.Equal(t, test.answer, answer)
		})
	}
}

// What another datacenter's server refuses comes with a word on who said it;
// what the agent itself refuses, or answers, does not.
func TestErrorsOfAnotherDatacenter(t *testing.T) {
	t.Parallel()
	c, _, _ := twoDatacenters(t)
	for _, test := range []struct {
		method, path, body string
		status             int
		answer             string
	}{
		{"GET", "/v1/config/foo", "", 500, "invalid config entry kind: foo"},
		{"GET", "/v1/config/foo?dc=dc1", "", 500, "invalid config entry kind: foo"},
		{"GET", "/v1/config/foo?dc=dc2", "", 500, "rpc error making call: invalid config entry kind: foo"},
		{"GET", "/v1/config/service-defaults/a?dc=dc2", "", 404, `Config entry not found for "service-defaults" / "a"`},
		{"PUT", "/v1/session/create?dc=dc2", `{"Node":"x"}`, 500, "rpc error making call: apply failed: Missing node registration"},
		{"PUT", "/v1/catalog/register", `{"Datacenter":"dc2"}`, 500, "rpc error making call: Must provide node"},
		{"PUT", "/v1/config?dc=dc2", `{"Kind":"service-splitter","Name":"a"}`, 500, "no splits configured"},
	} {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			status, _, answer := ask(t, c, test.method, test.path, strings.NewReader(test.body))
			assert.Equal(t, test.status, status)
			assert.Equal(t, test.answer, answer)
		})
	}
}

func TestConfigurationEntriesHoldInAllDatacenters(t *testing.T) {
	t.Parallel()
	_, dc1, dc2 := twoDatacenters(t)
	written, _, err := dc2.ConfigEntries().Set(&api.ServiceConfigEntry{
		Kind: api.ServiceDefaults, Name: "web", Protocol: "http",
	}, nil)
	require.NoError(t, err)
	require.True(t, written)
	_, _, err = dc1.ConfigEntries().Get(api.ServiceDefaults, "web", nil)
	require.NoError(t, err)

	protocol := func() string {
		entry, _, err := dc2.ConfigEntries().Get(api.ServiceDefaults, "web", nil)
		if err != nil {
			return ""
		}
		return entry.(*api.ServiceConfigEntry).Protocol
	}
	eventually(t, func() bool { return protocol() == "http" })

	_, _, err = dc1.ConfigEntries().Set(&api.ServiceConfigEntry{Kind: api.ServiceDefaults, Name: "web", Protocol: "grpc"}, nil)
	require.NoError(t, err)
	eventually(t, func() bool { return protocol() == "grpc" })

	_, err = dc2.ConfigEntries().Delete(api.ServiceDefaults, "web", nil)
	require.NoError(t, err)
	eventually(t, func() bool { return protocol() == "" })
}

// A gateway of dc2 is linked to the services of dc2, by an entry of dc1.
func TestAGatewayFollowsAnEntryOfThePrimaryDatacenter(t *testing.T) {
	t.Parallel()
	_, dc1, dc2 := twoDatacenters(t)
	for _, service := range []*api.AgentService{
		{Service: "out", Kind: api.ServiceKindTerminatingGateway, Port: 443},
		{Service: "bank", Port: 80},
	} {
		_, err := dc2.Catalog().Register(&api.CatalogRegistration{Node: "n", Address: "10.0.0.1", Service: service}, nil)
		require.NoError(t, err)
	}
	_, _, err := dc1.ConfigEntries().Set(&api.TerminatingGatewayConfigEntry{
		Kind: api.TerminatingGateway, Name: "out", Services: []api.LinkedService{{Name: "*"}},
	}, nil)
	require.NoError(t, err)
	eventually(t, func() bool {
		links, _, err := dc2.Catalog().GatewayServices("out", nil)
		return assert.NoError(t, err) && len(links) == 1 && links[0].Service.Name == "bank"
	})
	links, _, err := dc1.Catalog().GatewayServices("out", nil)
	require.NoError(t, err)
	for _, link := range links {
		assert.NotEqual(t, "bank", link.Service.Name)
	}
}

func TestIntentionsAreManagedInThePrimaryDatacenter(t *testing.T) {
	t.Parallel()
	_, dc1, dc2 := twoDatacenters(t)
	_, err := dc2.Connect().IntentionUpsert(&api.Intention{
		SourceName: "a", DestinationName: "b", Action: api.IntentionActionDeny,
	}, nil)
	require.NoError(t, err)
	here, _, err := dc1.Connect().Intentions(nil)
	require.NoError(t, err)
	assert.Len(t, here, 1)
	eventually(t, func() bool {
		allowed, _, err := dc2.Connect().IntentionCheck(&api.IntentionCheck{Source: "a", Destination: "b"}, nil)
		return assert.NoError(t, err) && !allowed
	})
}

func TestAPreparedQueryLooksInOtherDatacenters(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Datacenters: []Datacenter{{Name: "dc1"}, {Name: "dc2"}, {Name: "dc3"}}})
	client := clientOf(t, c, "dc1")
	queries := 0
	execute := func(failover api.QueryFailoverOptions) *api.PreparedQueryExecuteResponse {
		queries++
		id, _, err := client.PreparedQuery().Create(&api.PreparedQueryDefinition{
			Name: fmt.Sprintf("query-%d", queries), Service: api.ServiceQuery{Service: "web", Failover: failover},
		}, nil)
		require.NoError(t, err)
		answer, _, err := client.PreparedQuery().Execute(id, nil)
		require.NoError(t, err)
		return answer
	}
	there := aWeb(1, api.HealthPassing)
	there.Datacenter = "dc3"
	registerAll(t, client, there)
	for _, failover := range []api.QueryFailoverOptions{
		{NearestN: 2},
		{NearestN: 1, Datacenters: []string{"dc2", "nope", "dc3"}},
		{Datacenters: []string{"dc2", "dc3"}},
		{Targets: []api.QueryFailoverTarget{{Datacenter: "dc2"}, {Datacenter: "dc3"}}},
	} {
		answer := execute(failover)
		assert.Equal(t, "dc3", answer.Datacenter, failover)
		assert.Equal(t, 2, answer.Failovers, failover)
		require.Len(t, answer.Nodes, 1, failover)
		assert.Equal(t, "10.0.0.1", answer.Nodes[0].Node.Address)
	}
	answer := execute(api.QueryFailoverOptions{NearestN: 1})
	assert.Empty(t, answer.Nodes)
	assert.Equal(t, 1, answer.Failovers)
}

func TestDatacentersSurviveARestart(t *testing.T) {
	t.Parallel()
	o := Options{Dir: t.TempDir(), Datacenters: []Datacenter{{Name: "dc1"}, {Name: "dc2"}}}
	before := start(t, o)
	dc2 := clientOf(t, before, "dc2")
	_, err := dc2.KV().Put(&api.KVPair{Key: "k", Value: []byte("v")}, nil)
	require.NoError(t, err)
	_, _, err = dc2.ConfigEntries().Set(&api.ServiceConfigEntry{Kind: api.ServiceDefaults, Name: "web", Protocol: "http"}, nil)
	require.NoError(t, err)
	require.NoError(t, before.Close())

	after := start(t, o)
	pair, _, err := clientOf(t, after, "dc2").KV().Get("k", nil)
	require.NoError(t, err)
	assert.NotNil(t, pair)
	pair, _, err = clientOf(t, after, "dc1").KV().Get("k", nil)
	require.NoError(t, err)
	assert.Nil(t, pair)
	eventually(t, func() bool {
		_, _, err := clientOf(t, after, "dc2").ConfigEntries().Get(api.ServiceDefaults, "web", nil)
		return err == nil
	})
}

// eventually waits for what happens a moment later.
func eventually(t *testing.T, happened func() bool) {
	t.Helper()
	require.Eventually(t, happened, 10*time.Second, 5*time.Millisecond)
}
