package consul

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/consul/state"
)

func TestReload(t *testing.T) {
	t.Parallel()
	const hour = state.Duration(time.Hour)
	defined := Definitions{
		Services: []ServiceDefinition{
			{Name: "old", Check: &CheckDefinition{TTL: hour}},
			{Name: "stays", Connect: &ConnectDefinition{SidecarService: &ServiceDefinition{}}, Checks: []*CheckDefinition{{CheckID: "gone", TTL: hour}}},
		},
		Checks: []CheckDefinition{{Name: "disk", Args: []string{"true"}, Interval: hour}},
	}
	var wrong error
	o := Agent{LocalScriptChecks: true, Definitions: func() (Definitions, error) { return defined, wrong }}
	c := start(t, Options{Datacenters: []Datacenter{{Agents: []Agent{o}}}})
	agent := officialClient(t, c).Agent()
	registerLocal(t, c, `{"Name":"told"}`)
	list, err := agent.Checks()
	require.NoError(t, err)
	assert.Contains(t, list, "service:old")
	assert.Contains(t, list, "disk")

	defined = Definitions{Services: []ServiceDefinition{{Name: "stays", Port: 9, Connect: defined.Services[1].Connect}, {Name: "new"}}}
	require.NoError(t, agent.Reload())
	services, err := agent.Services()
	require.NoError(t, err)
	assert.Equal(t, []string{"new", "stays", "stays-sidecar-proxy", "told"}, slices.Sorted(maps.Keys(services)))
	assert.Equal(t, 9, services["stays"].Port)
	list, err = agent.Checks()
	require.NoError(t, err)
	assert.Equal(t, []string{"service:stays-sidecar-proxy:1", "service:stays-sidecar-proxy:2"}, slices.Sorted(maps.Keys(list)))

	for name, bad := range map[string]func(){
		"files that cannot be read": func() { wrong = errors.New("unexpected end of JSON input") },
		"a definition that is not valid": func() {
			wrong, defined = nil, Definitions{Services: []ServiceDefinition{{Name: "x", Check: &CheckDefinition{Notes: "of no kind"}}}}
		},
	} {
		bad()
		status, _, text := ask(t, c, http.MethodPut, "/v1/agent/reload", nil)
		assert.Equal(t, http.StatusInternalServerError, status, name)
		assert.NotEmpty(t, text, name)
		assert.Error(t, c.Reload(), name)
		again, err := agent.Services()
		require.NoError(t, err)
		assert.Equal(t, services, again, name)
	}
}

func TestWrongDefinitionsStopTheStart(t *testing.T) {
	t.Parallel()
	o := Agent{Definitions: func() (Definitions, error) {
		return Definitions{Services: []ServiceDefinition{{Name: "web", Check: &CheckDefinition{Args: []string{"x"}, Interval: 1}}}}, nil
	}}
	_, err := Start(t.Context(), Options{Datacenters: []Datacenter{{Agents: []Agent{o}}}})
	assert.ErrorContains(t, err, `Failed to register service "web": Scripts are disabled on this agent`)
}
