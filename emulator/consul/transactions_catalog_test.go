package consul

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/consul/state"
)

func TestATransactionChangesTheCatalog(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	status, answer := transact(t, c, `[
		{"Node":{"Verb":"set","Node":{"Node":"n","Address":"1.2.3.4","Meta":{"a":"b"}}}},
		{"Service":{"Verb":"set","Node":"n","Service":{"Service":"web","Port":80,"Tags":["v1"]}}},
		{"Check":{"Verb":"set","Check":{"Node":"n","Name":"c","Status":"passing","ServiceID":"web","Definition":{"TCP":"a:1","Interval":"5s"}}}}]`)
	require.Equal(t, http.StatusOK, status, answer)
	want := `{"Results":[` +
		`{"Node":{"ID":"","Node":"n","Address":"1.2.3.4","Datacenter":"dc1","TaggedAddresses":null,"Meta":{"a":"b"},"CreateIndex":X,"ModifyIndex":X}},` +
		`{"Service":{"ID":"web","Service":"web","Tags":["v1"],"Address":"","Meta":null,"Port":80,"Weights":{"Passing":1,"Warning":1},` +
		`"EnableTagOverride":false,"Proxy":{"Mode":"","MeshGateway":{},"Expose":{}},"Connect":{},"PeerName":"","CreateIndex":X,"ModifyIndex":X}},` +
		`{"Check":{"Node":"n","CheckID":"c","Name":"c","Status":"passing","Notes":"","Output":"","ServiceID":"web","ServiceName":"web",` +
		`"ServiceTags":["v1"],"Type":"tcp","Interval":"","Timeout":"","ExposedPort":0,"Definition":{"Interval":"5s","TCP":"a:1"},"CreateIndex":X,"ModifyIndex":X}}` +
		`],"Errors":null`
	index := c.primary().store.View().LastIndex()
	want = strings.ReplaceAll(want, "X", fmt.Sprint(index))
	assert.Equal(t, want+"}", answer)

	_, answer = transact(t, c, `[
		{"Node":{"Verb":"get","Node":{"Node":"n"}}},
		{"Service":{"Verb":"get","Node":"n","Service":{"ID":"web"}}},
		{"Check":{"Verb":"get","Check":{"Node":"n","CheckID":"c"}}}]`)
	assert.Equal(t, want+queryPart(1, true)+"}", answer)

	_, answer = transact(t, c, `[
		{"Service":{"Verb":"set","Node":"n","Service":{"Service":"web","Port":80,"Tags":["v1"]}}},
		{"Check":{"Verb":"set","Check":{"Node":"n","CheckID":"of the node"}}}]`)
	assert.Contains(t, answer, `"ServiceTags":null`)
	cas := fmt.Sprintf(`"ModifyIndex":%d`, index)
	status, answer = transact(t, c, strings.ReplaceAll(`[
		{"Check":{"Verb":"cas","Check":{"Node":"n","CheckID":"c","ServiceID":"web",CAS}}},
		{"Check":{"Verb":"delete","Check":{"Node":"n","CheckID":"c"}}},
		{"Service":{"Verb":"delete-cas","Node":"n","Service":{"ID":"web","Service":"web",CAS}}},
		{"Node":{"Verb":"cas","Node":{"Node":"new"}}},
		{"Node":{"Verb":"delete","Node":{"Node":"new"}}},
		{"Node":{"Verb":"delete-cas","Node":{"Node":"n",CAS}}}]`, "CAS", cas))
	assert.Equal(t, http.StatusOK, status, answer)
	assert.Nil(t, c.primary().store.View().Node("n"))
}

func TestATransactionOnTheCatalogFailsLikeThatOfTheRealProgram(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	registerNode(t, c, "n", "c")
	require.NoError(t, c.primary().store.Write(func(tx *state.Tx) error {
		return tx.PutService(state.Service{Node: "n", ID: "s", Service: "s"})
	}))
	const tail = "}"
	read := queryPart(1, true) + "}"
	for operation, want := range map[string]string{
		`"Node":{"Verb":"bogus","Node":{"Node":"n"}}`:                                           failedAt(0, "unknown node operation: bogus") + tail,
		`"Node":{"Verb":"set","Node":{}}`:                                                       failedAt(0, "Must provide node") + tail,
		`"Node":{"Verb":"set","Node":{"Node":"n","ID":"x"}}`:                                    failedAt(0, "Bad node ID: uuid string is wrong length") + tail,
		`"Node":{"Verb":"get","Node":{"Node":"no"}}`:                                            failedAt(0, `node "no" doesn't exist`) + read,
		`"Node":{"Verb":"get","Node":{"Node":"n","ID":"11111111-1111-1111-1111-111111111111"}}`: failedAt(0, `node "n" doesn't exist`) + read,
		`"Node":{"Verb":"cas","Node":{"Node":"n"}}`:                                             failedAt(0, `failed to set node "n", index is stale`) + tail,
		`"Node":{"Verb":"delete-cas","Node":{"Node":"no","ModifyIndex":3}}`:                     failedAt(0, `failed to delete node "no", index is stale`) + tail,
		`"Service":{"Verb":"bogus","Node":"n","Service":{"ID":"s"}}`:                            failedAt(0, "unknown service operation: bogus") + tail,
		`"Service":{"Verb":"get","Node":"n","Service":{"ID":"no"}}`:                             failedAt(0, `service "no" on node "n" doesn't exist`) + read,
		`"Service":{"Verb":"set","Node":"no","Service":{"Service":"s"}}`:                        failedAt(0, "Missing node registration") + tail,
		`"Service":{"Verb":"cas","Node":"n","Service":{"ID":"s","Service":"s"}}`:                failedAt(0, `failed to set service "s" on node "n", index is stale`) + tail,
		`"Service":{"Verb":"delete","Node":"n","Service":{"ID":"s"}}`:                           failedAt(0, "Must provide service name (Service.Service) when service ID is provided") + tail,
		`"Service":{"Verb":"set","Node":"n","Service":{}}`: failedAt(0, "service name (Service.Service) is required; "+
			"both Service ID (Service.ID) and Service Name cannot be empty") + tail,
		`"Check":{"Verb":"bogus","Check":{"Node":"n","CheckID":"c"}}`: failedAt(0, "unknown check operation: bogus") + tail,
		`"Check":{"Verb":"get","Check":{"Node":"n","CheckID":"no"}}`:  failedAt(0, `check "no" on node "n" doesn't exist`) + read,
		`"Check":{"Verb":"get","Check":{"Node":"n"}}`: failedAt(0,
			"failed check lookup: index error: object is missing a value for this index") + read,
		`"Check":{"Verb":"set","Check":{"Node":"no","CheckID":"c"}}`:                          failedAt(0, "Missing node registration") + tail,
		`"Check":{"Verb":"set","Check":{"Node":"n","CheckID":"c","ServiceID":"no"}}`:          failedAt(0, "Missing service registration") + tail,
		`"Check":{"Verb":"delete-cas","Check":{"Node":"n","CheckID":"c","ModifyIndex":1000}}`: failedAt(0, `failed to delete check "c" on node "n", index is stale`) + tail,
	} {
		status, answer := transact(t, c, "[{"+operation+"}]")
		assert.Equal(t, http.StatusConflict, status, operation)
		assert.Equal(t, want, answer, operation)
	}
}

func TestTheOfficialClientChangesTheCatalog(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	client := officialClient(t, c)
	proxy := &api.AgentServiceConnectProxyConfig{
		DestinationServiceName: "web",
		Config:                 map[string]any{"protocol": "http"},
		Upstreams:              []api.Upstream{{DestinationName: "db", LocalBindPort: 9000}},
	}
	ok, answer, _, err := client.Txn().Txn(api.TxnOps{
		{Node: &api.NodeTxnOp{Verb: api.NodeSet, Node: api.Node{Node: "n", Address: "1.1.1.1"}}},
		{Service: &api.ServiceTxnOp{Verb: api.ServiceSet, Node: "n", Service: api.AgentService{
			Kind: api.ServiceKindConnectProxy, ID: "p", Service: "p", Port: 1, Proxy: proxy}}},
	}, nil)
	require.NoError(t, err)
	require.True(t, ok, "%+v", answer)
	stored := c.primary().store.View().Service("n", "p")
	assert.Equal(t, proxy, stored.Proxy)
	assert.Equal(t, api.ServiceKindConnectProxy, answer.Results[1].Service.Kind)
}
