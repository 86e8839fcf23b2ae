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

	"github.com/drydock/drydock/emulator/consul/state"
)

func TestOneServerLeads(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	operator := officialClient(t, c).Operator()
	raft, err := operator.RaftGetConfiguration(nil)
	require.NoError(t, err)
	require.Len(t, raft.Servers, 1)
	server := raft.Servers[0]
	assert.True(t, server.Leader && server.Voter)
	assert.Equal(t, "127.0.0.1:8300", server.Address)
	for _, test := range []struct {
		method, path string
		status       int
		answer       string
	}{
		{http.MethodDelete, "peer", 400, "Must specify either ?id with the server's ID or ?address with IP:port of peer to remove"},
		{http.MethodDelete, "peer?id=x&address=y", 400, "Must specify only one of ?id or ?address"},
		{http.MethodDelete, "peer?id=x", 500, `id "x" was not found in the Raft configuration`},
		{http.MethodDelete, "peer?address=1.2.3.4:5", 500, `address "1.2.3.4:5" was not found in the Raft configuration`},
		{http.MethodDelete, "peer?address=" + server.Address, 500, "need at least one voter in configuration: {[]}"},
		{http.MethodPost, "transfer-leader", 500, "cannot find peer"},
		{http.MethodPost, "transfer-leader?id=x", 500, "Could not find address for server id x"},
		{http.MethodPost, "transfer-leader?id=" + server.ID, 500, "cannot transfer leadership to itself"},
	} {
		status, _, answer := ask(t, c, test.method, "/v1/operator/raft/"+test.path, nil)
		assert.Equal(t, test.status, status, test.path)
		assert.Equal(t, test.answer, answer, test.path)
	}
}

func TestAutopilotIsConfigured(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	operator := officialClient(t, c).Operator()
	config, err := operator.AutopilotGetConfiguration(nil)
	require.NoError(t, err)
	want := api.NewAutopilotConfiguration()
	want.CreateIndex, want.ModifyIndex = 1, 1
	assert.Equal(t, &want, config)

	config.MinQuorum = 3
	config.LastContactThreshold = api.NewReadableDuration(time.Second)
	written, err := operator.AutopilotCASConfiguration(config, nil)
	require.NoError(t, err)
	assert.True(t, written)
	written, err = operator.AutopilotCASConfiguration(&api.AutopilotConfiguration{ModifyIndex: 1000}, nil)
	require.NoError(t, err)
	assert.False(t, written)
	config, err = operator.AutopilotGetConfiguration(nil)
	require.NoError(t, err)
	assert.EqualValues(t, 3, config.MinQuorum)
	assert.Equal(t, time.Second, config.LastContactThreshold.Duration())

	for body, want := range map[string]string{
		"":                             "Error parsing autopilot config: EOF",
		"x":                            "Error parsing autopilot config: invalid character 'x' looking for beginning of value",
		`{"X":1}`:                      `Error parsing autopilot config: json: unknown field "X"`,
		`{"LastContactThreshold":"x"}`: `Error parsing autopilot config: time: invalid duration "x"`,
	} {
		status, _, answer := ask(t, c, http.MethodPut, "/v1/operator/autopilot/configuration", strings.NewReader(body))
		assert.Equal(t, http.StatusBadRequest, status, body)
		assert.Equal(t, want, answer, body)
	}
	_, _, answer := ask(t, c, http.MethodPut, "/v1/operator/autopilot/configuration?cas=x", strings.NewReader("{}"))
	assert.Equal(t, `Error parsing cas value: strconv.ParseUint: parsing "x": invalid syntax`, answer)
	_, _, answer = ask(t, c, http.MethodPut, "/v1/operator/autopilot/configuration", strings.NewReader(`{"LastContactThreshold":null}`))
	assert.Equal(t, "true", answer)
	config, err = operator.AutopilotGetConfiguration(nil)
	require.NoError(t, err)
	assert.Equal(t, 200*time.Millisecond, config.LastContactThreshold.Duration())
}

func TestTheServerIsHealthy(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	operator := officialClient(t, c).Operator()
	health, err := operator.AutopilotServerHealth(nil)
	require.NoError(t, err)
	require.Len(t, health.Servers, 1)
	assert.True(t, health.Healthy && health.Servers[0].Healthy && health.Servers[0].Leader)
	autopilot, err := operator.AutopilotState(nil)
	require.NoError(t, err)
	assert.Equal(t, "dc1-1", autopilot.Servers[autopilot.Leader].Name)
}

func TestUsageIsCounted(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Datacenters: []Datacenter{{Name: "dc1"}, {Name: "dc2"}}})
	registerNode(t, c, "n")
	before := get[usageAnswer](t, c, "/v1/operator/usage").Usage["dc1"]
	require.NoError(t, c.primary().store.Write(func(tx *state.Tx) error {
		for _, service := range []state.Service{
			{ID: "redis1", Service: "redis"},
			{ID: "redis2", Service: "redis"},
			{ID: "proxy", Service: "proxy", Kind: api.ServiceKindConnectProxy},
			{ID: "web", Service: "web", Connect: &api.AgentServiceConnect{Native: true}},
			{ID: "consul", Service: "consul"},
		} {
			service.Node = "n"
			if err := tx.PutService(service); err != nil {
				return err
			}
		}
		return nil
	}))
	after := get[usageAnswer](t, c, "/v1/operator/usage").Usage["dc1"]
	assert.Equal(t, 5, after.ServiceInstances-before.ServiceInstances)
	assert.Equal(t, 3, after.BillableServiceInstances)
	assert.GreaterOrEqual(t, after.Services, 4)
	assert.GreaterOrEqual(t, after.Nodes, 1)
	assert.Equal(t, map[string]int{"api-gateway": 0, "connect-native": 1, "connect-proxy": 1,
		"ingress-gateway": 0, "mesh-gateway": 0, "terminating-gateway": 0}, after.ConnectServiceInstances)
	assert.Contains(t, get[usageAnswer](t, c, "/v1/operator/usage?global").Usage, "dc2")
}

func TestWhatOnlyEnterpriseHas(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	status, _, body := ask(t, c, http.MethodGet, "/v1/operator/utilization", nil)
	assert.Equal(t, http.StatusNotFound, status)
	assert.Equal(t, "operator utilization requires Consul Enterprise", body)
	status, _, body = ask(t, c, http.MethodGet, "/v1/operator/segment", nil)
	assert.Equal(t, http.StatusNotFound, status)
	assert.Equal(t, "Invalid URL path: not a recognized HTTP API endpoint", strings.TrimSpace(body))
}

func TestStatusIsOfADatacenter(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Datacenters: []Datacenter{{Name: "dc1"}, {Name: "dc2", Agents: []Agent{{Address: "10.0.0.1"}}}}})
	assert.Equal(t, "10.0.0.1:8300", get[string](t, c, "/v1/status/leader?dc=dc2"))
	assert.Equal(t, []string{"127.0.0.1:8300"}, get[[]string](t, c, "/v1/status/peers"))
	status, _, body := ask(t, c, http.MethodGet, "/v1/status/peers?dc=none", nil)
	assert.Equal(t, http.StatusInternalServerError, status)
	assert.Equal(t, "No path to datacenter", body)
}

const (
	firstKey  = "d8wu8CSUrqgtjVsvcBPmhQ=="
	secondKey = "qxycTi/SsePj/TZzCBmNXw=="
)

func TestTheKeyringIsChanged(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Encrypt: firstKey})
	operator := officialClient(t, c).Operator()
	require.NoError(t, operator.KeyringInstall(secondKey, nil))
	require.NoError(t, operator.KeyringInstall(secondKey, nil))
	list, err := operator.KeyringList(nil)
	require.NoError(t, err)
	require.Len(t, list, 2)
	assert.Equal(t, &api.KeyringResponse{WAN: true, Datacenter: "dc1", NumNodes: 1,
		Keys: map[string]int{firstKey: 1, secondKey: 1}, PrimaryKeys: map[string]int{firstKey: 1}}, list[0])
	assert.False(t, list[1].WAN)

	assert.ErrorContains(t, operator.KeyringRemove(firstKey, nil), "Removing the primary key is not allowed")
	require.NoError(t, operator.KeyringUse(secondKey, nil))
	require.NoError(t, operator.KeyringRemove(firstKey, nil))
	require.NoError(t, operator.KeyringRemove(firstKey, nil))
	list, err = operator.KeyringList(&api.QueryOptions{LocalOnly: true})
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.Equal(t, map[string]int{secondKey: 1}, list[0].Keys)
	assert.Equal(t, map[string]int{secondKey: 1}, list[0].PrimaryKeys)
}

func TestAWrongChangeOfTheKeyringIsRefusedLikeByTheRealProgram(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Encrypt: firstKey})
	answered := func(what string) string {
		return fmt.Sprintf("4 errors occurred:\n\t* WAN error: 1/1 nodes reported failure\n\t* dc1-1.dc1: %s\n"+
			"\t* dc1 (LAN) error: 1/1 nodes reported failure\n\t* dc1-1: %s\n\n", what, what)
	}
	for _, test := range []struct{ method, query, body, answer string }{
		{http.MethodPost, "", `{"Key":"YWJj"}`, answered("key size must be 16, 24 or 32 bytes")},
		{http.MethodPost, "", `{"Key":"bad"}`, "2 errors occurred:\n\t* WAN error: illegal base64 data at input byte 0\n" +
			"\t* dc1 (LAN) error: illegal base64 data at input byte 0\n\n"},
		{http.MethodPut, "", `{"Key":"` + secondKey + `"}`, answered("Requested key is not in the keyring")},
		{http.MethodPost, "", "", "Request decode failed: EOF"},
		{http.MethodPost, "?local-only=true", "{}", "Invalid use of local-only: local-only can only be set for list requests"},
		{http.MethodGet, "?local-only=x", "", `Error parsing local-only: strconv.ParseBool: parsing "x": invalid syntax`},
		{http.MethodGet, "?relay-factor=x", "", `Error parsing relay factor: strconv.Atoi: parsing "x": invalid syntax`},
		{http.MethodGet, "?relay-factor=6", "", "Invalid relay-factor: Relay factor must be in range: [0, 5]"},
	} {
		status, _, answer := ask(t, c, test.method, "/v1/operator/keyring"+test.query, strings.NewReader(test.body))
		assert.GreaterOrEqual(t, status, http.StatusBadRequest, "%+v", test)
		assert.Equal(t, test.answer, answer, "%+v", test)
	}
}

func TestWithoutEncryptionThereIsNoKeyring(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	operator := officialClient(t, c).Operator()
	_, err := operator.KeyringList(nil)
	assert.ErrorContains(t, err, "dc1-1: Keyring is empty (encryption not enabled)")
	assert.ErrorContains(t, operator.KeyringInstall(firstKey, nil), "dc1-1: No keyring to modify (encryption not enabled)")
	_, err = Start(t.Context(), Options{Encrypt: "YWJj"})
	assert.ErrorIs(t, err, wrongKeySize)
}
