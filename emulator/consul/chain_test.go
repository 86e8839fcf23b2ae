package consul

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// configure writes configuration entries.
func configure(t *testing.T, c *Consul, entries ...string) {
	t.Helper()
	for _, entry := range entries {
		status, _, body := ask(t, c, http.MethodPut, "/v1/config", strings.NewReader(entry))
		require.Equal(t, http.StatusOK, status, "%s: %s", entry, body)
		require.Equal(t, "true", body)
	}
}

func chainOf(t *testing.T, c *Consul, service string) chain {
	t.Helper()
	return get[struct{ Chain chain }](t, c, "/v1/discovery-chain/"+service).Chain
}

var httpServices = []string{
	`{"Kind":"service-defaults","Name":"web","Protocol":"http"}`,
	`{"Kind":"service-defaults","Name":"b","Protocol":"http"}`,
	`{"Kind":"service-defaults","Name":"c","Protocol":"http"}`,
}

func TestAServiceWithoutEntriesHasADefaultChain(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	got := chainOf(t, c, "web")
	assert.True(t, got.Default)
	assert.Equal(t, "tcp", got.Protocol)
	assert.Equal(t, "resolver:web.default.default.dc1", got.StartNode)
	require.Contains(t, got.Targets, "web.default.default.dc1")
	assert.True(t, strings.HasPrefix(got.Targets["web.default.default.dc1"].SNI, "web.default.dc1.internal."))
}

// What is expected here is what a real Consul answered to the same entries.
func TestRoutesSplitsAndFailoverMakeAChain(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	configure(t, c, httpServices...)
	configure(t, c,
		`{"Kind":"service-resolver","Name":"b","DefaultSubset":"v1","Subsets":{"v1":{"Filter":"Service.Meta.v==1"},"v2":{"OnlyPassing":true}},
		  "Failover":{"v1":{"Datacenters":["dc2","dc3"]},"*":{"Service":"web"}}}`,
		`{"Kind":"service-splitter","Name":"web","Splits":[{"Weight":70},{"Weight":20,"Service":"b"},{"Weight":10,"Service":"b","ServiceSubset":"v2"}]}`,
		`{"Kind":"service-splitter","Name":"b","Splits":[{"Weight":50},{"Weight":50,"Service":"c"}]}`,
		`{"Kind":"service-router","Name":"web","Routes":[
		  {"Match":{"HTTP":{"PathPrefix":"/x"}},"Destination":{"Service":"c","RequestTimeout":"3s"}},
		  {"Destination":{"ServiceSubset":"v2","Service":"b"}}]}`,
	)
	got := chainOf(t, c, "web")
	assert.Equal(t, "router:web.default.default", got.StartNode)
	assert.False(t, got.Default)

	var nodes []string
	for id := range got.Nodes {
		nodes = append(nodes, id)
	}
	assert.ElementsMatch(t, []string{
		"resolver:c.default.default.dc1", "resolver:v1.b.default.default.dc1", "resolver:v2.b.default.default.dc1",
		"resolver:web.default.default.dc1", "router:web.default.default", "splitter:web.default.default",
	}, nodes)

	var routes, splits []string
	for _, route := range got.Nodes["router:web.default.default"].Routes {
		routes = append(routes, route.NextNode)
	}
	assert.Equal(t, []string{"resolver:c.default.default.dc1", "resolver:v2.b.default.default.dc1", "splitter:web.default.default"}, routes)
	var weights []float32
	for _, split := range got.Nodes["splitter:web.default.default"].Splits {
		splits = append(splits, split.NextNode)
		weights = append(weights, split.Weight)
	}
	assert.Equal(t, []string{"resolver:web.default.default.dc1", "resolver:v1.b.default.default.dc1", "resolver:c.default.default.dc1", "resolver:v2.b.default.default.dc1"}, splits)
	assert.Equal(t, []float32{70, 10, 10, 10}, weights)

	assert.Equal(t, []string{"v1.b.default.default.dc2", "v1.b.default.default.dc3"}, got.Nodes["resolver:v1.b.default.default.dc1"].Resolver.Failover.Targets)
	assert.Equal(t, []string{"web.default.default.dc1"}, got.Nodes["resolver:v2.b.default.default.dc1"].Resolver.Failover.Targets)
	assert.Len(t, got.Targets, 6)
	assert.True(t, got.Targets["v2.b.default.default.dc1"].Subset.OnlyPassing)
}

func TestFailoverTargetsAndRedirects(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	configure(t, c, httpServices...)
	configure(t, c,
		`{"Kind":"service-resolver","Name":"b","Subsets":{"v2":{}}}`,
		`{"Kind":"service-resolver","Name":"c","Failover":{"*":{"Targets":[{"Datacenter":"dc2"},{"Peer":"p1"},{"Service":"b","ServiceSubset":"v2"}]}},
		  "LoadBalancer":{"Policy":"ring_hash"},"RequestTimeout":"4s"}`,
		`{"Kind":"service-resolver","Name":"web","Redirect":{"Service":"c","Datacenter":"dc2"}}`,
	)
	resolver := chainOf(t, c, "c").Nodes["resolver:c.default.default.dc1"]
	assert.Equal(t, []string{"c.default.default.dc2", "c.default.default.external.p1", "v2.b.default.default.dc1"}, resolver.Resolver.Failover.Targets)
	assert.Equal(t, "ring_hash", resolver.LoadBalancer.Policy)
	assert.Equal(t, "resolver:c.default.default.dc2", chainOf(t, c, "web").StartNode)
}

func TestEntriesThatAreRefused(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	configure(t, c, httpServices...)
	configure(t, c,
		`{"Kind":"service-splitter","Name":"web","Splits":[{"Weight":50},{"Weight":50,"Service":"b"}]}`,
		`{"Kind":"service-resolver","Name":"r1","Redirect":{"Service":"r2"}}`,
	)
	for entry, want := range map[string]string{
		`{"Kind":"none"}`: "Request decoding failed: invalid config entry kind: none",
		`{"Name":"none"}`: "Request decoding failed: Payload does not contain a kind/Kind key at the top level",
		`{"Kind":`:        "Request decoding failed: unexpected EOF",
		`{"kind":"service-defaults","name":"snake","local_connect_timeout_ms":5,"nonsense":1}`: "Request decoding failed: 1 error occurred:\n\t* invalid config key \"nonsense\"\n\n",
		`{"Kind":"service-defaults"}`:                                                                                                      "Name is required",
		`{"Kind":"service-defaults","Name":"*"}`:                                                                                           "service-defaults name must be the name of a service, and not a wildcard",
		`{"Kind":"service-defaults","Name":"x","Protocol":"nonsense"}`:                                                                     "1 error occurred:\n\t* invalid value for protocol: nonsense\n\n",
		`{"Kind":"proxy-defaults","Name":"x"}`:                                                                                             `invalid name ("x"), only "global" is supported`,
		`{"Kind":"service-resolver","Name":"x","DefaultSubset":"v9"}`:                                                                      `DefaultSubset "v9" is not a valid subset`,
		`{"Kind":"service-resolver","Name":"x","Redirect":{}}`:                                                                             "Redirect is empty",
		`{"Kind":"service-resolver","Name":"x","ConnectTimeout":"-1s"}`:                                                                    "Bad ConnectTimeout '-1s', must be >= 0",
		`{"Kind":"service-resolver","Name":"r2","Redirect":{"Service":"r1"}}`:                                                              "detected circular resolver redirect: [r1.default.default.dc1 -> r2.default.default.dc1 -> r1.default.default.dc1]",
		`{"Kind":"service-resolver","Name":"x","Redirect":{"ServiceSubset":"q","Service":"y"}}`:                                            `service "y" does not have a subset named "q"`,
		`{"Kind":"service-resolver","Name":"x","Redirect":{"Service":"b"}}`:                                                                `discovery chain "x" uses inconsistent protocols; service "b" has "http" which is not "tcp"`,
		`{"Kind":"service-splitter","Name":"web"}`:                                                                                         "no splits configured",
		`{"Kind":"service-splitter","Name":"web","Splits":[{"Weight":60}]}`:                                                                "the sum of all split weights must be 100, not 60.000000",
		`{"Kind":"service-splitter","Name":"b","Splits":[{"Weight":50},{"Weight":50,"Service":"web"}]}`:                                    "detected circular reference: [splitter:b.default.default -> splitter:web.default.default -> splitter:b.default.default]",
		`{"Kind":"service-router","Name":"tcp"}`:                                                                                           `discovery chain "tcp" uses a protocol "tcp" that does not permit advanced routing or splitting behavior`,
		`{"Kind":"service-router","Name":"web","Routes":[{"Match":{"HTTP":{"PathPrefix":"x"}}}]}`:                                          `Route[0] PathPrefix doesn't start with '/': "x"`,
		`{"Kind":"service-intentions","Name":"web"}`:                                                                                       "At least one source is required",
		`{"Kind":"service-intentions","Name":"web","Sources":[{"Name":"a","Action":"allow"},{"Name":"a","Action":"deny"}]}`:                `Sources[1] defines "a" more than once`,
		`{"Kind":"service-intentions","Name":"tcp","Sources":[{"Name":"a","Permissions":[{"Action":"allow","HTTP":{"PathPrefix":"/"}}]}]}`: `service "tcp" has protocol "tcp", which is incompatible with L7 intentions permissions`,
		`{"Kind":"ingress-gateway","Name":"gw","Listeners":[{"Port":80,"Protocol":"tcp","Services":[{"Name":"a"},{"Name":"b"}]}]}`:         "Multiple services per listener are only supported for L7 protocols, 'http', 'grpc' and 'http2' (listener on port 80)",
		`{"Kind":"terminating-gateway","Name":"tg","Services":[{"Name":"a"},{"Name":"a"}]}`:                                                `Service "a" was specified more than once within a namespace`,
		`{"Kind":"exported-services","Name":"x"}`:                                                                                          `exported-services Name must be "default"`,
		`{"Kind":"inline-certificate","Name":"x","Certificate":"a","PrivateKey":"b"}`:                                                      "failed to parse private key PEM",
	} {
		status, _, body := ask(t, c, http.MethodPut, "/v1/config", strings.NewReader(entry))
		assert.GreaterOrEqual(t, status, 400, entry)
		assert.Equal(t, want, body, entry)
	}
	status, _, body := ask(t, c, http.MethodDelete, "/v1/config/service-defaults/b", nil)
	assert.Equal(t, http.StatusInternalServerError, status)
	assert.Equal(t, `discovery chain "web" uses inconsistent protocols; service "b" has "tcp" which is not "http"`, body)
	assert.Equal(t, "http", chainOf(t, c, "b").Protocol, "it is still there")
}

func TestEntriesAreReadListedComparedAndDeleted(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	configure(t, c, `{"kind":"service-defaults","name":"web","local_connect_timeout_ms":5}`, `{"Kind":"mesh"}`, `{"Kind":"proxy-defaults","Config":{"a_b":{"c_d":1}}}`)

	status, header, body := ask(t, c, http.MethodGet, "/v1/config/service-defaults/web", nil)
	require.Equal(t, http.StatusOK, status)
	var entry map[string]any
	require.NoError(t, json.Unmarshal([]byte(body), &entry))
	assert.EqualValues(t, 5, entry["LocalConnectTimeoutMs"])
	assert.Equal(t, map[string]any{}, entry["TransparentProxy"])
	assert.NotZero(t, entry["Hash"])
	index := header.Get("X-Consul-Index")
	assert.Equal(t, map[string]any{"a_b": map[string]any{"c_d": 1.0}}, get[map[string]any](t, c, "/v1/config/proxy-defaults/global")["Config"], "keys of the user's own stay as they are")

	configure(t, c, `{"Kind":"ingress-gateway","Name":"gw","Defaults":{"MaxConnections":5}}`)
	assert.Equal(t, map[string]any{"MaxConnections": 5.0, "MaxPendingRequests": 0.0, "MaxConcurrentRequests": 0.0},
		get[map[string]any](t, c, "/v1/config/ingress-gateway/gw")["Defaults"])

	var kinds []any
	for _, entry := range get[[]map[string]any](t, c, "/v1/config/") {
		kinds = append(kinds, entry["Kind"])
	}
	assert.Equal(t, []any{"ingress-gateway", "mesh", "proxy-defaults", "service-defaults"}, kinds)

	put := func(query, entry string) string {
		_, _, body := ask(t, c, http.MethodPut, "/v1/config"+query, strings.NewReader(entry))
		return body
	}
	changed := `{"Kind":"service-defaults","Name":"web","Protocol":"http"}`
	assert.Equal(t, "false", put("?cas=0", changed))
	assert.Equal(t, "true", put("?cas="+index, changed))
	assert.Equal(t, "true", put("", changed))
	_, again, _ := ask(t, c, http.MethodGet, "/v1/config/service-defaults/web", nil)
	assert.Equal(t, "true", put("", changed))
	_, same, _ := ask(t, c, http.MethodGet, "/v1/config/service-defaults/web", nil)
	assert.Equal(t, again.Get("X-Consul-Index"), same.Get("X-Consul-Index"), "what is written again has not changed")

	_, _, body = ask(t, c, http.MethodDelete, "/v1/config/service-defaults/web?cas=1", nil)
	assert.Equal(t, "false", body)
	_, _, body = ask(t, c, http.MethodDelete, "/v1/config/service-defaults/web", nil)
	assert.Equal(t, "{}", body)
	status, _, body = ask(t, c, http.MethodGet, "/v1/config/service-defaults/web", nil)
	assert.Equal(t, http.StatusNotFound, status)
	assert.Equal(t, `Config entry not found for "service-defaults" / "web"`, body)
	status, _, body = ask(t, c, http.MethodGet, "/v1/config/none/x", nil)
	assert.Equal(t, http.StatusInternalServerError, status)
	assert.Equal(t, "invalid config entry kind: none", body)
	assert.False(t, slices.Contains(configKinds, "none"))
}
