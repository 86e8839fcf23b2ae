package consul

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// register puts something into dc1's catalog.
func register(t *testing.T, c *Consul, body string) {
	t.Helper()
	status, _, text := ask(t, c, http.MethodPut, "/v1/catalog/register", strings.NewReader(body))
	require.Equal(t, http.StatusOK, status, text)
	require.Equal(t, "true", text)
}

func deregister(t *testing.T, c *Consul, body string) {
	t.Helper()
	status, _, text := ask(t, c, http.MethodPut, "/v1/catalog/deregister", strings.NewReader(body))
	require.Equal(t, http.StatusOK, status, text)
	require.Equal(t, "true", text)
}

// shop registers two nodes with three instances of web and one of db:
// web1 passes, web2 warns, and web3's node is critical.
func shop(t *testing.T, c *Consul) {
	t.Helper()
	for _, body := range []string{
		`{"Node":"a","Address":"10.0.0.1","NodeMeta":{"zone":"one"},"Service":{"ID":"web1","Service":"web","Tags":["v1"],"Port":80,"Meta":{"version":"1"}},
			"Check":{"CheckID":"web1","Name":"web1","ServiceID":"web1","Status":"passing"}}`,
		`{"Node":"a","Address":"10.0.0.1","NodeMeta":{"zone":"one"},"Service":{"ID":"web2","Service":"web","Tags":["v2","Blue"],"Port":81,"Meta":{"version":"2"}},
			"Check":{"CheckID":"web2","Name":"web2","ServiceID":"web2","Status":"warning"}}`,
		`{"Node":"b","Address":"10.0.0.2","NodeMeta":{"zone":"two"},"Service":{"ID":"web3","Service":"web","Tags":["v2"],"Port":80,"Meta":{"version":"2"}},
			"Check":{"CheckID":"alive","Name":"alive","Status":"critical"}}`,
		`{"Node":"b","SkipNodeUpdate":true,"Service":{"Service":"db","Port":5432}}`,
	} {
		register(t, c, body)
	}
}

func TestTheCatalogSaysItInConsulsShape(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	register(t, c, `{"Node":"a","Address":"10.0.0.1","Service":{"Service":"web"},"Check":{"Name":"answers"}}`)
	const node = `{"ID":"","Node":"a","Address":"10.0.0.1","Datacenter":"dc1","TaggedAddresses":null,"Meta":null,"CreateIndex":0,"ModifyIndex":0}`
	const instance = `{"ID":"web","Service":"web","Tags":[],"Address":"","Meta":null,"Weights":{"Passing":1,"Warning":1},"EnableTagOverride":false,` +
		`"Proxy":{"Mode":"","MeshGateway":{},"Expose":{}},"Connect":{},"PeerName":"","CreateIndex":0,"ModifyIndex":0}`
	const check = `{"Node":"a","CheckID":"answers","Name":"answers","Status":"critical","Notes":"","Output":"","ServiceID":"","ServiceName":"","ServiceTags":[],` +
		`"Type":"","Interval":"","Timeout":"","ExposedPort":0,"Definition":{},"CreateIndex":0,"ModifyIndex":0}`
	for path, want := range map[string]string{
		"/v1/catalog/nodes?filter=Node+==+a":    "[" + node + "]",
		"/v1/catalog/services?filter=Node+==+a": `{"web":[]}`,
		"/v1/catalog/node/A":                    `{"Node":` + node + `,"Services":{"web":` + instance + `}}`,
		"/v1/catalog/node-services/a":           `{"Node":` + node + `,"Services":[` + instance + `]}`,
		"/v1/catalog/node/none":                 `null`,
		"/v1/catalog/node-services/none":        `{"Node":null,"Services":null}`,
		"/v1/catalog/service/none":              `[]`,
		"/v1/catalog/connect/web":               `[]`,
		"/v1/catalog/gateway-services/none":     `[]`,
		"/v1/catalog/service/WEB": `[{"ID":"","Node":"a","Address":"10.0.0.1","Datacenter":"dc1","TaggedAddresses":null,"NodeMeta":null,"ServiceKind":"",` +
			`"ServiceID":"web","ServiceName":"web","ServiceTags":[],"ServiceAddress":"","ServiceWeights":{"Passing":1,"Warning":1},"ServiceMeta":{},"ServicePort":0,` +
			`"ServicePorts":null,"ServiceSocketPath":"","ServiceEnableTagOverride":false,"ServiceProxy":{"Mode":"","MeshGateway":{},"Expose":{}},"ServiceConnect":{},` +
			`"ServiceLocality":null,"CreateIndex":0,"ModifyIndex":0}]`,
		"/v1/health/node/a":             "[" + check + "]",
		"/v1/health/state/critical":     "[" + check + "]",
		"/v1/health/state/none":         "[]",
		"/v1/health/checks/web":         "[]",
		"/v1/health/service/web":        `[{"Node":` + node + `,"Service":` + instance + `,"Checks":[` + check + `]}]`,
		"/v1/health/service/none":       "[]",
		"/v1/health/ingress/web":        "[]",
		"/v1/health/connect/web":        "[]",
		"/v1/health/service/web?peer=p": "[]",
	} {
		status, header, body := ask(t, c, http.MethodGet, path, nil)
		assert.Equal(t, http.StatusOK, status, path)
		assert.Equal(t, want, withoutIndexes(body), path)
		assert.NotEmpty(t, header.Get("X-Consul-Index"), path)
		assert.Equal(t, "leader", header.Get("X-Consul-Effective-Consistency"), path)
	}
}

// withoutIndexes is an answer with 0 in the place of all indexes of rows.
func withoutIndexes(body string) string {
	return regexp.MustCompile(`"(Create|Modify)Index":\d+`).ReplaceAllString(body, `"${1}Index":0`)
}

func TestWhatTheCatalogRefuses(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	const put, get = http.MethodPut, http.MethodGet
	for _, test := range []struct {
		method, path, body string
		status             int
		text               string
	}{
		{put, "register", ``, 400, "Request decode failed: EOF"},
		{put, "register", `{`, 400, "Request decode failed: unexpected EOF"},
		{put, "register", `{"Partition":"default"}`, 400, `Request decode failed: json: unknown field "Partition"`},
		{put, "register", `{"Service":{"Namespace":"x"}}`, 400, `Request decode failed: json: unknown field "Namespace" - Namespaces are a Consul Enterprise feature`},
		{put, "register", `{"Check":{"Definition":{"Interval":"soon"}}}`, 400, `Request decode failed: time: invalid duration "soon"`},
		{put, "register", `{}`, 500, "Must provide node"},
		{put, "register", `{"Node":"a"}`, 500, "Must provide address if SkipNodeUpdate is not set"},
		{put, "register", `{"Node":"a","Address":"x","ID":"nope"}`, 500, "Bad node ID: uuid string is wrong length"},
		{put, "register", `{"Node":"a","Address":"x","ID":"zzzzzzzz-1111-1111-1111-111111111111"}`, 500, "Bad node ID: encoding/hex: invalid byte: U+007A 'z'"},
		{put, "register", `{"Node":"a","Address":"x","Datacenter":"nope"}`, 500, "No path to datacenter"},
		{put, "register", `{"Node":"a","Address":"x","PeerName":"p"}`, 500, "cannot register requests with PeerName in them"},
		{put, "register", `{"Node":"a","Address":"x","Service":{}}`, 500, "service name (Service.Service) is required; both Service ID (Service.ID) and Service Name cannot be empty"},
		{put, "register", `{"Node":"a","Address":"x","Service":{"ID":"x"}}`, 500, "Must provide service name (Service.Service) when service ID is provided"},
		{put, "register", `{"Node":"a","Address":"x","Service":{"Service":"m","Meta":{"a b":"c"}}}`, 500,
			"failed inserting service: Invalid Service Meta for node a and serviceID m: Couldn't load metadata pair ('a b', 'c'): Key contains invalid characters"},
		{put, "register", `{"Node":"a","Address":"x","Check":{}}`, 500,
			`failed inserting check on node "a": failed health check lookup: index error: object is missing a value for this index`},
		{put, "register", `{"Node":"a","Address":"x","Check":{"CheckID":"c","ServiceID":"none"}}`, 500, "Unknown service ID 'none' for check ID 'c'"},
		{put, "register", `{"Node":"a","Address":"x","Check":{"CheckID":"c","Node":"b"}}`, 500, "Node 'b' for check 'c' doesn't match register request node 'a'"},
		{put, "deregister", ``, 400, "Request decode failed: EOF"},
		{put, "deregister", `{"ServiceID":"x"}`, 500, "Must provide node"},
		{put, "deregister", `{"Node":"a","Datacenter":"nope"}`, 500, "No path to datacenter"},
		{http.MethodPost, "register", `{}`, 405, "method POST not allowed"},
		{get, "node/", ``, 400, "Missing node name"},
		{get, "node-services/", ``, 400, "Missing node name"},
		{get, "service/", ``, 400, "Missing service name"},
		{get, "connect/", ``, 400, "Missing service name"},
		{get, "gateway-services/", ``, 400, "Missing gateway name"},
		{get, "nodes?dc=nope", ``, 500, "No path to datacenter"},
		{get, "nodes?filter=None+==+1", ``, 500, `Failed to create boolean expression evaluator: Selector "None" is not valid`},
		{get, "nodes?partition=x", ``, 400, `Invalid query parameter: "partition" - Partitions are a Consul Enterprise feature`},
		{get, "services?ns=x", ``, 400, `Invalid query parameter: "ns" - Namespaces are a Consul Enterprise feature`},
		{get, "nodes?stale&consistent", ``, 400, "Cannot specify ?stale with ?consistent, conflicting semantics."},
		{get, "nodes?max_stale=x", ``, 400, `Invalid max_stale value "x"`},
		{get, "service/web?cached&consistent", ``, 400, "Cannot specify ?cached with ?consistent, conflicting semantics."},
	} {
		status, _, text := ask(t, c, test.method, "/v1/catalog/"+test.path, strings.NewReader(test.body))
		assert.Equal(t, test.status, status, test)
		assert.Equal(t, test.text, text, test)
	}
	assert.Empty(t, allNodes(t, c), "nothing of what was refused is there")
}

// allNodes are the nodes that tests have registered.
func allNodes(t *testing.T, c *Consul) []any {
	t.Helper()
	return get[[]any](t, c, "/v1/catalog/nodes?filter=Address+!=+`127.0.0.1`")
}

func TestWhatIsListed(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	shop(t, c)
	for path, want := range map[string]string{
		"service/web":                                     "web1 web2 web3",
		"service/web?tag=v2":                              "web2 web3",
		"service/web?tag=V2&tag=blue":                     "web2",
		"service/web?tag=":                                "",
		"service/web?node-meta=zone:one":                  "web1 web2",
		"service/web?node-meta=zone:one&node-meta=x:y":    "",
		"service/web?filter=ServiceMeta.version+==+2":     "web2 web3",
		"service/web?filter=NodeMeta.zone+!=+one":         "web3",
		"service/web?filter=ServicePort+==+81":            "web2",
		"service/web?near=b":                              "web3 web1 web2",
		"service/db?filter=ServiceConnect.Native+==+true": "",
	} {
		var names []string
		for _, row := range get[[]*api.CatalogService](t, c, "/v1/catalog/"+path) {
			names = append(names, row.ServiceID)
		}
		assert.Equal(t, want, strings.Join(names, " "), path)
	}
	nodes := func(query string) string {
		var names []string
		for _, node := range get[[]*api.Node](t, c, "/v1/catalog/nodes"+query) {
			if len(node.Node) == 1 {
				names = append(names, node.Node)
			}
		}
		return strings.Join(names, " ")
	}
	assert.Equal(t, "a b", nodes(""))
	assert.Equal(t, "b a", nodes("?near=b"))
	assert.Equal(t, "b", nodes("?node-meta=zone:two"))
	assert.Equal(t, "a", nodes("?filter=Meta.zone+==+one+and+Datacenter+==+dc1"))
	services := get[map[string][]string](t, c, "/v1/catalog/services")
	delete(services, "consul")
	assert.Equal(t, map[string][]string{"web": {"v1", "v2", "Blue"}, "db": {}}, services)
	assert.Equal(t, map[string][]string{"web": {"v2"}, "db": {}}, get[map[string][]string](t, c, "/v1/catalog/services?node-meta=zone:two"))
	assert.Equal(t, map[string][]string{"web": {"v2", "Blue"}}, get[map[string][]string](t, c, "/v1/catalog/services?filter=ServiceID+==+web2"))

	instances := get[api.CatalogNode](t, c, "/v1/catalog/node/a?filter=Meta.version+==+2").Services
	assert.Len(t, instances, 1)
	assert.Equal(t, "web", instances["web2"].Service)
}

func TestThingsAreTakenOffTheCatalog(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	shop(t, c)
	deregister(t, c, `{"Node":"a","CheckID":"web1"}`)
	assert.Len(t, get[[]any](t, c, "/v1/health/node/a"), 1)
	deregister(t, c, `{"Node":"a","ServiceID":"web2"}`)
	assert.Empty(t, get[[]any](t, c, "/v1/health/node/a"), "its check goes with it")
	assert.Len(t, get[[]any](t, c, "/v1/catalog/service/web"), 2)
	deregister(t, c, `{"Node":"b"}`)
	assert.Len(t, allNodes(t, c), 1)
	assert.Empty(t, get[[]any](t, c, "/v1/catalog/service/db"))
	deregister(t, c, `{"Node":"none","ServiceID":"x"}`)
}

func TestAProxyAndItsService(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	catalog := client(t, c).Catalog()
	proxy := &api.AgentService{
		Kind: api.ServiceKindConnectProxy, ID: "p", Service: "web-proxy", Port: 8001,
		Proxy: &api.AgentServiceConnectProxyConfig{
			DestinationServiceName: "web", LocalServicePort: 8080, Mode: api.ProxyModeTransparent,
			Upstreams: []api.Upstream{{DestinationName: "db", LocalBindPort: 9191, Config: map[string]any{"connect_timeout_ms": 1000.0}}},
		},
	}
	_, err := catalog.Register(&api.CatalogRegistration{Node: "a", Address: "10.0.0.1", Service: proxy}, nil)
	require.NoError(t, err)
	rows, meta, err := catalog.Connect("WEB", "any tag", nil)
	require.NoError(t, err)
	require.Len(t, rows, 1)
	assert.NotZero(t, meta.LastIndex)
	assert.Equal(t, 8001, rows[0].ServicePort)
	assert.Equal(t, proxy.Proxy, rows[0].ServiceProxy)
	assert.Equal(t, api.ServiceAddress{Address: "240.0.0.1", Port: 8001}, rows[0].ServiceTaggedAddresses["consul-virtual"])
	rows, _, err = catalog.Service("web", "", nil)
	require.NoError(t, err)
	assert.Empty(t, rows)
}

func TestGatewaysAndTheirServices(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	configure(t, c,
		`{"Kind":"ingress-gateway","Name":"in","Listeners":[{"Port":2222,"Protocol":"tcp","Services":[{"Name":"web"}]}]}`,
		`{"Kind":"terminating-gateway","Name":"out","Services":[{"Name":"legacy","SNI":"x"}]}`)
	for _, body := range []string{
		`{"Node":"a","Address":"10.0.0.1","Service":{"Service":"web","Port":80}}`,
		`{"Node":"a","Address":"10.0.0.1","Service":{"Service":"in","Kind":"ingress-gateway","Port":81}}`,
		`{"Node":"a","Address":"10.0.0.1","Service":{"Service":"out","Kind":"terminating-gateway","Port":82}}`,
	} {
		register(t, c, body)
	}
	official := client(t, c)
	ingress, _, err := official.Health().Ingress("web", true, nil)
	require.NoError(t, err)
	require.Len(t, ingress, 1)
	assert.Equal(t, "in", ingress[0].Service.Service)
	connect, _, err := official.Health().Connect("legacy", "", true, nil)
	require.NoError(t, err)
	require.Len(t, connect, 1)
	assert.Equal(t, "out", connect[0].Service.Service)
	services, _, err := official.Catalog().GatewayServices("in", nil)
	require.NoError(t, err)
	require.Len(t, services, 1)
	assert.Equal(t, "web", services[0].Service.Name)
	assert.Equal(t, 2222, services[0].Port)
	_, _, body := ask(t, c, http.MethodGet, "/v1/catalog/gateway-services/out", nil)
	assert.Contains(t, body, `"SNI":"x"`)
	assert.Contains(t, body, `"AutoHostRewrite":true`)
}

func TestAWatchOfAServiceWakesForItAlone(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	shop(t, c)
	catalog := client(t, c).Catalog()
	_, meta, err := catalog.Service("db", "", nil)
	require.NoError(t, err)
	woken := make(chan *api.QueryMeta, 1)
	go func() {
		_, meta, err := catalog.Service("db", "", &api.QueryOptions{WaitIndex: meta.LastIndex, WaitTime: time.Minute})
		assert.NoError(t, err)
		woken <- meta
	}()
	deregister(t, c, `{"Node":"a","ServiceID":"web1"}`)
	register(t, c, `{"Node":"b","SkipNodeUpdate":true,"Service":{"Service":"db","Port":5433}}`)
	assert.Equal(t, c.datacenter("dc1").store.View().LastIndex(), (<-woken).LastIndex)
}

func TestAnotherDatacentersCatalog(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Datacenters: []Datacenter{{Name: "dc1"}, {Name: "dc2"}}})
	register(t, c, `{"Node":"a","Address":"10.0.0.1","Datacenter":"dc2"}`)
	assert.Empty(t, allNodes(t, c))
	assert.Equal(t, "dc2", get[api.CatalogNode](t, c, "/v1/catalog/node/a?dc=dc2").Node.Datacenter)
	assert.Equal(t, []string{"dc1", "dc2"}, get[[]string](t, c, "/v1/catalog/datacenters"))
	deregister(t, c, `{"Node":"a","Datacenter":"dc2"}`)
	assert.Nil(t, get[*api.CatalogNode](t, c, "/v1/catalog/node/a?dc=dc2"))
}
