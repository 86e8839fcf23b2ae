package state

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/store"
)

func TestTheCatalogAndQueriesSurviveARestart(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "dc1.journal")
	s, err := Open(file)
	require.NoError(t, err)
	putNode(t, s, Node{ID: idA, Node: "a", Address: "10.0.0.1", Meta: map[string]string{"k": "v"}, Locality: &Locality{Region: "r"}})
	putService(t, s, Service{
		Node: "a", ID: "proxy", Service: "p", Kind: api.ServiceKindConnectProxy, Port: 1,
		Proxy: &api.AgentServiceConnectProxyConfig{
			DestinationServiceName: "web", Config: map[string]any{"limit": 5.0, "deep": map[string]any{"a": []any{"b"}}},
			Upstreams: []api.Upstream{{DestinationName: "db", LocalBindPort: 9}},
		},
		Connect: &api.AgentServiceConnect{}, Ports: api.ServicePorts{{Name: "x", Port: 1, Default: true}},
	})
	putCheck(t, s, Check{Node: "a", CheckID: "c", ServiceID: "proxy", Definition: CheckDefinition{
		Interval: Duration(time.Second), TTL: Duration(time.Minute), Header: map[string][]string{"a": {"b"}}}})
	write(t, s, func(tx *Tx) error {
		_, _, err := tx.AssignManualIPs("web", []string{"1.1.1.1"})
		require.NoError(t, err)
		return tx.PutQuery(Query{ID: idA, Name: "q", Service: ServiceQuery{Service: "web", Tags: []string{"x"}, NodeMeta: map[string]string{}}})
	})
	require.NoError(t, s.Close())

	again, err := Open(file)
	require.NoError(t, err)
	before, after := s.View(), again.View()
	assert.Equal(t, before.Node("a"), after.Node("a"))
	assert.Equal(t, before.Service("a", "proxy"), after.Service("a", "proxy"))
	assert.Equal(t, before.Check("a", "c"), after.Check("a", "c"))
	assert.Equal(t, before.Query(idA), after.Query(idA))
	assert.Equal(t, store.First[VirtualIP](before, TableVirtualIPs, "id", "web"), store.First[VirtualIP](after, TableVirtualIPs, "id", "web"))
	assert.Equal(t, before.ServiceIndex("p"), after.ServiceIndex("p"))
	assert.Equal(t, before.ConnectIndex("web"), after.ConnectIndex("web"))

	putService(t, again, *after.Service("a", "proxy"))
	assert.Equal(t, before.LastIndex(), again.View().LastIndex(), "what was read back is as it was")
	require.NoError(t, again.Close())
}
