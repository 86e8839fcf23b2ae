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

func TestHealthOfInstances(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	shop(t, c)
	for query, want := range map[string]string{
		"":                                  "web1 web2 web3",
		"?passing":                          "web1",
		"?passing=1":                        "web1",
		"?passing=false":                    "web1 web2 web3",
		"?tag=v2":                           "web2 web3",
		"?tag=v2&tag=blue&passing=true":     "",
		"?node-meta=zone:two":               "web3",
		"?filter=Service.Meta.version+==+2": "web2 web3",
		"?filter=Checks.Status+==+critical": "web3",
		"?filter=Node.Meta.zone+==+one+and+not+Service.ID+==+web1": "web2",
		"?filter=Checks.Name+==+alive+or+Service.Tags+contains+v1": "web1 web3",
		"?merge-central-config": "web1 web2 web3",
	} {
		var names []string
		for _, row := range get[[]*api.ServiceEntry](t, c, "/v1/health/service/web"+query) {
			names = append(names, row.Service.ID)
		}
		assert.Equal(t, want, strings.Join(names, " "), query)
	}
	near := get[[]*api.ServiceEntry](t, c, "/v1/health/service/web?near=b")
	assert.Equal(t, "web3", near[0].Service.ID)
}

func TestChecksByNodeServiceAndState(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	shop(t, c)
	for path, want := range map[string]string{
		"node/a":                             "web1 web2",
		"node/a?filter=Status+==+warning":    "web2",
		"node/none":                          "",
		"checks/web":                         "web1 web2",
		"checks/web?node-meta=zone:two":      "",
		"checks/db":                          "",
		"state/any":                          "alive web1 web2",
		"state/passing":                      "web1",
		"state/critical":                     "alive",
		"state/any?node-meta=zone:one":       "web1 web2",
		"state/any?filter=ServiceName+==+``": "alive",
		"state/any?near=b":                   "alive web1 web2",
	} {
		names := map[string]bool{}
		for _, check := range get[api.HealthChecks](t, c, "/v1/health/"+path) {
			if check.CheckID != state.SerfHealth {
				names[check.CheckID] = true
			}
		}
		wanted := map[string]bool{}
		for _, name := range strings.Fields(want) {
			wanted[name] = true
		}
		assert.Equal(t, wanted, names, path)
	}
}

func TestWhatHealthRefuses(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	for path, want := range map[string]string{
		"node/":                                 "400 Missing node name",
		"checks/":                               "400 Missing service name",
		"service/":                              "400 Missing service name",
		"connect/":                              "400 Missing service name",
		"ingress/":                              "400 Missing service name",
		"state/":                                "400 Missing check state",
		"service/web?passing=x":                 "400 Invalid value for ?passing",
		"service/web?sg=x":                      "500 sameness groups are not supported in consul CE",
		"service/web?ns=x":                      `400 Invalid query parameter: "ns" - Namespaces are a Consul Enterprise feature`,
		"service/web?index=x":                   "400 Invalid index",
		"service/web?filter=X+==+1":             `500 Failed to create boolean expression evaluator: Selector "X" is not valid`,
		"state/any?filter=Definition.HTTP+==+1": `500 Failed to create boolean expression evaluator: Selector "Definition" is not valid`,
	} {
		status, _, text := ask(t, c, http.MethodGet, "/v1/health/"+path, nil)
		assert.Equal(t, want, fmt.Sprint(status, " ", text), path)
	}
}

func TestAWatchOfHealthWakesWhenACheckChanges(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	shop(t, c)
	health := client(t, c).Health()
	for name, body := range map[string]string{
		"of the instance": `{"Node":"a","SkipNodeUpdate":true,"Check":{"CheckID":"web2","ServiceID":"web2","Status":"passing"}}`,
		"of the node":     `{"Node":"b","SkipNodeUpdate":true,"Check":{"CheckID":"alive","Status":"passing"}}`,
	} {
		before, meta, err := health.Service("web", "", true, nil)
		require.NoError(t, err)
		woken := make(chan int, 1)
		go func() {
			after, meta, err := health.Service("web", "", true, &api.QueryOptions{WaitIndex: meta.LastIndex, WaitTime: time.Minute})
			assert.NoError(t, err)
			assert.Equal(t, api.QueryBackendStreaming, meta.QueryBackend)
			woken <- len(after)
		}()
		register(t, c, body)
		assert.Equal(t, len(before)+1, <-woken, name)
	}
}

// BenchmarkHealthOfManyInstances reads 5,000 instances, many on each node.
func BenchmarkHealthOfManyInstances(b *testing.B) {
	c, err := Start(b.Context(), Options{})
	require.NoError(b, err)
	defer c.Close()
	require.NoError(b, c.datacenter("dc1").store.Write(fill(5000, 10)))
	for b.Loop() {
		answer, err := http.Get(c.URL("dc1") + "/v1/health/service/web?passing")
		require.NoError(b, err)
		require.NoError(b, answer.Body.Close())
	}
}

// fill makes instances of web, with a check each, on some nodes.
func fill(instances, nodes int) func(*state.Tx) error {
	return func(tx *state.Tx) error {
		for i := range instances {
			node := fmt.Sprint("node-", i%nodes)
			id := fmt.Sprint("web-", i)
			if err := tx.PutNode(state.Node{Node: node, Address: "10.0.0.1"}); err != nil {
				return err
			}
			if err := tx.PutService(state.Service{Node: node, ID: id, Service: "web", Port: 80}); err != nil {
				return err
			}
			if err := tx.PutCheck(state.Check{Node: node, CheckID: id, ServiceID: id, Status: api.HealthPassing}); err != nil {
				return err
			}
		}
		return nil
	}
}
