package consul

import (
	"net/http"
	"testing"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHealthForLoadBalancers(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	agent := officialClient(t, c).Agent()
	registerLocal(t, c, `{"Name":"web","ID":"w1","Check":{"TTL":"1h"}}`)
	registerLocal(t, c, `{"Name":"web","ID":"w2","Check":{"TTL":"1h","Status":"passing"}}`)
	answers := func(path string, status int, word string) {
		t.Helper()
		got, header, text := ask(t, c, http.MethodGet, "/v1/agent/health/service/"+path+"?format=text", nil)
		assert.Equal(t, status, got, path)
		assert.Equal(t, word, text, path)
		assert.Equal(t, "text/plain", header.Get("Content-Type"))
		got, _, _ = ask(t, c, http.MethodGet, "/v1/agent/health/service/"+path, nil)
		assert.Equal(t, status, got, path)
	}
	answers("id/w1", http.StatusServiceUnavailable, "critical")
	answers("id/w2", http.StatusOK, "passing")
	answers("id/none", http.StatusNotFound, "critical")
	answers("name/web", http.StatusServiceUnavailable, "critical")
	answers("name/none", http.StatusNotFound, "critical")
	require.NoError(t, agent.UpdateTTL("service:w1", "", api.HealthWarning))
	answers("name/web", http.StatusTooManyRequests, "warning")
	require.NoError(t, agent.UpdateTTL("service:w1", "", api.HealthPassing))
	answers("name/web", http.StatusOK, "passing")
	require.NoError(t, agent.EnableNodeMaintenance("down"))
	answers("name/web", http.StatusServiceUnavailable, "maintenance")

	_, _, body := ask(t, c, http.MethodGet, "/v1/agent/health/service/id/none", nil)
	assert.Equal(t, `{"AggregatedStatus":"critical","Service":null,"Checks":null}`, body)
	_, _, body = ask(t, c, http.MethodGet, "/v1/agent/health/service/name/none", nil)
	assert.Equal(t, `[]`, body)
}

func TestMaintenance(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	client := officialClient(t, c)
	agent := client.Agent()
	registerLocal(t, c, `{"Name":"web"}`)
	require.NoError(t, agent.EnableServiceMaintenance("web", "broken"))
	require.NoError(t, agent.EnableServiceMaintenance("web", "again"))
	require.NoError(t, agent.EnableNodeMaintenance(""))
	list, err := agent.Checks()
	require.NoError(t, err)
	service, node := list["_service_maintenance:web"], list["_node_maintenance"]
	assert.Equal(t, "broken", service.Notes, "the first reason stays")
	assert.Equal(t, "maintenance", service.Type)
	assert.Equal(t, api.HealthCritical, service.Status)
	assert.Equal(t, "Maintenance mode is enabled for this node, but no reason was provided. This is a default message.", node.Notes)
	entries, _, err := client.Health().Service("web", "", true, nil)
	require.NoError(t, err)
	assert.Empty(t, entries)
	require.NoError(t, agent.DisableServiceMaintenance("web"))
	require.NoError(t, agent.DisableNodeMaintenance())
	require.NoError(t, agent.DisableNodeMaintenance())
	entries, _, err = client.Health().Service("web", "", true, nil)
	require.NoError(t, err)
	assert.Len(t, entries, 1)
}
