package services

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/drydock/drydock/emulator/nomad/client/allocdir"
	"github.com/drydock/drydock/emulator/nomad/client/driver"
	"github.com/drydock/drydock/emulator/nomad/client/environment"
	"github.com/drydock/drydock/emulator/nomad/client/hook"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// eventually waits as long as a loaded machine may need.
func eventually(t *testing.T, condition func() bool, what string) {
	t.Helper()
	require.Eventually(t, condition, time.Minute, 10*time.Millisecond, what)
}

const testAllocation = "e3b536cf-5e00-14ea-1a39-d25b82852308"

// fakeTask is a task that only remembers what it was told.
type fakeTask struct {
	of      *fakeAllocation
	spec    *api.Task
	network *driver.Network
	exec    func(driver.Command) (int, error)

	mu       sync.Mutex
	running  bool
	restarts []string
}

func (t *fakeTask) Allocation() *api.Allocation { return t.of.Allocation() }
func (t *fakeTask) Spec() *api.Task             { return t.spec }
func (t *fakeTask) Node() *api.Node             { return t.of.Node() }
func (t *fakeTask) Dir() allocdir.Task          { return allocdir.Task{} }
func (t *fakeTask) Env() environment.Env {
	return t.of.Env().With(map[string]string{"NOMAD_TASK_NAME": t.spec.Name})
}
func (t *fakeTask) Token() string            { return "" }
func (t *fakeTask) Network() *driver.Network { return t.network }
func (t *fakeTask) Emit(*api.TaskEvent)      {}
func (t *fakeTask) Kill(*api.TaskEvent)      {}
func (t *fakeTask) Signal(*api.TaskEvent, syscall.Signal) error {
	return nil
}

func (t *fakeTask) Running() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.running
}

func (t *fakeTask) setRunning(running bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = running
}

func (t *fakeTask) Restart(event *api.TaskEvent, _ bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.restarts = append(t.restarts, event.RestartReason)
}

func (t *fakeTask) restarted() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.restarts)
}

func (t *fakeTask) Exec(_ context.Context, c driver.Command) (int, error) { return t.exec(c) }

// fakeAllocation is the allocation svc.g[0] with one group.
type fakeAllocation struct {
	tasks []*fakeTask

	mu    sync.Mutex
	alloc *api.Allocation
}

// newAllocation makes one whose group has the services, and a task "t" with its own.
func newAllocation(group, task []*api.Service) *fakeAllocation {
	spec := &api.Task{Name: "t", Services: task}
	job := &api.Job{ID: new("svc"), Name: new("svc"), Region: new("global"), TaskGroups: []*api.TaskGroup{
		{Name: new("g"), Services: group, Tasks: []*api.Task{spec}},
	}}
	for _, s := range group {
		s.Canonicalize(nil, job.TaskGroups[0], job)
	}
	for _, s := range task {
		s.Canonicalize(spec, job.TaskGroups[0], job)
	}
	f := &fakeAllocation{alloc: &api.Allocation{
		ID: testAllocation, Name: "svc.g[0]", Namespace: "default", JobID: "svc", Job: job, TaskGroup: "g",
		AllocatedResources: &api.AllocatedResources{Shared: api.AllocatedSharedResources{Ports: []api.PortMapping{
			{Label: "http", Value: 22086, HostIP: "127.0.0.1"}, {Label: "other", Value: 28956, To: 99, HostIP: "127.0.0.1"},
		}}},
	}}
	f.tasks = []*fakeTask{{of: f, spec: spec}}
	return f
}

func (f *fakeAllocation) Allocation() *api.Allocation {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.alloc
}

// change gives the allocation as the servers have it from now on.
func (f *fakeAllocation) change(change func(*api.Allocation)) *api.Allocation {
	f.mu.Lock()
	defer f.mu.Unlock()
	next := *f.alloc
	change(&next)
	f.alloc = &next
	return f.alloc
}

func (f *fakeAllocation) Node() *api.Node {
	return &api.Node{ID: "node-1", Datacenter: "dc1", Attributes: map[string]string{"unique.network.ip-address": "127.0.0.1"}}
}

func (f *fakeAllocation) Env() environment.Env {
	return environment.New(map[string]string{"NOMAD_GROUP_NAME": "g", "NOMAD_ALLOC_INDEX": "0", "NOMAD_JOB_NAME": "svc"}, nil)
}

func (f *fakeAllocation) Tasks() []hook.Task {
	var all []hook.Task
	for _, t := range f.tasks {
		all = append(all, t)
	}
	return all
}

// setPort has the port http be another one.
func (f *fakeAllocation) setPort(port int) {
	f.Allocation().AllocatedResources.Shared.Ports[0].Value = port
}

// fakeServers keep registrations in memory.
type fakeServers struct {
	mu       sync.Mutex
	services map[string]*api.ServiceRegistration
}

func (s *fakeServers) RegisterServices(services []*api.ServiceRegistration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.services == nil {
		s.services = map[string]*api.ServiceRegistration{}
	}
	for _, service := range services {
		s.services[service.ID] = service
	}
	return nil
}

func (s *fakeServers) DeregisterServices(ids []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		delete(s.services, id)
	}
	return nil
}

func (s *fakeServers) names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, service := range s.services {
		names = append(names, service.ServiceName)
	}
	slices.Sort(names)
	return names
}

func (s *fakeServers) get(name string) api.ServiceRegistration {
	s.mu.Lock()
	defer s.mu.Unlock()
	for service := range maps.Values(s.services) {
		if service.ServiceName == name {
			return *service
		}
	}
	return api.ServiceRegistration{}
}

// newServices makes the hook, which ends with the test.
func newServices(t *testing.T, c Config, alloc hook.Allocation) hook.Services {
	t.Helper()
	c.Logger = slog.New(slog.DiscardHandler)
	s, err := New(c)(alloc)
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	return s
}
