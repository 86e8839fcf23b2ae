package client

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/nomad/api"
	"github.com/hashicorp/nomad/jobspec2"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
	"github.com/drydock/drydock/emulator/nomad/client/mock"
	"github.com/drydock/drydock/emulator/nomad/client/process"
	"github.com/drydock/drydock/emulator/nomad/client/rawexec"
)

// fakeServer is the servers of a region that has no scheduler: the test places.
type fakeServer struct {
	mu      sync.Mutex
	index   uint64
	allocs  map[string]*api.Allocation
	changed chan struct{}
	calls   int // of UpdateAllocations
	silent  error
	unheard int // heartbeats
	signed  int // identities
}

func newFakeServer() *fakeServer {
	return &fakeServer{allocs: map[string]*api.Allocation{}, changed: make(chan struct{}), index: 1}
}

func (s *fakeServer) notifyLocked() {
	s.index++
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *fakeServer) RegisterNode(*api.Node, string) error { return s.error() }

func (s *fakeServer) error() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.silent
}

// silence has the servers answer with an error, or again without.
func (s *fakeServer) silence(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent = err
	s.notifyLocked()
}

func (s *fakeServer) Heartbeat(string) (time.Duration, error) {
	err := s.error()
	if err != nil {
		s.mu.Lock()
		s.unheard++
		s.mu.Unlock()
	}
	return 100 * time.Millisecond, err
}

func (s *fakeServer) Allocations(ctx context.Context, _ string, after uint64, count int) ([]*api.Allocation, uint64, error) {
	for {
		s.mu.Lock()
		index, changed, all, silent := s.index, s.changed, slices.Collect(maps.Values(s.allocs)), s.silent
		s.mu.Unlock()
		if silent != nil {
			return nil, 0, silent
		}
		if index > after || len(all) != count {
			return all, index, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
}

func (s *fakeServer) UpdateAllocations(updates []*api.Allocation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.silent != nil {
		return s.silent
	}
	s.calls++
	for _, u := range updates {
		known := s.allocs[u.ID]
		if known == nil {
			continue
		}
		next := *known
		next.ClientStatus, next.ClientDescription, next.TaskStates = u.ClientStatus, u.ClientDescription, u.TaskStates
		next.DeploymentStatus, next.NetworkStatus = u.DeploymentStatus, u.NetworkStatus
		next.ModifyIndex = s.index
		s.allocs[u.ID] = &next
	}
	s.notifyLocked()
	return nil
}

func (*fakeServer) UpdateNodeEvents(string, []*api.NodeEvent) error { return nil }

func (s *fakeServer) SignIdentity(allocation, task string, identity *api.WorkloadIdentity) (string, time.Time, error) {
	s.mu.Lock()
	s.signed++
	s.mu.Unlock()
	var expires time.Time
	if identity.TTL > 0 {
		expires = time.Now().Add(identity.TTL)
	}
	return fmt.Sprintf("token of %s, %s, %s", task, identity.Name, uuid.NewString()), expires, nil
}

func (*fakeServer) RegisterServices([]*api.ServiceRegistration) error { return nil }
func (*fakeServer) DeregisterServices([]string) error                 { return nil }
func (*fakeServer) URL() string                                       { return "http://127.0.0.1:1" }

// place gives a node an allocation of the first group of a job.
func (s *fakeServer) place(job *api.Job, change ...func(*api.Allocation)) string {
	group := job.TaskGroups[0]
	alloc := &api.Allocation{
		ID: uuid.NewString(), Namespace: "default", JobID: *job.ID, Job: job, TaskGroup: *group.Name,
		Name: fmt.Sprintf("%s.%s[0]", *job.ID, *group.Name), NodeID: testNodeID,
		DesiredStatus: api.AllocDesiredStatusRun, ClientStatus: api.AllocClientStatusPending,
		AllocatedResources: &api.AllocatedResources{
			Tasks:  map[string]*api.AllocatedTaskResources{},
			Shared: api.AllocatedSharedResources{Ports: []api.PortMapping{{Label: "http", Value: 23456, HostIP: "127.0.0.1"}}},
		},
	}
	for _, task := range group.Tasks {
		alloc.AllocatedResources.Tasks[task.Name] = &api.AllocatedTaskResources{
			Cpu: api.AllocatedCpuResources{CpuShares: 100}, Memory: api.AllocatedMemoryResources{MemoryMB: 64},
		}
	}
	for _, c := range change {
		c(alloc)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.allocs[alloc.ID] = alloc
	s.notifyLocked()
	return alloc.ID
}

// change has the servers change an allocation.
func (s *fakeServer) change(id string, change func(*api.Allocation)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := *s.allocs[id]
	change(&next)
	next.AllocModifyIndex = s.index + 1
	s.allocs[id] = &next
	s.notifyLocked()
}

func (s *fakeServer) stop(id string) {
	s.change(id, func(a *api.Allocation) { a.DesiredStatus = api.AllocDesiredStatusStop })
}

func (s *fakeServer) get(id string) *api.Allocation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.allocs[id]
}

// await waits until the servers were told that the allocation has a status.
func (s *fakeServer) await(t *testing.T, id, status string) *api.Allocation {
	t.Helper()
	eventually(t, "allocation is "+status, func() bool { return s.get(id).ClientStatus == status })
	return s.get(id)
}

// awaitTask waits until the servers were told that a task has a state.
func (s *fakeServer) awaitTask(t *testing.T, id, task, state string) *api.TaskState {
	t.Helper()
	eventually(t, task+" is "+state, func() bool {
		known := s.get(id).TaskStates[task]
		return known != nil && known.State == state
	})
	return s.get(id).TaskStates[task]
}

const testNodeID = "11111111-2222-3333-4444-555555555555"

// testNode starts a node with all drivers that need no engine.
func testNode(t *testing.T, server Server, change ...func(*Options)) *Client {
	t.Helper()
	starter := process.NewStarter()
	o := Options{
		Node: &api.Node{ID: testNodeID, Name: "node-1", Datacenter: "dc1", NodePool: "default", Meta: map[string]string{"zone": "a"}},
		Dir:  t.TempDir(), Server: server,
		Drivers: []driver.Driver{mock.Driver{}, rawexec.NewRaw(starter)},
	}
	for _, c := range change {
		c(&o)
	}
	c, err := Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, c.Close())
		require.NoError(t, starter.Close())
	})
	return c
}

// parseJob reads a job with its defaults.
func parseJob(t testing.TB, text string) *api.Job {
	t.Helper()
	job, err := jobspec2.Parse("test.nomad.hcl", strings.NewReader(text))
	require.NoError(t, err)
	job.Canonicalize()
	return job
}

// shown are the types and texts of a task's events.
func shown(state *api.TaskState) []string {
	var all []string
	for _, e := range state.Events {
		all = append(all, e.Type+": "+e.DisplayMessage)
	}
	return all
}

// awaitAll waits until the servers were told that allocations have a status.
func (s *fakeServer) awaitAll(ids []string, status string) {
	for _, id := range ids {
		for {
			s.mu.Lock()
			is, changed := s.allocs[id].ClientStatus == status, s.changed
			s.mu.Unlock()
			if is {
				break
			}
			<-changed
		}
	}
}
