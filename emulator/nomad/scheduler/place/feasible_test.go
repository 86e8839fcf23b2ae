package place_test

import (
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/scheduler/place"
	"github.com/drydock/drydock/emulator/nomad/state"
)

func TestWhyNodesAreFiltered(t *testing.T) {
	t.Parallel()
	r := newRegion(t, four()...)
	unmet := func(job *api.Job) { job.Constraints = []*api.Constraint{api.NewConstraint("${meta.rack}", "=", "r9")} }
	volume := func(kind, source string) func(*api.Job) {
		return onGroup(func(g *api.TaskGroup) {
			g.Volumes = map[string]*api.VolumeRequest{"v": {Name: "v", Type: kind, Source: source}}
		})
	}
	driver := onTask(func(task *api.Task) { task.Driver = "docker" })
	device := onTask(func(task *api.Task) { task.Resources.Devices = []*api.RequestedDevice{{Name: "gpu"}} })
	mode := networked(&api.NetworkResource{Mode: "cni/x"})
	for _, test := range []struct {
		name    string
		job     *api.Job
		reasons map[string]int
	}{ // nodes 2 and 4 are of one class
		{"a constraint of the job", newJob("job", unmet, driver), map[string]int{"${meta.rack} = r9": 3, "computed class ineligible": 1}},
		{"a constraint of the group", newJob("job", constrained("${meta.rack}", "is", "r9")), map[string]int{"${meta.rack} is r9": 3, "computed class ineligible": 1}},
		{"a constraint of a task", newJob("job", onTask(func(task *api.Task) {
			task.Constraints = []*api.Constraint{api.NewConstraint("${meta.none}", "is_set", "")}
		})), map[string]int{"${meta.none} is_set ": 3, "computed class ineligible": 1}},
		{"a constraint on what is unique", newJob("job", constrained("${node.unique.name}", "=", "x")), map[string]int{"${node.unique.name} = x": 4}},
		{"drivers before constraints", newJob("job", driver, constrained("${meta.rack}", "is", "r9")), map[string]int{"missing drivers": 3, "computed class ineligible": 1}},
		{"devices before networks", newJob("job", device, mode), map[string]int{"missing devices": 3, "computed class ineligible": 1}},
		{"a network's mode before volumes", newJob("job", mode, volume("host", "none")), map[string]int{"missing network": 3, "computed class ineligible": 1}},
		{"a host network", newJob("job", networked(&api.NetworkResource{DynamicPorts: []api.Port{{Label: "http", HostNetwork: "public"}}})),
			map[string]int{`missing host network "public" for port "http"`: 3, "computed class ineligible": 1}},
		{"a host volume, of nodes and not of classes", newJob("job", volume("host", "none")), map[string]int{"missing compatible host volumes": 4}},
		{"a CSI volume", newJob("job", volume("csi", "none")), map[string]int{"missing CSI Volume none": 4}},
		{"a property that no node has", newJob("job", constrained("${meta.none}", "distinct_property", "")), map[string]int{`missing property "${meta.none}"`: 4}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			metric := r.fail(test.job)
			assert.Equal(t, test.reasons, metric.ConstraintFiltered)
			assert.Equal(t, 4, metric.NodesFiltered)
			assert.Equal(t, map[string]int{"alpha": 1, "beta": 3}, metric.ClassFiltered)
			assert.Zero(t, metric.NodesExhausted)

			selector := r.selector(test.job)
			_, reason := selector.Feasible(selector.Nodes()[0], test.job.TaskGroups[0])
			if test.name != "a property that no node has" {
				assert.Contains(t, test.reasons, reason)
			}
		})
	}
}

func TestASecondSearchKnowsTheClasses(t *testing.T) {
	t.Parallel()
	r := newRegion(t, four()...)
	r.config.PreemptionConfig.ServiceSchedulerEnabled = true // for which nodes are looked at again
	metric := r.fail(newJob("job", constrained("${meta.rack}", "=", "r9")))
	assert.Equal(t, map[string]int{"computed class ineligible": 4}, metric.ConstraintFiltered)
}

func TestEligibilityOfClasses(t *testing.T) {
	t.Parallel()
	r := newRegion(t, four()...)
	class := map[string]string{}
	for _, node := range four() {
		class[node.ID] = place.ComputedClass(node)
	}
	require.Equal(t, class["2"], class["4"])
	for _, test := range []struct {
		name string
		job  *api.Job
		want place.Eligibility
	}{
		{"nowhere", newJob("job", constrained("${meta.rack}", "=", "r9")),
			place.Eligibility{Classes: map[string]bool{class["1"]: false, class["2"]: false, class["3"]: false}}},
		{"somewhere", newJob("job", constrained("${meta.rack}", "=", "r1"), takes(9999, 64)),
			place.Eligibility{Classes: map[string]bool{class["1"]: true, class["2"]: false, class["3"]: false}}},
		{"the job nowhere", newJob("job", func(job *api.Job) {
			job.Constraints = []*api.Constraint{api.NewConstraint("${meta.rack}", "=", "r9")}
		}), place.Eligibility{Classes: map[string]bool{class["1"]: false, class["2"]: false, class["3"]: false}}},
		{"it escapes", newJob("job", constrained("${node.unique.name}", "=", "x")), place.Eligibility{Escaped: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			selector := r.selector(test.job)
			placement, _ := selector.Place(requestOf(test.job))
			require.Nil(t, placement)
			assert.Equal(t, test.want, selector.Eligibility())
		})
	}
}

func TestEligibilityIsOfAnyGroup(t *testing.T) {
	t.Parallel()
	r := newRegion(t, newNode("1", withMeta("rack", "r1")))
	job := newJob("job", constrained("${meta.rack}", "=", "r9"), func(job *api.Job) {
		task := api.NewTask("task", "mock_driver")
		job.AddTaskGroup(api.NewTaskGroup("other", 1).AddTask(task))
	})
	selector := r.selector(job)
	for _, group := range job.TaskGroups {
		selector.Place(place.Request{Group: group, Name: "job." + *group.Name + "[0]"})
	}
	assert.Equal(t, map[string]bool{place.ComputedClass(newNode("1", withMeta("rack", "r1"))): true}, selector.Eligibility().Classes)
}

func TestComputedClass(t *testing.T) {
	t.Parallel()
	class := place.ComputedClass(newNode("1"))
	assert.Regexp(t, `^v1:\d+$`, class)
	assert.Equal(t, class, place.ComputedClass(newNode("2")), "what is unique makes no difference")
	for name, change := range map[string]func(*state.Node){
		"datacenter": inZone("dc2"),
		"class":      ofClass("x"),
		"pool":       func(n *state.Node) { n.NodePool = "x" },
		"attribute":  func(n *state.Node) { n.Attributes["kernel.name"] = "windows" },
		"meta":       withMeta("rack", "r1"),
		"driver":     func(n *state.Node) { n.Drivers["docker"] = &api.DriverInfo{Detected: true, Healthy: true} },
		"network":    func(n *state.Node) { n.NodeResources.Networks[0].Mode = "bridge" },
		"address":    func(n *state.Node) { n.HostNetworks = map[string]*api.HostNetworkInfo{"public": {}} },
		"device":     withDevices("a"),
	} {
		assert.NotEqual(t, class, place.ComputedClass(newNode("1", change)), name)
	}
	assert.Equal(t, class, place.ComputedClass(newNode("1", func(n *state.Node) { n.Meta["unique.x"] = "y" })))
}
