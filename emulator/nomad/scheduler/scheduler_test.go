package scheduler_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/jobs"
	"github.com/drydock/drydock/emulator/nomad/scheduler"
	"github.com/drydock/drydock/emulator/nomad/scheduler/place"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// world is a region without anything running: the test says what nodes report.
type world struct {
	t     require.TestingT
	store *state.Store
	now   time.Time
	last  *scheduler.Plan
	rand  *rand.Rand
}

func newWorld(t require.TestingT, nodes int) *world {
	store, err := state.New()
	require.NoError(t, err)
	require.NoError(t, store.Seed())
	w := &world{t: t, store: store, now: time.Unix(1_800_000_000, 0), rand: rand.New(rand.NewPCG(1, 2))}
	for i := range nodes {
		w.addNode(i)
	}
	return w
}

func (w *world) write(change func(*state.Tx)) {
	require.NoError(w.t, w.store.Write(func(tx *state.Tx) error { change(tx); return nil }))
}

func nodeID(i int) string { return fmt.Sprintf("00000000-0000-0000-0000-%012d", i) }

func (w *world) addNode(i int) {
	w.write(func(tx *state.Tx) {
		node := &state.Node{Node: api.Node{
			ID: nodeID(i), Name: fmt.Sprint("node", i), Datacenter: "dc1", NodePool: api.NodePoolDefault,
			Status: api.NodeStatusReady, SchedulingEligibility: api.NodeSchedulingEligible,
			Drivers:    map[string]*api.DriverInfo{"mock_driver": {Detected: true, Healthy: true}},
			Attributes: map[string]string{"kernel.name": "linux"}, Meta: map[string]string{"rack": fmt.Sprint("r", i)},
			NodeResources: &api.NodeResources{
				Cpu:      api.NodeCpuResources{CpuShares: 4000, TotalCpuCores: 4},
				Memory:   api.NodeMemoryResources{MemoryMB: 8192},
				Disk:     api.NodeDiskResources{DiskMB: 100_000},
				Networks: []*api.NetworkResource{{Mode: "host", Device: "lo", IP: fmt.Sprint("10.0.0.", i+1)}},
			},
		}}
		node.ComputedClass = place.ComputedClass(node)
		tx.UpsertNode(node)
	})
}

func (w *world) node(i int, change func(*state.Node)) {
	w.write(func(tx *state.Tx) { tx.UpdateNode(tx.Node(nodeID(i)), change) })
}

// newJob is a job "web" with a group "g" of so many instances.
func newJob(kind string, count int, changes ...func(*api.Job)) *api.Job {
	task := api.NewTask("t", "mock_driver").SetConfig("run_for", "1h").Require(&api.Resources{CPU: new(100), MemoryMB: new(50)})
	group := api.NewTaskGroup("g", count).AddTask(task)
	job := &api.Job{ID: new("web"), Name: new("web"), Type: &kind, Priority: new(50), Datacenters: []string{"dc1"}, TaskGroups: []*api.TaskGroup{group}}
	for _, change := range changes {
		change(job)
	}
	jobs.Canonicalize(job)
	return job
}

func updates(change func(*api.UpdateStrategy)) func(*api.Job) {
	return func(j *api.Job) {
		u := api.DefaultUpdateStrategy()
		change(u)
		j.Update = u
	}
}

func env(value string) func(*api.Job) {
	return func(j *api.Job) { j.TaskGroups[0].Tasks[0].Env = map[string]string{"V": value} }
}

// register registers a job and does what that asks for.
func (w *world) register(job *api.Job) {
	w.write(func(tx *state.Tx) { tx.UpsertJob(job, true) })
	w.process(w.evaluation(scheduler.TriggerJobRegister))
}

func (w *world) job() *api.Job { return w.store.View().Job(api.DefaultNamespace, "web") }

func (w *world) evaluation(trigger string) *api.Evaluation {
	e := &api.Evaluation{
		ID: uuid.NewString(), Namespace: api.DefaultNamespace, JobID: "web", Type: api.JobTypeService,
		Priority: 50, TriggeredBy: trigger, Status: api.EvalStatusPending,
	}
	if job := w.job(); job != nil {
		e.Type, e.JobModifyIndex = *job.Type, *job.JobModifyIndex
	}
	w.write(func(tx *state.Tx) { tx.UpsertEvaluation(e) })
	return e
}

func (w *world) options() scheduler.Options {
	return scheduler.Options{Now: w.now, Rand: w.rand, PortFree: func(string, int) bool { return true }}
}

func (w *world) process(e *api.Evaluation) {
	plan, err := scheduler.Process(w.store.View(), e, w.options())
	require.NoError(w.t, err)
	w.last = plan
	w.write(func(tx *state.Tx) { require.Empty(w.t, plan.Apply(tx)) })
}

// evaluate processes a new evaluation.
func (w *world) evaluate(trigger string) { w.process(w.evaluation(trigger)) }

// due processes the evaluations that wait for a time that has come.
func (w *world) due() {
	for e := range w.store.View().Evaluations() {
		if e.Status == api.EvalStatusPending && !e.WaitUntil.After(w.now) {
			w.process(e)
		}
	}
}

// desired is what the last plan did with the group "g".
func (w *world) desired() api.DesiredUpdates { return *w.last.DesiredUpdates()["g"] }

func (w *world) allocations() []*state.Allocation {
	return slices.Collect(w.store.View().AllocationsOfJob(api.DefaultNamespace, "web"))
}

// wanted are the allocations that are to run, by name.
func (w *world) wanted() []*state.Allocation {
	list := slices.DeleteFunc(w.allocations(), (*state.Allocation).ServerTerminal)
	slices.SortStableFunc(list, func(a, b *state.Allocation) int {
		if a.Name != b.Name {
			return strings.Compare(a.Name, b.Name)
		}
		return int(*a.Job.Version) - int(*b.Job.Version)
	})
	return list
}

func (w *world) names() (names []string) {
	for _, a := range w.wanted() {
		names = append(names, fmt.Sprintf("%s v%d %s", strings.TrimPrefix(a.Name, "web.g"), *a.Job.Version, a.ClientStatus))
	}
	slices.Sort(names)
	return names
}

func (w *world) update(a *state.Allocation, change func(*state.Allocation)) {
	w.write(func(tx *state.Tx) { tx.UpdateAllocation(tx.Allocation(a.ID), change) })
}

// run has all allocations do as they are to: run, healthily, or end.
func (w *world) run() {
	for _, a := range w.allocations() {
		switch {
		case a.ClientTerminal() || a.ClientStatus == api.AllocClientStatusUnknown:
		case a.ServerTerminal():
			w.update(a, func(a *state.Allocation) { a.ClientStatus = api.AllocClientStatusComplete })
		case a.ClientStatus == api.AllocClientStatusPending:
			w.healthy(a, true)
		case a.DeploymentID != "" && (a.DeploymentStatus == nil || a.DeploymentStatus.Healthy == nil):
			w.healthy(a, true)
		}
	}
}

func (w *world) healthy(a *state.Allocation, healthy bool) {
	w.update(a, func(a *state.Allocation) {
		a.ClientStatus = api.AllocClientStatusRunning
		if a.DeploymentID == "" {
			return
		}
		status := api.AllocDeploymentStatus{}
		if a.DeploymentStatus != nil {
			status = *a.DeploymentStatus
		}
		status.Healthy, status.Timestamp = &healthy, w.now
		a.DeploymentStatus = &status
	})
}

func (w *world) end(a *state.Allocation, status string) {
	w.update(a, func(a *state.Allocation) {
		a.ClientStatus = status
		a.TaskStates = map[string]*api.TaskState{"t": {State: "dead", Failed: status == api.AllocClientStatusFailed, FinishedAt: w.now}}
	})
}

func (w *world) deployment() *api.Deployment {
	return w.store.View().LatestDeployment(api.DefaultNamespace, "web")
}

// service is a job whose updates roll one by one.
func service(count int, changes ...func(*api.Job)) *api.Job {
	all := append([]func(*api.Job){updates(func(*api.UpdateStrategy) {})}, changes...)
	return newJob(api.JobTypeService, count, all...)
}

// settle registers a job and has its deployment come to an end.
func (w *world) settle(job *api.Job) {
	w.register(job)
	for range 50 {
		w.run()
		if d := w.deployment(); d == nil || !state.DeploymentActive(d) {
			return
		}
		w.evaluate(scheduler.TriggerDeployment)
	}
	require.Fail(w.t, "the deployment does not come to an end")
}

func (w *world) setDeployment(status string) {
	w.write(func(tx *state.Tx) {
		tx.UpdateDeployment(tx.Deployment(w.deployment().ID), func(d *api.Deployment) { d.Status = status })
	})
}

// promote promotes the canaries of the deployment.
func (w *world) promote() {
	w.write(func(tx *state.Tx) {
		tx.UpdateDeployment(tx.Deployment(w.deployment().ID), func(d *api.Deployment) {
			for _, group := range d.TaskGroups {
				group.Promoted = true
			}
		})
		for _, id := range w.deployment().TaskGroups["g"].PlacedCanaries {
			a := *tx.Allocation(id)
			status := *a.DeploymentStatus
			status.Canary = false
			a.DeploymentStatus = &status
			tx.UpsertAllocation(&a)
		}
	})
}

func (w *world) migrate(a *state.Allocation) {
	w.update(a, func(a *state.Allocation) { a.DesiredTransition.Migrate = new(true) })
}

func down(n *state.Node)         { n.Status = api.NodeStatusDown }
func ready(n *state.Node)        { n.Status = api.NodeStatusReady }
func disconnected(n *state.Node) { n.Status = api.NodeStatusDisconnected }
func drain(n *state.Node) {
	n.DrainStrategy, n.SchedulingEligibility = &api.DrainStrategy{}, api.NodeSchedulingIneligible
}
