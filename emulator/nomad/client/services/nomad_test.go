package services

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// serve answers with the status that is stored; it returns the port.
func serve(t *testing.T, status *atomic.Int64) int {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Key") != "g" || r.Host != "here" || r.URL.RequestURI() != "/health?deep=1" {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		w.WriteHeader(int(status.Load()))
		_, _ = w.Write([]byte("what it says"))
	}))
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	require.NoError(t, err)
	port, err := strconv.Atoi(at.Port())
	require.NoError(t, err)
	return port
}

func httpService(onUpdate string) *api.Service {
	return &api.Service{
		Name: "web", Provider: "nomad", PortLabel: "http", Tags: []string{"z", "a"}, CanaryTags: []string{"canary"},
		Checks: []api.ServiceCheck{{
			Type: "http", Path: "/health?deep=1", Interval: time.Second, Timeout: time.Minute, OnUpdate: onUpdate,
			Header: map[string][]string{"Host": {"here"}, "X-Key": {"${NOMAD_GROUP_NAME}"}},
		}},
	}
}

func TestNomadServices(t *testing.T) {
	t.Parallel()
	var status atomic.Int64
	status.Store(http.StatusServiceUnavailable)
	servers := &fakeServers{}
	alloc := newAllocation([]*api.Service{httpService("")}, []*api.Service{{Name: "own", Provider: "nomad", PortLabel: "other"}})
	alloc.setPort(serve(t, &status))
	s := newServices(t, Config{Servers: servers}, alloc)
	healthy, _ := s.Healthy()
	assert.False(t, healthy, "nothing is registered yet")

	require.NoError(t, s.Prerun(t.Context()))
	assert.Equal(t, []string{"web"}, servers.names())
	registered := servers.get("web")
	assert.Equal(t, api.ServiceRegistration{
		ID: "_nomad-task-" + testAllocation + "-group-g-web-http", ServiceName: "web", Namespace: "default", NodeID: "node-1",
		Datacenter: "dc1", JobID: "svc", AllocID: testAllocation, Tags: []string{"z", "a"}, Address: "127.0.0.1",
		Port: alloc.Allocation().AllocatedResources.Shared.Ports[0].Value,
	}, registered)
	only := func() api.AllocCheckStatus {
		for id, check := range s.Checks() {
			assert.Equal(t, id, check.ID)
			return check
		}
		return api.AllocCheckStatus{}
	}
	eventually(t, func() bool { return only().StatusCode == http.StatusServiceUnavailable }, "the check has run")
	got := only()
	assert.Regexp(t, "^[0-9a-f]{32}$", got.ID)
	assert.NotZero(t, got.Timestamp)
	got.ID, got.Timestamp = "", 0
	assert.Equal(t, api.AllocCheckStatus{
		Check: `service: "web" check`, Group: "svc.g[0]", Mode: "healthiness", Output: "what it says", Service: "web",
		Status: "failure", StatusCode: http.StatusServiceUnavailable,
	}, got)

	task := alloc.tasks[0]
	task.setRunning(true)
	healthy, changed := s.Healthy()
	assert.False(t, healthy)
	s.Poststart(task)
	<-changed
	assert.Equal(t, []string{"own", "web"}, servers.names())
	status.Store(http.StatusOK)
	eventually(t, func() bool { healthy, _ := s.Healthy(); return healthy }, "it is healthy")
	assert.Equal(t, "nomad: http ok", only().Output)
	assert.Equal(t, "success", only().Status)

	s.PreKillGroup()
	assert.Equal(t, []string{"own"}, servers.names())
	assert.Nil(t, s.Checks())
	s.PreKill(task)
	s.Exited(task)
	assert.Empty(t, servers.names())
}

func TestTCPCheck(t *testing.T) {
	t.Parallel()
	var status atomic.Int64
	alloc := newAllocation(nil, []*api.Service{{Name: "db", Provider: "nomad", PortLabel: "http", Checks: []api.ServiceCheck{
		{Name: "up", Type: "tcp", Interval: time.Second, Timeout: time.Minute},
		{Name: "down", Type: "tcp", PortLabel: "1", Interval: time.Second, Timeout: time.Minute, OnUpdate: "ignore"},
	}}})
	alloc.setPort(serve(t, &status))
	s := newServices(t, Config{Servers: &fakeServers{}}, alloc)
	s.Poststart(alloc.tasks[0])
	byName := func(name string) api.AllocCheckStatus {
		for _, check := range s.Checks() {
			if check.Check == name {
				return check
			}
		}
		return api.AllocCheckStatus{}
	}
	eventually(t, func() bool { return byName("up").Status == "success" && byName("down").Status == "failure" }, "both have run")
	assert.Equal(t, "nomad: tcp ok", byName("up").Output)
	assert.Equal(t, "t", byName("up").Task)
	assert.Contains(t, byName("down").Output, "dial tcp 127.0.0.1:1: ")
	assert.Equal(t, "readiness", byName("down").Mode)
	healthy, _ := s.Healthy()
	assert.True(t, healthy, "the other does not count")
}

func TestPromotionOfACanary(t *testing.T) {
	t.Parallel()
	var status atomic.Int64
	status.Store(http.StatusOK)
	servers := &fakeServers{}
	alloc := newAllocation([]*api.Service{httpService("")}, []*api.Service{{Name: "own", Provider: "nomad"}})
	alloc.setPort(serve(t, &status))
	alloc.change(func(a *api.Allocation) { a.DeploymentStatus = &api.AllocDeploymentStatus{Canary: true} })
	s := newServices(t, Config{Servers: servers}, alloc)
	require.NoError(t, s.Prerun(t.Context()))
	assert.Equal(t, []string{"canary"}, servers.get("web").Tags)
	eventually(t, func() bool { healthy, _ := s.Healthy(); return healthy }, "it is healthy")

	s.Update(alloc.change(func(a *api.Allocation) { a.DeploymentStatus = &api.AllocDeploymentStatus{} }))
	assert.Equal(t, []string{"z", "a"}, servers.get("web").Tags)
	healthy, _ := s.Healthy()
	assert.True(t, healthy, "its check goes on")
	assert.Equal(t, []string{"web"}, servers.names(), "the task does not run")

	s.Update(alloc.change(func(a *api.Allocation) {
		job, group := *a.Job, *a.Job.TaskGroups[0]
		group.Services, job.TaskGroups = nil, []*api.TaskGroup{&group}
		a.Job = &job
	}))
	assert.Empty(t, servers.names())
}

func TestCheckRestartsTheTask(t *testing.T) {
	t.Parallel()
	service := &api.Service{Name: "web", Provider: "nomad", PortLabel: "1", Checks: []api.ServiceCheck{{
		Type: "tcp", Interval: 10 * time.Millisecond, Timeout: time.Minute, CheckRestart: &api.CheckRestart{Limit: 2, Grace: new(time.Duration(0))},
	}}}
	alloc := newAllocation([]*api.Service{service}, nil)
	alloc.tasks[0].setRunning(true)
	s := newServices(t, Config{Servers: &fakeServers{}}, alloc)
	require.NoError(t, s.Prerun(t.Context()))
	eventually(t, func() bool { return len(alloc.tasks[0].restarted()) > 0 }, "it is restarted")
	assert.Equal(t, `healthcheck: check "service: \"web\" check" unhealthy`, alloc.tasks[0].restarted()[0])
}

func TestConsulIsNeeded(t *testing.T) {
	t.Parallel()
	_, err := New(Config{})(newAllocation(nil, []*api.Service{{Name: "web"}}))
	require.ErrorContains(t, err, "no Consul agent")
}
