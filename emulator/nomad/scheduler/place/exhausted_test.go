package place_test

import (
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/scheduler/place"
	"github.com/drydock/drydock/emulator/nomad/state"
)

func TestWhatIsExhausted(t *testing.T) {
	t.Parallel()
	disk := onGroup(func(g *api.TaskGroup) { g.EphemeralDisk.SizeMB = new(999_999) })
	cores := onTask(func(task *api.Task) { task.Resources.Cores = new(5) })
	for _, test := range []struct {
		name      string
		job       *api.Job
		dimension string
		cpu       int
		memory    int
	}{
		{"cpu before memory and disk", newJob("job", takes(9999, 9999), disk), "cpu", 9999, 0},
		{"memory before disk", newJob("job", takes(1, 9999), disk), "memory", 0, 9999},
		{"disk", newJob("job", disk), "disk", 0, 0},
		{"cores before memory", newJob("job", takes(0, 9999), cores), "cores", 0, 0},
		{"ports before cores", newJob("job", cores, networked(static(22))), "network: reserved port collision http=22", 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRegion(t, four()[2]) // the one with reserved ports
			metric := r.fail(test.job)
			assert.Equal(t, map[string]int{test.dimension: 1}, metric.DimensionExhausted)
			assert.Equal(t, map[string]int{"beta": 1}, metric.ClassExhausted)
			assert.Equal(t, 1, metric.NodesExhausted)
			assert.Zero(t, metric.NodesFiltered)
			require.Contains(t, metric.ResourcesExhausted, "task")
			assert.Equal(t, test.cpu, *metric.ResourcesExhausted["task"].CPU)
			assert.Equal(t, test.memory, *metric.ResourcesExhausted["task"].MemoryMB)
		})
	}
}

func TestReservedResourcesAreNotGivenAway(t *testing.T) {
	t.Parallel()
	r := newRegion(t, four()[2])
	r.fail(newJob("job", takes(3501, 64)))
	r.fail(newJob("job", takes(100, 3585)))
	r.run(newJob("job", takes(3500, 3584)))
}

func TestCoalescedFailuresAddUp(t *testing.T) {
	t.Parallel()
	r := newRegion(t, newNode("1"))
	job := newJob("job", takes(100, 3900), times(5))
	r.run(newJob("other", takes(100, 3900)))
	metric := r.fail(job)
	place.Coalesce(metric, job.TaskGroups[0])
	assert.Equal(t, 1, metric.CoalescedFailures)
	assert.Equal(t, 7800, *metric.ResourcesExhausted["task"].MemoryMB)
	assert.Zero(t, *metric.ResourcesExhausted["task"].CPU)
}

func TestANodeTakesOnlySoManyAllocations(t *testing.T) {
	t.Parallel()
	r := newRegion(t, newNode("1", func(n *state.Node) { n.NodeMaxAllocs = 2 }))
	r.run(newJob("job", times(2)))
	assert.Equal(t, map[string]int{"max allocation exceeded": 1}, r.fail(newJob("other")).DimensionExhausted)
}

func TestWhatIsToEndTakesPlaceUntilItHas(t *testing.T) {
	t.Parallel()
	r := newRegion(t, newNode("1"))
	a := r.run(newJob("job", takes(3000, 64)))[0]
	other := newJob("other", takes(3000, 64))
	stop := func(status string) {
		r.write(func(tx *state.Tx) {
			tx.UpdateAllocation(tx.Allocation(a.ID), func(a *state.Allocation) { a.DesiredStatus, a.ClientStatus = "stop", status })
		})
	}
	stop(api.AllocClientStatusRunning)
	assert.Equal(t, map[string]int{"cpu": 1}, r.fail(other).DimensionExhausted)

	selector := r.selector(other)
	selector.Remove(a)
	placement, _ := selector.Place(requestOf(other))
	assert.NotNil(t, placement, "what the plan at hand stops takes none")

	stop(api.AllocClientStatusComplete)
	r.run(other)
}

func TestCores(t *testing.T) {
	t.Parallel()
	r := newRegion(t, newNode("1"))
	cores := func(n int) func(*api.Job) {
		return onTask(func(task *api.Task) { task.Resources.Cores, task.Resources.CPU = &n, nil })
	}
	a := r.run(newJob("a", cores(3)))[0]
	assert.Equal(t, map[string][]uint16{"task": {0, 1, 2}}, a.Cores)
	assert.EqualValues(t, 3000, a.AllocatedResources.Tasks["task"].Cpu.CpuShares)
	assert.Equal(t, map[string]int{"cores": 1}, r.fail(newJob("b", cores(2))).DimensionExhausted)
	assert.Equal(t, map[string]int{"cpu": 1}, r.fail(newJob("c", takes(1001, 64))).DimensionExhausted)
	b := r.run(newJob("b", cores(1)))[0]
	assert.Equal(t, map[string][]uint16{"task": {3}}, b.Cores)
}

func TestWhatAnInstanceGets(t *testing.T) {
	t.Parallel()
	r := newRegion(t, newNode("1"))
	r.config.MemoryOversubscriptionEnabled = true
	job := newJob("job", func(job *api.Job) {
		group := job.TaskGroups[0]
		group.Tasks[0].Resources.MemoryMaxMB = new(9000)
		other := api.NewTask("other", "mock_driver")
		other.Resources = &api.Resources{Cores: new(1), MemoryMB: new(64)}
		group.AddTask(other)
		group.Networks = []*api.NetworkResource{{
			ReservedPorts: []api.Port{{Label: "s", Value: 8181}}, DynamicPorts: []api.Port{{Label: "http", To: 80}, {Label: "same", To: -1}},
		}}
	})
	placement, _ := r.selector(job).Place(requestOf(job))
	require.NotNil(t, placement)
	shared := placement.Allocated.Shared
	require.Len(t, shared.Ports, 3)
	http, same := shared.Ports[1].Value, shared.Ports[2].Value
	assert.Equal(t, []api.PortMapping{
		{Label: "s", Value: 8181, HostIP: "10.0.0.1"}, {Label: "http", Value: http, To: 80, HostIP: "10.0.0.1"}, {Label: "same", Value: same, To: same, HostIP: "10.0.0.1"},
	}, shared.Ports)
	network := shared.Networks[0]
	assert.Equal(t, "10.0.0.1", network.IP)
	assert.Equal(t, []api.Port{{Label: "s", Value: 8181, HostNetwork: "default"}}, network.ReservedPorts)
	assert.Equal(t, []api.Port{{Label: "http", Value: http, To: 80, HostNetwork: "default"}, {Label: "same", Value: same, To: same, HostNetwork: "default"}}, network.DynamicPorts)
	assert.EqualValues(t, 150, shared.DiskMB)

	assert.Equal(t, api.AllocatedMemoryResources{MemoryMB: 64, MemoryMaxMB: 9000}, placement.Allocated.Tasks["task"].Memory)
	assert.EqualValues(t, 1000, placement.Allocated.Tasks["other"].Cpu.CpuShares)
	all := placement.Resources
	assert.Equal(t, []int{1100, 1, 128, 9064, 150}, []int{*all.CPU, *all.Cores, *all.MemoryMB, *all.MemoryMaxMB, *all.DiskMB})
	assert.Equal(t, []*api.NetworkResource{network}, all.Networks)
	assert.Equal(t, 100, *placement.TaskResources["task"].CPU)
	assert.Equal(t, 1, *placement.TaskResources["other"].Cores)
}

func TestMemoryBeyondWhatIsReservedNeedsToBeAllowed(t *testing.T) {
	t.Parallel()
	r := newRegion(t, newNode("1"))
	job := newJob("job", onTask(func(task *api.Task) { task.Resources.MemoryMaxMB = new(900) }))
	placement, _ := r.selector(job).Place(requestOf(job))
	require.NotNil(t, placement)
	assert.Zero(t, placement.Allocated.Tasks["task"].Memory.MemoryMaxMB)
	assert.Equal(t, 64, *placement.Resources.MemoryMaxMB)
}
