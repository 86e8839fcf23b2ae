package emulator

import (
	"cmp"
	"context"
	"maps"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/hashicorp/nomad/api"
)

// Allocation is what is known of an instance of a job at one moment.
type Allocation struct {
	ID      string
	Name    string // <job>.<group>[<index>]
	JobID   string
	Group   string
	Node    string // its name
	Created time.Time
	Dir     string            // its directory, with the logs in alloc/logs; empty once that is removed
	Status  string            // api.AllocClientStatusPending, …Running, …Complete, …
	Ending  bool              // it is to run no longer
	Healthy bool              // its tasks run and all its checks pass
	Ports   map[string]string // address, host:port, by label
	Tasks   []Task            // in the order of their names
}

// Running tells whether the tasks run, and are to go on.
func (a Allocation) Running() bool { return a.Status == api.AllocClientStatusRunning && !a.Ending }

// Task is what is known of a task of an allocation at one moment.
type Task struct {
	Name     string
	State    string // pending, running or dead
	Failed   bool   // dead for a reason of its own
	Restarts int
}

// Allocations are the jobs' instances as they are now, those too that have ended
// and are not forgotten, in the order of their names and then the oldest first;
// none once the stack is closed.
func (s *Stack) Allocations() []Allocation {
	list, err := s.listAllocations(context.Background())
	if err != nil {
		s.options.Logger.Debug("allocations are not known", "error", err)
		return nil
	}
	all := make([]Allocation, len(list))
	for i, stub := range list {
		all[i] = s.allocation(stub)
	}
	return all
}

func (s *Stack) listAllocations(ctx context.Context) ([]*api.AllocationListStub, error) {
	query := reading(ctx, api.AllNamespacesNamespace)
	query.Params = map[string]string{"resources": "true"}
	list, _, err := s.client.Allocations().List(query)
	slices.SortFunc(list, func(a, b *api.AllocationListStub) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.CreateIndex, b.CreateIndex))
	})
	return list, err
}

func (s *Stack) allocation(stub *api.AllocationListStub) Allocation {
	a := Allocation{
		ID: stub.ID, Name: stub.Name, JobID: stub.JobID, Group: stub.TaskGroup, Node: stub.NodeName,
		Created: time.Unix(0, stub.CreateTime), Dir: s.Nomad.AllocationDir(stub.ID),
		Status: stub.ClientStatus, Ending: stub.DesiredStatus != api.AllocDesiredStatusRun, Healthy: s.Nomad.Ready(stub.ID), Ports: map[string]string{},
	}
	if stub.AllocatedResources != nil {
		for _, p := range stub.AllocatedResources.Shared.Ports {
			a.Ports[p.Label] = net.JoinHostPort(p.HostIP, strconv.Itoa(p.Value))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(stub.TaskStates)) {
		state := stub.TaskStates[name]
		a.Tasks = append(a.Tasks, Task{Name: name, State: state.State, Failed: state.Failed, Restarts: int(state.Restarts)})
	}
	return a
}

// URL is where a job's port http answers; empty when the job does not run or
// has no such port.
func (s *Stack) URL(job string) string {
	for _, allocation := range s.Allocations() {
		if allocation.JobID == job && allocation.Running() && allocation.Ports["http"] != "" {
			return "http://" + allocation.Ports["http"]
		}
	}
	return ""
}

// PIDs are the processes of a job's tasks that run now, in ascending order.
func (s *Stack) PIDs(job string) []int {
	var pids []int
	for _, allocation := range s.Allocations() {
		if allocation.JobID != job || allocation.Status != api.AllocClientStatusRunning {
			continue
		}
		usage, err := s.client.Allocations().Stats(&api.Allocation{ID: allocation.ID}, nil)
		if err != nil {
			continue // it has ended meanwhile
		}
		for _, task := range usage.Tasks {
			for text := range task.Pids {
				if pid, err := strconv.Atoi(text); err == nil {
					pids = append(pids, pid)
				}
			}
		}
	}
	slices.Sort(pids)
	return pids
}
