package consul

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// registerLocal registers an instance with dc1's first agent by its JSON.
func registerLocal(t *testing.T, c *Consul, body string) {
	t.Helper()
	status, _, text := ask(t, c, http.MethodPut, "/v1/agent/service/register", strings.NewReader(body))
	require.Equal(t, http.StatusOK, status, text)
}

func TestAnInstanceIsRegisteredAndInTheCatalog(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	client := officialClient(t, c)
	require.NoError(t, client.Agent().ServiceRegister(&api.AgentServiceRegistration{
		Name: "web", ID: "web-1", Tags: []string{"v1"}, Port: 80, Address: "10.0.0.1", Meta: map[string]string{"k": "v"},
		EnableTagOverride: true, SocketPath: "/run/web", Weights: &api.AgentWeights{Passing: 5, Warning: 2},
		Locality: &api.Locality{Region: "r", Zone: "z"},
		Checks:   api.AgentServiceChecks{{TTL: "15s"}, {TTL: "30s", CheckID: "mine", Status: api.HealthPassing}},
	}))
	found, _, err := client.Agent().Service("web-1", nil)
	require.NoError(t, err)
	assert.Equal(t, 5, found.Weights.Passing)
	assert.Equal(t, &api.Locality{Region: "r", Zone: "z"}, found.Locality)
	assert.Equal(t, api.ServiceAddress{Address: "10.0.0.1", Port: 80}, found.TaggedAddresses["lan_ipv4"])
	placed, _, err := client.Catalog().Service("web", "v1", nil)
	require.NoError(t, err)
	require.Len(t, placed, 1)
	assert.Equal(t, "dc1-1", placed[0].Node)
	assert.True(t, placed[0].ServiceEnableTagOverride)
	list, err := client.Agent().Checks()
	require.NoError(t, err)
	assert.Equal(t, api.HealthCritical, list["service:web-1:1"].Status)
	assert.Equal(t, api.HealthPassing, list["mine"].Status)
	assert.Equal(t, "Service 'web' check", list["mine"].Name)

	require.NoError(t, client.Agent().ServiceDeregister("web-1"))
	services, err := client.Agent().Services()
	require.NoError(t, err)
	assert.Empty(t, services)
	placed, _, err = client.Catalog().Service("web", "", nil)
	require.NoError(t, err)
	assert.Empty(t, placed)
}

func TestRegisteringAgain(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	agent := officialClient(t, c).Agent()
	web := &api.AgentServiceRegistration{Name: "web", Check: &api.AgentServiceCheck{TTL: "1h"}}
	require.NoError(t, agent.ServiceRegister(web))
	require.NoError(t, agent.UpdateTTL("service:web", "fine", api.HealthPassing))
	web.Port = 81
	web.Check.Status = api.HealthWarning
	require.NoError(t, agent.ServiceRegister(web))
	list, err := agent.Checks()
	require.NoError(t, err)
	assert.Equal(t, api.HealthPassing, list["service:web"].Status, "what the check has found is kept")
	assert.Equal(t, "fine", list["service:web"].Output)

	web.Check = nil
	require.NoError(t, agent.ServiceRegister(web))
	list, err = agent.Checks()
	require.NoError(t, err)
	assert.Len(t, list, 1, "checks stay unless they are to be replaced")
	require.NoError(t, agent.ServiceRegisterOpts(web, api.ServiceRegisterOpts{ReplaceExistingChecks: true}))
	list, err = agent.Checks()
	require.NoError(t, err)
	assert.Empty(t, list)
}

func TestTheHashOfAnInstance(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	client := officialClient(t, c)
	registerLocal(t, c, `{"Name":"foo","Tags":["bar","baz"],"Port":8000}`)
	found, meta, err := client.Agent().Service("foo", nil)
	require.NoError(t, err)
	assert.Equal(t, "c4bb6737c185ed93", found.ContentHash, "as the real program has it")
	assert.Equal(t, found.ContentHash, meta.LastContentHash)

	began := time.Now()
	_, _, err = client.Agent().Service("foo", &api.QueryOptions{WaitHash: meta.LastContentHash, WaitTime: 20 * time.Millisecond})
	require.NoError(t, err)
	assert.GreaterOrEqual(t, time.Since(began), 20*time.Millisecond)

	changed := make(chan *api.AgentService, 1)
	go func() {
		found, _, _ := client.Agent().Service("foo", &api.QueryOptions{WaitHash: meta.LastContentHash})
		changed <- found
	}()
	registerLocal(t, c, `{"Name":"foo","Port":8001}`)
	select {
	case found := <-changed:
		require.NotNil(t, found)
		assert.Equal(t, 8001, found.Port)
	case <-time.After(10 * time.Second):
		require.Fail(t, "the change does not wake who waits for it")
	}
}

func TestSidecars(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Datacenters: []Datacenter{{Agents: []Agent{{SidecarPorts: PortRange{22000, 22001}}}}}})
	agent := officialClient(t, c).Agent()
	registerLocal(t, c, `{"Name":"web","Port":80,"Tags":["a"],"Meta":{"k":"v"},"Connect":{"SidecarService":{"Check":{},"Proxy":{"Upstreams":[{"DestinationName":"db","LocalBindPort":9191}]}}}}`)
	registerLocal(t, c, `{"Name":"api","SocketPath":"/s","Connect":{"SidecarService":{"Check":{"TTL":"1m"}}}}`)
	sidecar, _, err := agent.Service("web-sidecar-proxy", nil)
	require.NoError(t, err)
	assert.Equal(t, api.ServiceKindConnectProxy, sidecar.Kind)
	assert.Equal(t, 22000, sidecar.Port)
	assert.Equal(t, []string{"a"}, sidecar.Tags)
	assert.Equal(t, map[string]string{"k": "v"}, sidecar.Meta)
	assert.Equal(t, "web", sidecar.Proxy.DestinationServiceID)
	assert.Equal(t, "127.0.0.1", sidecar.Proxy.LocalServiceAddress)
	assert.Equal(t, 80, sidecar.Proxy.LocalServicePort)
	assert.Equal(t, api.UpstreamDestTypeService, sidecar.Proxy.Upstreams[0].DestinationType)
	list, err := agent.Checks()
	require.NoError(t, err)
	assert.Equal(t, "Connect Sidecar Listening", list["service:web-sidecar-proxy:1"].Name)
	assert.Equal(t, "Connect Sidecar Aliasing web", list["service:web-sidecar-proxy:2"].Name)
	assert.Equal(t, "ttl", list["service:api-sidecar-proxy"].Type)
	second, _, err := agent.Service("api-sidecar-proxy", nil)
	require.NoError(t, err)
	assert.Equal(t, 22001, second.Port)
	assert.Equal(t, "/s", second.Proxy.LocalServiceSocketPath)

	status, _, text := ask(t, c, http.MethodPut, "/v1/agent/service/register", strings.NewReader(`{"Name":"more","Connect":{"SidecarService":{}}}`))
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Contains(t, text, "no free ports")
	_, _, err = agent.Service("more", nil)
	require.Error(t, err, "what cannot have its sidecar is not registered either")

	registerLocal(t, c, `{"Name":"web","Port":81,"Connect":{"SidecarService":{}}}`)
	sidecar, _, err = agent.Service("web-sidecar-proxy", nil)
	require.NoError(t, err)
	assert.Equal(t, 22000, sidecar.Port, "it keeps its port")
	require.NoError(t, agent.ServiceDeregister("web"))
	services, err := agent.ServicesWithFilter(`Service == "web-sidecar-proxy"`)
	require.NoError(t, err)
	assert.Empty(t, services)
}

// The bodies are what the real program answers, byte by byte.
func TestAnInstanceInConsulsShape(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	registerLocal(t, c, `{"name":"web","enable_tag_override":true,"tagged_addresses":{"lan":{"address":"1.2.3.4","port":5}},"meta":{"some_key":"v"}}`)
	registerLocal(t, c, `{"Name":"mp","Ports":[{"Name":"http","Port":80,"Default":true},{"Name":"m","Port":90}]}`)
	registerLocal(t, c, `{"Name":"igw","Kind":"ingress-gateway","Port":1}`)
	for path, want := range map[string]string{
		"web": `{"ID":"web","Service":"web","Tags":[],"Meta":{"some_key":"v"},"Port":0,"Address":"","TaggedAddresses":{"lan":{"Address":"1.2.3.4","Port":5}},` +
			`"Weights":{"Passing":1,"Warning":1},"EnableTagOverride":true,"ContentHash":"HASH","Datacenter":"dc1"}`,
		"mp": `{"ID":"mp","Service":"mp","Tags":[],"Meta":{},"Port":80,"Ports":[{"Name":"http","Port":80,"Default":true},{"Name":"m","Port":90,"Default":false}],` +
			`"Address":"","Weights":{"Passing":1,"Warning":1},"EnableTagOverride":false,"ContentHash":"HASH","Datacenter":"dc1"}`,
		"igw": `{"Kind":"ingress-gateway","ID":"igw","Service":"igw","Tags":[],"Meta":{},"Port":1,"Address":"","Weights":{"Passing":1,"Warning":1},` +
			`"EnableTagOverride":false,"ContentHash":"HASH","Proxy":{"MeshGateway":{},"Expose":{}},"Datacenter":"dc1"}`,
	} {
		_, header, body := ask(t, c, http.MethodGet, "/v1/agent/service/"+path, nil)
		assert.Equal(t, want, strings.Replace(body, header.Get("X-Consul-ContentHash"), "HASH", 1))
	}
}

func TestWhatAnAgentRefuses(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	registerLocal(t, c, `{"Name":"there"}`)
	const validation = "Validation failed: 1 error occurred:\n\t* "
	for _, test := range []struct {
		body   string
		status int
		text   string
	}{
		{``, 400, "Request decode failed: EOF"},
		{`{bad`, 400, "Request decode failed: invalid character 'b' looking for beginning of object key string"},
		{`{"Name":1}`, 400, "Request decode failed: json: cannot unmarshal number into Go struct field .Alias.Name of type string"},
		{`{"Nope":1}`, 400, `Request decode failed: json: unknown field "Nope"`},
		{`{"Name":"x","Namespace":"foo"}`, 400, `Request decode failed: json: unknown field "Namespace"`},
		{`{}`, 400, "Missing service name"},
		{`{"Name":"x","Address":"0.0.0.0"}`, 400, "Invalid service address"},
		{`{"Name":"x","Meta":{"a b":"c"}}`, 400, "Invalid Service Meta: Couldn't load metadata pair ('a b', 'c'): Key contains invalid characters"},
		{`{"Name":"x","Weights":{"Passing":0,"Warning":1}}`, 400, "Invalid Weights: Passing must be greater than 0"},
		{`{"Name":"x","Weights":{"Passing":1,"Warning":-1}}`, 400, "Invalid Weights: Warning must be greater or equal than 0"},
		{`{"Name":"x","Weights":{"Passing":70000,"Warning":1}}`, 400, "Invalid Weights: DNS Weight must be between 0 and 65535"},
		{`{"Name":"x","Locality":{"Zone":"z"}}`, 400, validation + "zone cannot be set without region\n\n"},
		{`{"Name":"x","Kind":"mesh-gateway"}`, 400, validation + "Port must be non-zero for a mesh-gateway\n\n"},
		{`{"Name":"x","Port":1,"Ports":[{"Name":"a","Port":2,"Default":true}]}`, 400, validation + "Cannot set both Port and Ports\n\n"},
		{`{"Name":"x","Connect":{"Native":true}}`, 400, validation + "Port or SocketPath must be set for a Connect native service.\n\n"},
		{`{"Name":"x","Connect":{"SidecarService":{"ID":"y"}}}`, 400, validation + "A SidecarService cannot specify an ID as this is managed by the agent\n\n"},
		{`{"Name":"x","Connect":{"SidecarService":{"Connect":{"SidecarService":{}}}}}`, 400, validation + "A SidecarService cannot have a nested SidecarService\n\n"},
		{`{"Name":"x","Connect":{"SidecarService":{}},"Ports":[{"Name":"a","Port":5,"Default":true}]}`, 400, "MultiPort cannot be used with Consul Connect."},
		{`{"Name":"x","Check":{"TTL":"10s","Status":"fluffy"}}`, 400, "Status for checks must 'passing', 'warning', 'critical'"},
		{`{"Name":"x","Check":{"TTL":"soon"}}`, 400, `Request decode failed: time: invalid duration "soon"`},
		{`{"Name":"x","Check":{"Interval":"1s"}}`, 400, "Invalid check: TTL must be > 0 for TTL checks"},
		{`{"Name":"x","Check":{"Args":["true"],"Interval":"1s"}}`, 500,
			"Scripts are disabled on this agent from remote calls; to enable, configure 'enable_script_checks' to true"},
	} {
		status, _, text := ask(t, c, http.MethodPut, "/v1/agent/service/register", strings.NewReader(test.body))
		assert.Equal(t, test.status, status, test.body)
		assert.Equal(t, test.text, text, test.body)
	}
	services := get[map[string]any](t, c, "/v1/agent/services")
	assert.Len(t, services, 1, "nothing of what was refused is there")
}

func TestWhatAnAgentDoesNotHave(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	const instance = `Unknown service ID "none". Ensure that the service ID is passed, not the service name.`
	const check = `Unknown check ID "none". Ensure that the check ID is passed, not the check name.`
	for _, test := range []struct {
		method, path string
		status       int
		text         string
	}{
		{http.MethodGet, "service/none", 404, "unknown service ID: none"},
		{http.MethodPut, "service/deregister/none", 404, instance},
		{http.MethodPut, "service/maintenance/none?enable=true", 404, instance},
		{http.MethodPut, "service/maintenance/?enable=true", 400, "Missing service ID"},
		{http.MethodPut, "check/deregister/none", 404, check},
		{http.MethodPut, "check/pass/none", 404, check},
		{http.MethodGet, "health/service/id/", 500, "Missing serviceID"},
		{http.MethodGet, "health/service/name/", 500, "Missing service Name"},
		{http.MethodGet, "services?ns=foo", 400, `Invalid query parameter: "ns" - Namespaces are a Consul Enterprise feature`},
		{http.MethodGet, "services?filter=None==1", 500, `Failed to create boolean expression evaluator: Selector "None" is not valid`},
		{http.MethodPut, "maintenance", 400, "Missing value for enable"},
		{http.MethodPut, "maintenance?enable=x", 400, `Invalid value for enable: "x"`},
		{http.MethodPut, "force-leave/none", 500, "agent: No node found with name 'none'"},
		{http.MethodPut, "join/127.0.0.1:1", 500, "1 error occurred:\n\t* Failed to join 127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused\n\n"},
		{http.MethodGet, "members?segment=x", 500, "Network segments are not supported in this version of Consul"},
		{http.MethodGet, "monitor?loglevel=x", 400, "Unknown log level: x"},
		{http.MethodPut, "token/default", 401, "ACL support disabled"},
	} {
		status, _, text := ask(t, c, test.method, "/v1/agent/"+test.path, nil)
		assert.Equal(t, test.status, status, test.path)
		assert.Equal(t, test.text, text, test.path)
	}
}

// IDs may have slashes, in the path too.
func TestAnIDWithSlashes(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	registerLocal(t, c, `{"ID":"a/b c","Name":"slash"}`)
	for _, path := range []string{"a/b%20c", "a%2Fb%20c"} {
		assert.Equal(t, "a/b c", get[api.AgentService](t, c, "/v1/agent/service/"+path).ID)
	}
}
