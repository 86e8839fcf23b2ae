package services

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	consulapi "github.com/hashicorp/consul/api"
	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/consul"
	"github.com/drydock/drydock/emulator/nomad/client/driver"
)

// startConsul starts one that ends with the test, or sooner.
func startConsul(t *testing.T, address string) *consul.Consul {
	t.Helper()
	c, err := consul.Start(t.Context(), consul.Options{
		WithoutConnect: true,
		Datacenters:    []consul.Datacenter{{Agents: []consul.Agent{{HTTP: address}}}},
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	return c
}

// startAgent runs an agent until the test ends.
func startAgent(t *testing.T, c *consul.Consul) (*Agent, *consulapi.Client) {
	t.Helper()
	return startLoggingAgent(t, c, io.Discard)
}

func startLoggingAgent(t *testing.T, c *consul.Consul, log io.Writer) (*Agent, *consulapi.Client) {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client, err := consulapi.NewClient(&consulapi.Config{Address: c.URL("dc1"), HttpClient: &http.Client{Transport: transport}})
	require.NoError(t, err)
	a, err := NewAgent(consulapi.Config{Address: c.URL("dc1")}, slog.New(slog.NewTextHandler(log, nil)))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); a.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return a, client
}

// services are those of the Consul agent, by name.
func services(t *testing.T, client *consulapi.Client) map[string]*consulapi.AgentService {
	t.Helper()
	all, err := client.Agent().Services()
	require.NoError(t, err)
	byName := map[string]*consulapi.AgentService{}
	for _, s := range all {
		byName[s.Service] = s
	}
	return byName
}

func serviceInConsul(onUpdate string) *api.Service {
	s := httpService(onUpdate)
	s.Provider = ""
	s.Checks[0].SuccessBeforePassing = 1
	return s
}

func TestConsulServices(t *testing.T) {
	t.Parallel()
	agent, client := startAgent(t, startConsul(t, ""))
	var status atomic.Int64
	status.Store(http.StatusOK)
	alloc := newAllocation([]*api.Service{serviceInConsul("")}, []*api.Service{{Name: "own", PortLabel: "other"}})
	alloc.setPort(serve(t, &status))
	s := newServices(t, Config{Consul: agent}, alloc)
	require.NoError(t, s.Prerun(t.Context()))
	eventually(t, func() bool { return services(t, client)["web"] != nil }, "it is registered")
	eventually(t, func() bool { healthy, _ := s.Healthy(); return healthy }, "its check passes")
	assert.Nil(t, s.Checks(), "the node runs none itself")
	assert.Equal(t, []string{"z", "a"}, services(t, client)["web"].Tags)

	s.Poststart(alloc.tasks[0])
	eventually(t, func() bool { return services(t, client)["own"] != nil }, "so is the task's")
	s.PreKill(alloc.tasks[0])
	assert.Nil(t, services(t, client)["own"], "it is gone when the call returns")

	_, changed := s.Healthy()
	status.Store(http.StatusInternalServerError)
	<-changed
	healthy, _ := s.Healthy()
	assert.False(t, healthy)
	s.Stop()
	assert.Empty(t, services(t, client))
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	c := startConsul(t, "")
	agent, _ := startAgent(t, c)
	found := agent.Fingerprint(t.Context())
	assert.Equal(t, "1.22.3", found["consul.version"])
	assert.Equal(t, "dc1", found["consul.datacenter"])
	assert.Equal(t, "true", found["consul.server"])
	assert.Equal(t, "oss", found["consul.sku"])
	require.NoError(t, c.Close())
	assert.Empty(t, agent.Fingerprint(t.Context()))
}

func TestWarningsInConsul(t *testing.T) {
	t.Parallel()
	agent, client := startAgent(t, startConsul(t, ""))
	var status atomic.Int64
	status.Store(http.StatusTooManyRequests) // which Consul takes for a warning
	for onUpdate, want := range map[string]bool{"require_healthy": false, "ignore_warnings": true, "ignore": true} {
		alloc := newAllocation([]*api.Service{serviceInConsul(onUpdate)}, nil)
		alloc.setPort(serve(t, &status))
		alloc.alloc.ID = onUpdate
		s := newServices(t, Config{Consul: agent}, alloc)
		require.NoError(t, s.Prerun(t.Context()))
		warns := func() bool {
			checks, _, err := client.Health().State(consulapi.HealthWarning, nil)
			require.NoError(t, err)
			for _, c := range checks {
				if c.ServiceID == "_nomad-task-"+onUpdate+"-group-g-web-http" {
					return true
				}
			}
			return false
		}
		eventually(t, warns, "the check warns")
		if want {
			eventually(t, func() bool { healthy, _ := s.Healthy(); return healthy }, onUpdate)
		}
		healthy, _ := s.Healthy()
		assert.Equal(t, want, healthy, onUpdate)
	}
}

func TestScriptCheck(t *testing.T) {
	t.Parallel()
	agent, client := startAgent(t, startConsul(t, ""))
	var code atomic.Int64
	alloc := newAllocation([]*api.Service{{Name: "web", Checks: []api.ServiceCheck{{
		Name: "script", Type: "script", TaskName: "t", Command: "probe", Args: []string{"${NOMAD_GROUP_NAME}", "${NOMAD_TASK_NAME}"},
		Interval: 10 * time.Millisecond, Timeout: time.Minute,
	}}}}, nil)
	alloc.tasks[0].exec = func(c driver.Command) (int, error) {
		_, err := c.Stdout.Write([]byte("ran " + strings.Join(c.Args, " ")))
		return int(code.Load()), err
	}
	s := newServices(t, Config{Consul: agent}, alloc)
	require.NoError(t, s.Prerun(t.Context()))
	found := func() (status, output string) {
		checks, err := client.Agent().Checks()
		require.NoError(t, err)
		for _, c := range checks {
			return c.Status, c.Output
		}
		return "", ""
	}
	is := func(status, output string) {
		t.Helper()
		eventually(t, func() bool { gotStatus, gotOutput := found(); return gotStatus == status && gotOutput == output }, status)
	}
	is(consulapi.HealthCritical, "task not found for given id")
	alloc.tasks[0].setRunning(true)
	s.Poststart(alloc.tasks[0])
	is(consulapi.HealthPassing, "ran probe g t")
	code.Store(1)
	is(consulapi.HealthWarning, "ran probe g t")
	code.Store(2)
	is(consulapi.HealthCritical, "ran probe g t")
}

func TestServicesAreRestoredAfterARestartOfConsul(t *testing.T) {
	t.Parallel()
	first := startConsul(t, "")
	var log limitedBuffer
	log.limit = maxOutput
	agent, client := startLoggingAgent(t, first, &log)
	s := newServices(t, Config{Consul: agent}, newAllocation([]*api.Service{{Name: "web"}}, nil))
	require.NoError(t, s.Prerun(t.Context()))
	eventually(t, func() bool { return services(t, client)["web"] != nil }, "it is registered")
	at, err := url.Parse(first.URL("dc1"))
	require.NoError(t, err)
	require.NoError(t, first.Close())
	agent.add(&consulapi.AgentServiceRegistration{ID: "_nomad-task-more", Name: "more"}, nil)
	eventually(t, func() bool { return strings.Contains(log.String(), "trying again") }, "Consul is away")
	startConsul(t, at.Host)
	eventually(t, func() bool { return services(t, client)["more"] != nil }, "what came meanwhile is registered")
	eventually(t, func() bool { return services(t, client)["web"] != nil }, "it is registered again")
}

func TestChecksThatAreMissedRaiseDoubt(t *testing.T) {
	t.Parallel()
	agent, err := NewAgent(consulapi.Config{}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	var reported []result
	agent.add(&consulapi.AgentServiceRegistration{ID: "s", Checks: consulapi.AgentServiceChecks{{CheckID: "c"}}}, func(id string, found result) {
		assert.Equal(t, "c", id)
		reported = append(reported, found)
	})
	agent.report(nil)
	assert.Empty(t, agent.doubt, "it is not registered yet")
	there := consulapi.HealthChecks{{CheckID: "c", Status: "passing", Output: "ok"}, {CheckID: "other"}}
	agent.report(there)
	agent.report(there)
	assert.Equal(t, []result{{status: "passing", output: "ok"}}, reported)
	assert.Empty(t, agent.doubt)
	agent.report(there[1:])
	assert.Len(t, agent.doubt, 1)
}

// TestCompare looks at what a whole round does about services of others.
func TestCompare(t *testing.T) {
	t.Parallel()
	c := startConsul(t, "")
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client, err := consulapi.NewClient(&consulapi.Config{Address: c.URL("dc1"), HttpClient: &http.Client{Transport: transport}})
	require.NoError(t, err)
	register := func(id string, tags ...string) {
		require.NoError(t, client.Agent().ServiceRegister(&consulapi.AgentServiceRegistration{ID: id, Name: id, Tags: tags}))
	}
	agent, err := NewAgent(consulapi.Config{Address: c.URL("dc1")}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(agent.closeIdle)
	agent.add(&consulapi.AgentServiceRegistration{ID: "_nomad-task-mine", Name: "mine", Tags: []string{"a"}}, nil)
	agent.add(&consulapi.AgentServiceRegistration{ID: "_nomad-task-tagged", Name: "tagged", Tags: []string{"a"}, EnableTagOverride: true}, nil)
	register("_nomad-task-left")
	register("theirs")
	round := func() map[string]*consulapi.AgentService {
		require.NoError(t, agent.round(t.Context(), true))
		return services(t, client)
	}
	agent.began = time.Now()
	assert.Len(t, round(), 4, "what is left may be restored soon")
	agent.began = time.Now().Add(-2 * probation)
	require.Len(t, round(), 3)

	for _, id := range []string{"mine", "tagged"} {
		require.NoError(t, client.Agent().ServiceRegister(&consulapi.AgentServiceRegistration{
			ID: "_nomad-task-" + id, Name: id, Tags: []string{"b"}, EnableTagOverride: id == "tagged",
		}))
	}
	after := round()
	assert.Equal(t, []string{"a"}, after["mine"].Tags)
	assert.Equal(t, []string{"b"}, after["tagged"].Tags, "others may change them")
	assert.NotNil(t, after["theirs"])
}
