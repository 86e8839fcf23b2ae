package place_test

import (
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/state"
)

func TestAnUpdateInPlaceKeepsWhatTheInstanceHas(t *testing.T) {
	t.Parallel()
	r := newRegion(t, newNode("1", withDevices("a")))
	ports := networked(&api.NetworkResource{DynamicPorts: []api.Port{{Label: "http"}}})
	device := asksDevice(&api.RequestedDevice{Name: "gpu"})
	cores := onTask(func(task *api.Task) { task.Resources.Cores, task.Resources.CPU = new(2), nil })
	old := r.run(newJob("job", ports, device, cores))[0]
	changed := newJob("job", ports, device, cores, onGroup(func(g *api.TaskGroup) { g.EphemeralDisk.SizeMB = new(200) }))
	placement, ok := r.selector(changed).FitsInPlace(old, changed.TaskGroups[0])
	require.True(t, ok)
	assert.Equal(t, "1", placement.Node.ID)
	assert.Equal(t, old.AllocatedResources.Shared.Ports, placement.Allocated.Shared.Ports)
	assert.Equal(t, old.AllocatedResources.Shared.Networks, placement.Allocated.Shared.Networks)
	assert.Equal(t, old.AllocatedResources.Tasks, placement.Allocated.Tasks)
	assert.Equal(t, old.Cores, placement.Cores)
	assert.EqualValues(t, 200, placement.Allocated.Shared.DiskMB)
}

func TestWhenAnInstanceFitsInPlace(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*api.Job)
		fits   bool
	}{
		{"as it was", times(1), true},
		{"with what it has itself", takes(3000, 64), true},
		{"with all that is free", takes(4000, 64), true},
		{"with more than there is", takes(4001, 64), false},
		{"under a constraint that holds", constrained("${attr.kernel.name}", "=", "linux"), true},
		{"under a constraint that does not", constrained("${attr.kernel.name}", "=", "windows"), false},
		{"with a driver that is not there", onTask(func(task *api.Task) { task.Driver = "docker" }), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRegion(t, newNode("1"))
			old := r.run(newJob("job", takes(2000, 64)))[0]
			changed := newJob("job", test.change)
			_, fits := r.selector(changed).FitsInPlace(old, changed.TaskGroups[0])
			assert.Equal(t, test.fits, fits)
		})
	}
}

func TestInPlaceThePlanCounts(t *testing.T) {
	t.Parallel()
	r := newRegion(t, newNode("1"))
	placed := r.run(newJob("job", takes(1500, 64), times(2)))
	changed := newJob("job", takes(2500, 64), times(2))
	selector := r.selector(changed)
	placement, fits := selector.FitsInPlace(placed[0], changed.TaskGroups[0])
	require.True(t, fits)
	selector.Add(&state.Allocation{Allocation: api.Allocation{
		ID: placed[0].ID, NodeID: "1", Namespace: "default", JobID: "job", Job: changed, TaskGroup: "group", AllocatedResources: placement.Allocated}})
	_, fits = selector.FitsInPlace(placed[1], changed.TaskGroups[0])
	assert.False(t, fits)
	_, fits = selector.FitsInPlace(placed[0], changed.TaskGroups[0])
	assert.True(t, fits)
}

func TestANodeThatIsGoneHasNoPlace(t *testing.T) {
	t.Parallel()
	r := newRegion(t, newNode("1"))
	job := newJob("job")
	old := r.run(job)[0]
	gone := *old
	gone.NodeID = "2"
	_, fits := r.selector(job).FitsInPlace(&gone, job.TaskGroups[0])
	assert.False(t, fits)
}
