package place_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/drydock/drydock/emulator/nomad/scheduler/place"
	"github.com/drydock/drydock/emulator/nomad/state"
)

func drawNode(t *rapid.T, i int) *state.Node {
	node := newNode(nodeName(i), addressed(rapid.SampledFrom([]string{"127.0.0.1", "127.0.0.2"}).Draw(t, "address")),
		withMeta("rack", rapid.SampledFrom([]string{"r1", "r2"}).Draw(t, "rack")),
		withDevices("a", "b"))
	node.NodeResources.Cpu.CpuShares = rapid.Int64Range(500, 4000).Draw(t, "cpu")
	node.NodeResources.Memory.MemoryMB = rapid.Int64Range(100, 1000).Draw(t, "memory")
	node.NodeResources.MinDynamicPort, node.NodeResources.MaxDynamicPort = 20000, 20010
	node.ReservedResources = &api.NodeReservedResources{
		Cpu:      api.NodeReservedCpuResources{CpuShares: rapid.Uint64Range(0, 200).Draw(t, "reserved cpu")},
		Networks: api.NodeReservedNetworkResources{ReservedHostPorts: "20001,9002"},
	}
	return node
}

func drawJob(t *rapid.T, id string) *api.Job {
	job := newJob(id,
		takes(rapid.IntRange(1, 1000).Draw(t, "cpu"), rapid.IntRange(10, 300).Draw(t, "memory")),
		times(rapid.IntRange(1, 6).Draw(t, "count")),
		prioritized(rapid.IntRange(1, 100).Draw(t, "priority")))
	group := job.TaskGroups[0]
	option := func(name string) bool { return rapid.Bool().Draw(t, name) }
	if option("rack") {
		constrained("${meta.rack}", "=", "r1")(job)
	}
	if option("distinct") {
		constrained("", "distinct_hosts", "true")(job)
	} else if option("distinct property") {
		constrained("${meta.rack}", "distinct_property", "2")(job)
	}
	if option("ports") {
		network := &api.NetworkResource{DynamicPorts: []api.Port{{Label: "a"}, {Label: "b"}}}
		if option("static") {
			network.ReservedPorts = []api.Port{{Label: "c", Value: rapid.IntRange(9000, 9003).Draw(t, "port")}}
		}
		group.Networks = []*api.NetworkResource{network}
	}
	if option("device") {
		group.Tasks[0].Resources.Devices = []*api.RequestedDevice{{Name: "gpu", Count: new(uint64(1))}}
	}
	if option("cores") {
		group.Tasks[0].Resources.Cores = new(rapid.IntRange(1, 2).Draw(t, "number"))
	}
	if option("spread") {
		spreadOver("${meta.rack}")(job)
	}
	return job
}

// TestNothingIsGivenTwice places jobs, stops instances, and looks after each
// plan whether all nodes have what was promised, once.
func TestNothingIsGivenTwice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var nodes []*state.Node
		for i := range rapid.IntRange(1, 4).Draw(t, "nodes") {
			nodes = append(nodes, drawNode(t, i))
		}
		r := newRegion(t, nodes...)
		r.random = rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		r.config.PreemptionConfig.ServiceSchedulerEnabled = rapid.Bool().Draw(t, "preemption")
		r.inUse[20005] = true
		for i := range rapid.IntRange(1, 6).Draw(t, "jobs") {
			plan(t, r, drawJob(t, fmt.Sprint("job", i)))
			requireSound(t, r)
		}
	})
}

// plan places all that it can of a job, after it has stopped some of what runs.
func plan(t *rapid.T, r *region, job *api.Job) {
	selector := r.selector(job)
	stopped, placed := map[string]*state.Allocation{}, []*state.Allocation(nil)
	for a := range r.store.View().Allocations() {
		if !a.Terminal() && rapid.IntRange(0, 4).Draw(t, "stop") == 0 {
			selector.Remove(a)
			stopped[a.ID] = a
		}
	}
	for i := range *job.TaskGroups[0].Count {
		placement, _ := r.placeOne(selector, job.TaskGroups[0], i)
		if placement == nil {
			continue
		}
		for _, a := range placement.Preempted {
			require.LessOrEqual(t, *a.Job.Priority, *job.Priority-10, "preempted for a job of %d", *job.Priority)
			require.Equal(t, placement.Node.ID, a.NodeID)
			require.NotContains(t, stopped, a.ID)
			selector.Remove(a)
			stopped[a.ID] = a
		}
		next := allocation(job, job.TaskGroups[0], i, placement)
		selector.Add(next)
		placed = append(placed, next)
	}
	r.write(func(tx *state.Tx) {
		for _, a := range stopped {
			tx.UpdateAllocation(a, func(a *state.Allocation) { a.DesiredStatus, a.ClientStatus = "stop", "complete" })
		}
		for _, a := range placed {
			tx.UpsertAllocation(a)
		}
	})
}

func requireSound(t *rapid.T, r *region) {
	view, ports := r.store.View(), map[string]string{}
	for node := range view.Nodes() {
		requireNode(t, view, node, ports)
	}
}

func requireNode(t *rapid.T, view *state.View, node *state.Node, ports map[string]string) {
	var cpu, memory int64
	cores, devices, jobs := map[uint16]bool{}, map[string]bool{}, map[string]int{}
	for a := range view.AllocationsOfNode(node.ID) {
		if a.Terminal() {
			continue
		}
		jobs[a.JobID]++
		task := a.AllocatedResources.Tasks["task"]
		cpu, memory = cpu+task.Cpu.CpuShares, memory+task.Memory.MemoryMB
		for _, core := range a.Cores["task"] {
			require.False(t, cores[core], "core %d of %s twice", core, node.ID)
			cores[core] = true
		}
		for _, device := range task.Devices {
			for _, id := range device.DeviceIDs {
				require.False(t, devices[id], "device %s of %s twice", id, node.ID)
				devices[id] = true
			}
		}
		for _, p := range a.AllocatedResources.Shared.Ports {
			key := fmt.Sprint(p.HostIP, p.Value)
			require.Empty(t, ports[key], "port %s of %s is %s's too", key, a.ID, ports[key])
			require.NotContains(t, []int{20001, 20005, 9002}, p.Value)
			ports[key] = a.ID
		}
		requireConstraints(t, a, node, jobs)
	}
	require.LessOrEqual(t, cpu, node.NodeResources.Cpu.CpuShares-int64(node.ReservedResources.Cpu.CpuShares))
	require.LessOrEqual(t, memory, node.NodeResources.Memory.MemoryMB)
}

func requireConstraints(t *rapid.T, a *state.Allocation, node *state.Node, onNode map[string]int) {
	for _, c := range a.Group().Constraints {
		switch c.Operand {
		case "distinct_hosts":
			require.Equal(t, 1, onNode[a.JobID])
		case "=":
			require.Equal(t, c.RTarget, node.Meta["rack"])
		}
	}
}

func FuzzComputedClass(f *testing.F) {
	f.Add("a", "b", "c", "d")
	f.Fuzz(func(t *testing.T, key, text, otherKey, otherText string) {
		one, other := newNode("1", withMeta("k"+key, text)), newNode("2", withMeta("k"+otherKey, otherText))
		same := key == otherKey && text == otherText
		if same != (place.ComputedClass(one) == place.ComputedClass(other)) {
			t.Fatalf("%q=%q and %q=%q: same is %v", key, text, otherKey, otherText, same)
		}
	})
}
