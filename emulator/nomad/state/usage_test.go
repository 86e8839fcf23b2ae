package state_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// newAllocation is one of a task that takes as much as said, and has the port,
// the core and the device of its number.
func newAllocation(job *api.Job, id string, node string, amount, number int) *state.Allocation {
	a := &state.Allocation{Allocation: api.Allocation{
		ID: id, Namespace: "default", JobID: *job.ID, Job: job, TaskGroup: "group", NodeID: node,
		DesiredStatus: api.AllocDesiredStatusRun, ClientStatus: api.AllocClientStatusPending,
		AllocatedResources: &api.AllocatedResources{
			Tasks: map[string]*api.AllocatedTaskResources{"task": {
				Cpu:     api.AllocatedCpuResources{CpuShares: int64(amount)},
				Memory:  api.AllocatedMemoryResources{MemoryMB: int64(2 * amount)},
				Devices: []*api.AllocatedDeviceResource{{Vendor: "v", Type: "t", Name: "n", DeviceIDs: []string{fmt.Sprint(number)}}},
			}},
			Shared: api.AllocatedSharedResources{
				DiskMB: int64(3 * amount),
				Ports:  []api.PortMapping{{Label: "http", Value: number, HostIP: "127.0.0.1"}},
			},
		}},
		Beside: state.Beside{Cores: map[string][]uint16{"task": {uint16(number)}}}}
	return a
}

func newJob() *api.Job {
	index, version, task := uint64(1), uint64(0), api.NewTask("task", "mock_driver")
	job := api.NewServiceJob("job", "job", "global", 50).AddTaskGroup(api.NewTaskGroup("group", 1).AddTask(task))
	job.Canonicalize()
	job.JobModifyIndex, job.CreateIndex, job.Version = &index, &index, &version
	return job
}

func TestUsageIsTheSumOfWhatMayStillRun(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		store, err := state.New()
		require.NoError(t, err)
		job, nodes := newJob(), []string{"", "a", "b"}
		for range rapid.IntRange(1, 30).Draw(t, "writes") {
			id := rapid.SampledFrom([]string{"1", "2", "3", "4"}).Draw(t, "id")
			require.NoError(t, store.Write(func(tx *state.Tx) error {
				old := tx.Allocation(id)
				switch action := rapid.SampledFrom([]string{"place", "update", "delete"}).Draw(t, "action"); {
				case action == "place":
					tx.UpsertAllocation(newAllocation(job, id, rapid.SampledFrom(nodes).Draw(t, "node"),
						rapid.IntRange(1, 100).Draw(t, "amount"), rapid.IntRange(1, 5).Draw(t, "number")))
				case old == nil:
				case action == "update":
					status := rapid.SampledFrom([]string{"running", "failed", "complete", "lost", "unknown"}).Draw(t, "status")
					tx.UpdateAllocation(old, func(a *state.Allocation) { a.ClientStatus = status })
				default:
					tx.DeleteAllocation(old)
				}
				return nil
			}))
			requireUsage(t, store.View(), nodes)
		}
	})
}

func requireUsage(t require.TestingT, view *state.View, nodes []string) {
	for _, node := range nodes {
		want := state.Usage{NodeID: node}
		ports := map[int]int{}
		for a := range view.Allocations() {
			if node != "" && a.NodeID == node && !a.ClientTerminal() {
				want.Add(a)
			}
			if a.NodeID != "" && !a.ClientTerminal() {
				ports[a.AllocatedResources.Shared.Ports[0].Value]++
			}
		}
		got := view.Usage(node)
		slices.Sort(want.Cores)
		slices.Sort(got.Cores)
		slices.Sort(want.Devices)
		slices.Sort(got.Devices)
		require.Equal(t, want.Amount, got.Amount)
		require.Equal(t, want.Allocations, got.Allocations)
		require.ElementsMatch(t, want.Cores, got.Cores)
		require.ElementsMatch(t, want.Devices, got.Devices)
		for port := range 6 {
			require.Len(t, slices.Collect(view.AllocationsOfPort("127.0.0.1", port)), ports[port])
		}
	}
}

func TestTasksThatDoNotRunBesideEachOtherShare(t *testing.T) {
	t.Parallel()
	task := func(name, hook string, sidecar bool) *api.Task {
		task := api.NewTask(name, "mock_driver")
		if hook != "" {
			task.Lifecycle = &api.TaskLifecycle{Hook: hook, Sidecar: sidecar}
		}
		return task
	}
	for _, test := range []struct {
		name    string
		hook    string
		sidecar bool
		cpu     int64
	}{
		{"another main task", "", false, 300},
		{"before", api.TaskLifecycleHookPrestart, false, 200},
		{"a sidecar from before", api.TaskLifecycleHookPrestart, true, 300},
		{"after the start", api.TaskLifecycleHookPoststart, false, 300},
		{"a sidecar from after the start", api.TaskLifecycleHookPoststart, true, 300},
		{"after", api.TaskLifecycleHookPoststop, false, 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			group := api.NewTaskGroup("group", 1).AddTask(task("main", "", false)).AddTask(task("other", test.hook, test.sidecar))
			amount := state.AmountOf(group, &api.AllocatedResources{
				Tasks: map[string]*api.AllocatedTaskResources{
					"main":  {Cpu: api.AllocatedCpuResources{CpuShares: 100}},
					"other": {Cpu: api.AllocatedCpuResources{CpuShares: 200}},
				},
				Shared: api.AllocatedSharedResources{DiskMB: 7},
			})
			assert.Equal(t, state.Amount{CPU: test.cpu, DiskMB: 7}, amount)
		})
	}
}

func TestCoresSurviveBeingWritten(t *testing.T) {
	t.Parallel()
	a := newAllocation(newJob(), "1", "a", 1, 2)
	text, err := a.MarshalJSON()
	require.NoError(t, err)
	var read state.Allocation
	require.NoError(t, read.UnmarshalJSON(text))
	assert.Equal(t, a.Cores, read.Cores)
}
