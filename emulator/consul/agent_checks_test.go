package consul

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestATTLCheckIsTold(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	client := officialClient(t, c)
	agent := client.Agent()
	require.NoError(t, agent.ServiceRegister(&api.AgentServiceRegistration{Name: "web", Check: &api.AgentServiceCheck{TTL: "1h"}}))
	for _, test := range []struct {
		tell   func() error
		status string
	}{
		{func() error { return agent.PassTTL("service:web", "note") }, api.HealthPassing},
		{func() error { return agent.WarnTTL("service:web", "note") }, api.HealthWarning},
		{func() error { return agent.FailTTL("service:web", "note") }, api.HealthCritical},
		{func() error { return agent.UpdateTTL("service:web", "note", "pass") }, api.HealthPassing},
	} {
		require.NoError(t, test.tell())
		list, err := agent.Checks()
		require.NoError(t, err)
		assert.Equal(t, test.status, list["service:web"].Status)
		entries, _, err := client.Health().Checks("web", nil)
		require.NoError(t, err)
		require.Len(t, entries, 1)
		assert.Equal(t, test.status, entries[0].Status, "the catalog has it at once")
		assert.Equal(t, "note", entries[0].Output)
	}
	status, _, text := ask(t, c, http.MethodPut, "/v1/agent/check/update/service:web", strings.NewReader(`{"Status":"x"}`))
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Equal(t, "Invalid check status: 'x'", text)
}

func TestAnHTTPCheckChangesWithWhatItAsks(t *testing.T) {
	t.Parallel()
	answers := make(chan int, 1)
	answers <- http.StatusOK
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		status := <-answers
		w.WriteHeader(status)
		answers <- status
	}))
	t.Cleanup(target.Close)
	c := start(t, Options{})
	client := officialClient(t, c)
	require.NoError(t, client.Agent().ServiceRegister(&api.AgentServiceRegistration{
		Name: "web", Check: &api.AgentServiceCheck{HTTP: target.URL, Interval: "1s"},
	}))
	is := func(status string) {
		t.Helper()
		require.EventuallyWithT(t, func(t *assert.CollectT) {
			entries, _, err := client.Health().Service("web", "", false, nil)
			require.NoError(t, err)
			require.Len(t, entries, 1)
			assert.Equal(t, status, entries[0].Checks.AggregatedStatus())
		}, 20*time.Second, 10*time.Millisecond)
	}
	is(api.HealthPassing)
	<-answers
	answers <- http.StatusTooManyRequests
	is(api.HealthWarning)
	require.NoError(t, client.Agent().ServiceDeregister("web"))
	entries, _, err := client.Health().Checks("web", nil)
	require.NoError(t, err)
	assert.Empty(t, entries)
}

func TestChecksOfTheNode(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	agent := officialClient(t, c).Agent()
	register := func(name string, check api.AgentServiceCheck) {
		t.Helper()
		require.NoError(t, agent.CheckRegister(&api.AgentCheckRegistration{Name: name, AgentServiceCheck: check}))
	}
	register("disk", api.AgentServiceCheck{TTL: "1h", Notes: "not full"})
	register("copy", api.AgentServiceCheck{AliasService: "none"})
	list, err := agent.ChecksWithFilter(`Type == "ttl"`)
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.Equal(t, "0s", get[map[string]map[string]any](t, c, "/v1/agent/checks")["disk"]["Interval"])
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		list, err := agent.Checks()
		require.NoError(t, err)
		assert.Equal(t, "Service none could not be found on node ", list["copy"].Output)
	}, 10*time.Second, time.Millisecond)
	require.NoError(t, agent.CheckDeregister("disk"))
	list, err = agent.Checks()
	require.NoError(t, err)
	assert.NotContains(t, list, "disk")
}

// An alias follows the checks of a service.
func TestAnAliasFollows(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	agent := officialClient(t, c).Agent()
	registerLocal(t, c, `{"Name":"web","Check":{"TTL":"1h"}}`)
	registerLocal(t, c, `{"Name":"proxy","Check":{"AliasService":"web"}}`)
	for _, status := range []string{api.HealthPassing, api.HealthWarning} {
		require.NoError(t, agent.UpdateTTL("service:web", "said", status))
		require.EventuallyWithT(t, func(t *assert.CollectT) {
			list, err := agent.Checks()
			require.NoError(t, err)
			assert.Equal(t, status, list["service:proxy"].Status)
		}, 10*time.Second, time.Millisecond)
	}
}

func TestScriptsRunWhereTheyMay(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Datacenters: []Datacenter{{Agents: []Agent{{ScriptChecks: true}}}}})
	agent := officialClient(t, c).Agent()
	require.NoError(t, agent.CheckRegister(&api.AgentCheckRegistration{
		Name: "script", AgentServiceCheck: api.AgentServiceCheck{Args: []string{"echo", "hello"}, Interval: "1s"},
	}))
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		list, err := agent.Checks()
		require.NoError(t, err)
		assert.Equal(t, api.HealthPassing, list["script"].Status)
		assert.Equal(t, "hello\n", list["script"].Output)
	}, 20*time.Second, 10*time.Millisecond)
}

func TestWhatChecksAreRefused(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	for _, test := range []struct {
		body   string
		status int
		text   string
	}{
		{`{}`, 400, "Missing check name"},
		{`{bad`, 400, "Request decode failed: invalid character 'b' looking for beginning of object key string"},
		{`{"Name":5}`, 400, "Request decode failed: json: cannot unmarshal number into Go struct field .Alias.Name of type string"},
		{`{"Name":"c","CheckID":"d","TTL":"1s"}`, 400, `Request decode failed: json: unknown field "CheckID"`},
		{`{"Name":"c"}`, 400, "Invalid check: TTL must be > 0 for TTL checks"},
		{`{"Name":"c","TTL":"10s","ServiceID":"none"}`, 404, `ServiceID "none" does not exist`},
		{`{"Name":"c","TTL":"10s","Status":"x"}`, 400, "Bad check status"},
		{`{"Name":"c","TTL":"10s","OutputMaxSize":-1}`, 400, "Invalid check: MaxOutputMaxSize must be positive"},
		{`{"Name":"c","OSService":"cron","Interval":"10s"}`, 500, "not implemented"},
		{`{"Name":"c","DeregisterCriticalServiceAfter":"nope"}`, 400, `Request decode failed: time: invalid duration "nope"`},
	} {
		status, _, text := ask(t, c, http.MethodPut, "/v1/agent/check/register", strings.NewReader(test.body))
		assert.Equal(t, test.status, status, test.body)
		assert.Equal(t, test.text, text, test.body)
	}
	status, _, _ := ask(t, c, http.MethodPut, "/v1/agent/check/register", strings.NewReader(`{"Name":"http","HTTP":"http://127.0.0.1:1","Interval":"1h"}`))
	require.Equal(t, http.StatusOK, status)
	_, _, text := ask(t, c, http.MethodPut, "/v1/agent/check/pass/http", nil)
	assert.Equal(t, `CheckID "http" does not have associated TTL`, text)
}
