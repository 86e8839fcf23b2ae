package place_test

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/jobs"
	"github.com/drydock/drydock/emulator/nomad/scheduler/place"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// region is a state with nodes, in which tests place instances.
type region struct {
	t      require.TestingT
	store  *state.Store
	config *api.SchedulerConfiguration
	inUse  map[int]bool // ports that other programs have
	random *rand.Rand
	pools  *place.Pools
	volumes
}

// volumes are those of a test, by ID.
type volumes struct {
	host map[string]*api.HostVolume
	csi  map[string]*api.CSIVolume
}

func (v volumes) HostVolume(id string) *api.HostVolume     { return v.host[id] }
func (v volumes) CSIVolume(_, id string) *api.CSIVolume    { return v.csi[id] }
func (r *region) portFree(address string, number int) bool { return !r.inUse[number] }

func newRegion(t require.TestingT, nodes ...*state.Node) *region {
	store, err := state.New()
	require.NoError(t, err)
	require.NoError(t, store.Seed())
	r := &region{t: t, store: store, inUse: map[int]bool{}, pools: &place.Pools{}, random: rand.New(rand.NewPCG(1, 2))}
	r.config = new(*store.View().SchedulerConfiguration())
	r.write(func(tx *state.Tx) {
		for _, node := range nodes {
			node.ComputedClass = place.ComputedClass(node)
			tx.UpsertNode(node)
		}
	})
	return r
}

func (r *region) write(change func(*state.Tx)) {
	require.NoError(r.t, r.store.Write(func(tx *state.Tx) error {
		change(tx)
		return nil
	}))
}

func (r *region) selector(job *api.Job) *place.Selector {
	return place.New(place.Options{
		View: r.store.View(), Job: job, Config: r.config, Volumes: r.volumes, PortFree: r.portFree, Rand: r.random, Pools: r.pools,
	})
}

// run places all instances of a job's first group, and writes them.
func (r *region) run(job *api.Job) (placed []*state.Allocation) {
	selector := r.selector(job)
	for i := range *job.TaskGroups[0].Count {
		placement, metric := r.placeOne(selector, job.TaskGroups[0], i)
		require.NotNil(r.t, placement, "instance %d of %s: %+v", i, *job.ID, metric)
		a := allocation(job, job.TaskGroups[0], i, placement)
		selector.Add(a)
		placed = append(placed, a)
	}
	r.write(func(tx *state.Tx) {
		for _, a := range placed {
			tx.UpsertAllocation(a)
		}
	})
	return placed
}

func (r *region) placeOne(selector *place.Selector, group *api.TaskGroup, number int) (*place.Placement, *api.AllocationMetric) {
	return selector.Place(place.Request{Group: group, Name: fmt.Sprintf("job.%s[%d]", *group.Name, number)})
}

// fail is what the metrics say of a job whose first instance finds no place.
func (r *region) fail(job *api.Job) *api.AllocationMetric {
	placement, metric := r.placeOne(r.selector(job), job.TaskGroups[0], 0)
	require.Nil(r.t, placement, "%s was placed", *job.ID)
	return metric
}

func allocation(job *api.Job, group *api.TaskGroup, number int, p *place.Placement) *state.Allocation {
	return &state.Allocation{Beside: state.Beside{Cores: p.Cores}, Allocation: api.Allocation{
		ID: fmt.Sprintf("%s.%s.%d", *job.ID, *group.Name, number), Name: fmt.Sprintf("%s.%s[%d]", *job.ID, *group.Name, number),
		Namespace: *job.Namespace, JobID: *job.ID, Job: job, TaskGroup: *group.Name, NodeID: p.Node.ID,
		AllocatedResources: p.Allocated, DesiredStatus: api.AllocDesiredStatusRun, ClientStatus: api.AllocClientStatusPending,
	}}
}

// newNode is one that is ready and has 4000 MHz, 4096 MB of memory and a core for each 1000 MHz.
func newNode(name string, change ...func(*state.Node)) *state.Node {
	node := &state.Node{Node: api.Node{
		ID: name, Name: name, Datacenter: "dc1", NodePool: api.NodePoolDefault, Status: api.NodeStatusReady,
		SchedulingEligibility: api.NodeSchedulingEligible,
		Attributes:            map[string]string{"kernel.name": "linux", "unique.hostname": name},
		Meta:                  map[string]string{},
		Drivers:               map[string]*api.DriverInfo{"mock_driver": {Detected: true, Healthy: true}, "docker": {}},
		NodeResources: &api.NodeResources{
			Cpu:      api.NodeCpuResources{CpuShares: 4000, TotalCpuCores: 4, ReservableCpuCores: []uint16{0, 1, 2, 3}},
			Memory:   api.NodeMemoryResources{MemoryMB: 4096},
			Disk:     api.NodeDiskResources{DiskMB: 100_000},
			Networks: []*api.NetworkResource{{Mode: "host", Device: "lo", IP: "10.0.0." + name}},
		},
	}}
	for _, c := range change {
		c(node)
	}
	return node
}

// newJob is one of a group of one task that takes 100 MHz, 64 MB of memory and 150 MB of the disk.
func newJob(id string, change ...func(*api.Job)) *api.Job {
	task := api.NewTask("task", "mock_driver")
	task.Resources = &api.Resources{CPU: new(100), MemoryMB: new(64)}
	group := api.NewTaskGroup("group", 1).AddTask(task)
	group.EphemeralDisk = &api.EphemeralDisk{SizeMB: new(150)}
	job := api.NewServiceJob(id, id, "global", 50).AddTaskGroup(group)
	job.Datacenters = []string{"*"}
	for _, c := range change {
		c(job)
	}
	jobs.Canonicalize(job)
	job.JobModifyIndex, job.CreateIndex, job.Version = new(uint64(1)), new(uint64(1)), new(uint64(0))
	return job
}

func onGroup(change func(*api.TaskGroup)) func(*api.Job) {
	return func(job *api.Job) { change(job.TaskGroups[0]) }
}

func onTask(change func(*api.Task)) func(*api.Job) {
	return func(job *api.Job) { change(job.TaskGroups[0].Tasks[0]) }
}

func takes(cpu, memory int) func(*api.Job) {
	return onTask(func(task *api.Task) { task.Resources.CPU, task.Resources.MemoryMB = &cpu, &memory })
}

func times(count int) func(*api.Job) {
	return onGroup(func(group *api.TaskGroup) { group.Count = &count })
}

func constrained(left, operand, right string) func(*api.Job) {
	return onGroup(func(group *api.TaskGroup) {
		group.Constraints = append(group.Constraints, api.NewConstraint(left, operand, right))
	})
}

func prioritized(priority int) func(*api.Job) {
	return func(job *api.Job) { job.Priority = &priority }
}

func networked(network *api.NetworkResource) func(*api.Job) {
	return onGroup(func(group *api.TaskGroup) { group.Networks = []*api.NetworkResource{network} })
}

func static(number int) *api.NetworkResource {
	return &api.NetworkResource{ReservedPorts: []api.Port{{Label: "http", Value: number}}}
}

func inZone(zone string) func(*state.Node) { return func(n *state.Node) { n.Datacenter = zone } }

func ofClass(class string) func(*state.Node) { return func(n *state.Node) { n.NodeClass = class } }

func withMeta(key, text string) func(*state.Node) { return func(n *state.Node) { n.Meta[key] = text } }

func addressed(ip string) func(*state.Node) {
	return func(n *state.Node) { n.NodeResources.Networks[0].IP = ip }
}

func requestOf(job *api.Job) place.Request {
	return place.Request{Group: job.TaskGroups[0], Name: *job.ID + ".group[0]"}
}

func nodeName(i int) string { return fmt.Sprintf("%04d", i) }

func spreadOver(attribute string, targets ...*api.SpreadTarget) func(*api.Job) {
	return onGroup(func(g *api.TaskGroup) { g.Spreads = append(g.Spreads, api.NewSpread(attribute, 50, targets)) })
}

// withDevices gives a node GPUs of these IDs; an ID that ends with "!" is ill.
func withDevices(ids ...string) func(*state.Node) {
	return func(n *state.Node) {
		gpu := &api.NodeDeviceResource{Vendor: "nvidia", Type: "gpu", Name: "1080", Attributes: map[string]*api.Attribute{
			"memory": {IntVal: new(int64(11)), Unit: "GiB"}}}
		for _, id := range ids {
			name, ill := strings.CutSuffix(id, "!")
			gpu.Instances = append(gpu.Instances, &api.NodeDevice{ID: name, Healthy: !ill})
		}
		n.NodeResources.Devices = append(n.NodeResources.Devices, gpu)
	}
}

// placementOn is what an instance of a job would get of a node that has all for it.
func (r *region) placementOn(node string, job *api.Job) *place.Placement {
	plain := newJob(*job.ID)
	request := requestOf(plain)
	request.Node = node
	placement, _ := r.selector(plain).Place(request)
	require.NotNil(r.t, placement)
	return placement
}
