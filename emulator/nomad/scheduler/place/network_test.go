package place_test

import (
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/state"
)

func collision(label string) map[string]int {
	return map[string]int{"network: reserved port collision " + label: 1}
}

func TestStaticPorts(t *testing.T) {
	t.Parallel()
	reserving := func(n *state.Node) {
		n.ReservedResources = &api.NodeReservedResources{Networks: api.NodeReservedNetworkResources{ReservedHostPorts: "22, 8000-8010,nonsense"}}
	}
	for _, test := range []struct {
		name string
		port int
		free bool
	}{
		{"free", 9000, true},
		{"reserved by the node", 22, false},
		{"within what the node reserves", 8005, false},
		{"an allocation's", 8181, false},
		{"a stranger's", 5432, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRegion(t, newNode("1", reserving))
			r.inUse[5432] = true
			r.run(newJob("other", networked(static(8181))))
			placement, metric := r.placeOne(r.selector(newJob("job")), newJob("job", networked(static(test.port))).TaskGroups[0], 0)
			assert.Equal(t, test.free, placement != nil)
			if !test.free {
				assert.Len(t, metric.DimensionExhausted, 1)
			}
		})
	}
}

func TestPortsBelongToAddresses(t *testing.T) {
	t.Parallel()
	job, other := newJob("job", networked(static(8181))), newJob("other", networked(static(8181)))

	shared := newRegion(t, newNode("1", addressed("127.0.0.1")), newNode("2", addressed("127.0.0.1")))
	shared.run(other)
	assert.Equal(t, map[string]int{"network: reserved port collision http=8181": 2}, shared.fail(job).DimensionExhausted)

	apart := newRegion(t, newNode("1", addressed("127.0.0.1")), newNode("2", addressed("127.0.0.2")))
	apart.run(other)
	apart.run(job)
}

func TestAPortMayBeOnAnyAddressOfItsNetwork(t *testing.T) {
	t.Parallel()
	r := newRegion(t, newNode("1", func(n *state.Node) {
		n.NodeResources.Networks = append(n.NodeResources.Networks,
			&api.NetworkResource{Mode: "bridge"}, &api.NetworkResource{Mode: "host", Device: "lo", IP: "fd00::2"})
	}))
	for i, ip := range []string{"10.0.0.1", "fd00::2"} {
		a := r.run(newJob([]string{"a", "b"}[i], networked(static(8181))))[0]
		assert.Equal(t, ip, a.AllocatedResources.Shared.Ports[0].HostIP)
		assert.Equal(t, "10.0.0.1", a.AllocatedResources.Shared.Networks[0].IP)
	}
	assert.Equal(t, collision("http=8181"), r.fail(newJob("c", networked(static(8181)))).DimensionExhausted)
}

func TestHostNetworks(t *testing.T) {
	t.Parallel()
	r := newRegion(t, newNode("1", func(n *state.Node) {
		n.HostNetworks = map[string]*api.HostNetworkInfo{
			"public":  {Name: "public", CIDR: "10.0.0.0/24", ReservedPorts: "9000"},
			"private": {Name: "private", CIDR: "192.168.0.7/32"},
			"broken":  {Name: "broken", CIDR: "?"},
		}
	}))
	on := func(network string, number int) *api.Job {
		return newJob("job", networked(&api.NetworkResource{ReservedPorts: []api.Port{{Label: "http", Value: number, HostNetwork: network}}}))
	}
	for _, test := range []struct{ network, ip string }{{"public", "10.0.0.1"}, {"private", "192.168.0.7"}} {
		placement, _ := r.selector(on(test.network, 8181)).Place(requestOf(on(test.network, 8181)))
		require.NotNil(t, placement)
		assert.Equal(t, test.ip, placement.Allocated.Shared.Ports[0].HostIP)
	}
	assert.Equal(t, collision("http=9000"), r.fail(on("public", 9000)).DimensionExhausted)
	r.run(on("private", 9000))
	assert.Equal(t, map[string]int{`network: no addresses available for "broken" network`: 1}, r.fail(on("broken", 1)).DimensionExhausted)
}

func TestAPortWhoseCollisionsAreIgnored(t *testing.T) {
	t.Parallel()
	r := newRegion(t, newNode("1"))
	r.run(newJob("job", times(2), networked(&api.NetworkResource{ReservedPorts: []api.Port{{Label: "http", Value: 8181, IgnoreCollision: true}}})))
}

func TestAPortThatThePlanFreesIsFree(t *testing.T) {
	t.Parallel()
	r := newRegion(t, newNode("1"))
	job := newJob("job", networked(static(8181)))
	old := r.run(job)[0]
	r.inUse[8181] = true // by the task that is to be replaced
	selector := r.selector(job)
	selector.Remove(old)
	placement, _ := selector.Place(requestOf(job))
	require.NotNil(t, placement)
	next := allocation(job, job.TaskGroups[0], 1, placement)
	selector.Add(next)
	placement, _ = selector.Place(requestOf(job))
	assert.Nil(t, placement, "once only")
	selector.Remove(next)
	placement, _ = selector.Place(requestOf(job))
	assert.NotNil(t, placement)
}

func TestDynamicPorts(t *testing.T) {
	t.Parallel()
	narrow := func(n *state.Node) {
		n.NodeResources.MinDynamicPort, n.NodeResources.MaxDynamicPort = 20000, 20004
		n.ReservedResources = &api.NodeReservedResources{Networks: api.NodeReservedNetworkResources{ReservedHostPorts: "20001"}}
	}
	r := newRegion(t, newNode("1", narrow))
	r.inUse[20002] = true
	r.run(newJob("static", networked(static(20003))))
	dynamic := networked(&api.NetworkResource{DynamicPorts: []api.Port{{Label: "http"}}})
	ports := []int{}
	for _, a := range r.run(newJob("job", dynamic, times(2))) {
		ports = append(ports, a.AllocatedResources.Shared.Ports[0].Value)
	}
	assert.ElementsMatch(t, []int{20000, 20004}, ports)
	assert.Equal(t, map[string]int{"network: dynamic port selection failed": 1}, r.fail(newJob("more", dynamic)).DimensionExhausted)
}

func TestPortsOfATaskAreItsOwnAndTheAllocations(t *testing.T) {
	t.Parallel()
	r := newRegion(t, newNode("1"))
	job := newJob("job", onTask(func(task *api.Task) {
		task.Resources.Networks = []*api.NetworkResource{{MBits: new(10), DynamicPorts: []api.Port{{Label: "x"}}}}
	}))
	placement, _ := r.selector(job).Place(requestOf(job))
	require.NotNil(t, placement)
	network := placement.Allocated.Tasks["task"].Networks[0]
	assert.Equal(t, "lo", network.Device)
	assert.Equal(t, placement.Allocated.Shared.Ports[0].Value, network.DynamicPorts[0].Value)
	assert.Equal(t, placement.TaskResources["task"].Networks, placement.Resources.Networks)
}
