package place_test

import (
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func asksDevice(request *api.RequestedDevice) func(*api.Job) {
	return onTask(func(task *api.Task) { task.Resources.Devices = append(task.Resources.Devices, request) })
}

func TestWhichDevicesARequestIsFor(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		request *api.RequestedDevice
		fits    bool
	}{
		{"a type", &api.RequestedDevice{Name: "gpu"}, true},
		{"a vendor's type", &api.RequestedDevice{Name: "nvidia/gpu"}, true},
		{"a model", &api.RequestedDevice{Name: "nvidia/gpu/1080"}, true},
		{"another type", &api.RequestedDevice{Name: "fpga"}, false},
		{"another vendor", &api.RequestedDevice{Name: "amd/gpu"}, false},
		{"another model", &api.RequestedDevice{Name: "nvidia/gpu/2080"}, false},
		{"as many as are healthy", &api.RequestedDevice{Name: "gpu", Count: new(uint64(2))}, true},
		{"more than are healthy", &api.RequestedDevice{Name: "gpu", Count: new(uint64(3))}, false},
		{"enough memory", &api.RequestedDevice{Name: "gpu", Constraints: []*api.Constraint{
			api.NewConstraint("${device.attr.memory}", ">", "10 GB")}}, true},
		{"not enough memory", &api.RequestedDevice{Name: "gpu", Constraints: []*api.Constraint{
			api.NewConstraint("${device.attr.memory}", ">", "12 GB")}}, false},
		{"by what it is", &api.RequestedDevice{Name: "gpu", Constraints: []*api.Constraint{
			api.NewConstraint("${device.vendor}", "=", "nvidia"), api.NewConstraint("${device.type}", "=", "gpu"),
			api.NewConstraint("${device.model}", "regexp", "^1"), api.NewConstraint("${device.ids}", "set_contains", "b")}}, true},
		{"an attribute that it has not", &api.RequestedDevice{Name: "gpu", Constraints: []*api.Constraint{
			api.NewConstraint("${device.attr.none}", "=", "1")}}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRegion(t, newNode("1", withDevices("a", "b", "c!")))
			job := newJob("job", asksDevice(test.request))
			placement, metric := r.selector(job).Place(requestOf(job))
			require.Equal(t, test.fits, placement != nil)
			if !test.fits {
				assert.Equal(t, map[string]int{"missing devices": 1}, metric.ConstraintFiltered)
			}
		})
	}
}

func TestDevicesAreGivenOnce(t *testing.T) {
	t.Parallel()
	r := newRegion(t, newNode("1", withDevices("a", "b", "c!")))
	job := newJob("job", asksDevice(&api.RequestedDevice{Name: "gpu"}), times(2))
	ids := []string{}
	for _, a := range r.run(job) {
		device := a.AllocatedResources.Tasks["task"].Devices[0]
		assert.Equal(t, "nvidia gpu 1080", device.Vendor+" "+device.Type+" "+device.Name)
		ids = append(ids, device.DeviceIDs...)
	}
	assert.ElementsMatch(t, []string{"a", "b"}, ids)
	metric := r.fail(newJob("other", asksDevice(&api.RequestedDevice{Name: "gpu"})))
	assert.Equal(t, map[string]int{"devices: no devices match request": 1}, metric.DimensionExhausted)
}

func TestDevicesThatAreLikedAreTaken(t *testing.T) {
	t.Parallel()
	node := newNode("1", withDevices("a"), withDevices("b"))
	node.NodeResources.Devices[1].Name = "2080"
	r := newRegion(t, node)
	job := newJob("job", asksDevice(&api.RequestedDevice{Name: "gpu", Affinities: []*api.Affinity{
		api.NewAffinity("${device.model}", "=", "2080", 60), api.NewAffinity("${device.model}", "=", "3080", 40)}}))
	placement, metric := r.selector(job).Place(requestOf(job))
	require.NotNil(t, placement)
	assert.Equal(t, []string{"b"}, placement.Allocated.Tasks["task"].Devices[0].DeviceIDs)
	assert.InDelta(t, 0.6, scoresOf(metric, "1")["devices"], 1e-9)
}
