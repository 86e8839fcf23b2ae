package place_test

import (
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// four are the nodes of which the real program's figures in the tests below were taken.
func four() []*state.Node {
	return []*state.Node{
		newNode("1", ofClass("alpha"), withMeta("rack", "r1")),
		newNode("2", ofClass("beta"), withMeta("rack", "r2")),
		newNode("3", ofClass("beta"), withMeta("rack", "r2"), inZone("dc2"), func(n *state.Node) {
			n.ReservedResources = &api.NodeReservedResources{
				Cpu:      api.NodeReservedCpuResources{CpuShares: 500},
				Memory:   api.NodeReservedMemoryResources{MemoryMB: 512},
				Networks: api.NodeReservedNetworkResources{ReservedHostPorts: "22,8000-8010"},
			}
		}),
		newNode("4", ofClass("beta"), withMeta("rack", "r2")),
	}
}

func scoresOf(metric *api.AllocationMetric, node string) map[string]float64 {
	for _, meta := range metric.ScoreMetaData {
		if meta.NodeID == node {
			scores := map[string]float64{"": meta.NormScore}
			for name, score := range meta.Scores {
				scores[name] = score
			}
			return scores
		}
	}
	return nil
}

func requireScores(t *testing.T, want map[string]float64, metric *api.AllocationMetric, node string) {
	t.Helper()
	got := scoresOf(metric, node)
	require.NotNil(t, got, "node %s has no scores", node)
	require.InDeltaMapValues(t, want, got, 1e-6)
}

func TestScoresAreTheRealOnes(t *testing.T) {
	t.Parallel()
	r := newRegion(t, four()...)
	job := newJob("job", times(4), onGroup(func(g *api.TaskGroup) {
		g.Affinities = []*api.Affinity{
			api.NewAffinity("${meta.rack}", "=", "r2", 50), api.NewAffinity("${node.datacenter}", "=", "dc2", -30),
		}
	}))
	selector := r.selector(job)
	placement, metric := r.placeOne(selector, job.TaskGroups[0], 0)
	require.NotNil(t, placement)
	assert.Contains(t, []string{"2", "4"}, placement.Node.ID)
	assert.Equal(t, 4, metric.NodesEvaluated, "affinities have all nodes scored")
	requireScores(t, map[string]float64{
		"": 0.337855, "binpack": 0.05071, "node-affinity": 0.625, "job-anti-affinity": 0, "node-reschedule-penalty": 0}, metric, "2")
	requireScores(t, map[string]float64{
		"": 0.153876, "binpack": 0.057753, "node-affinity": 0.25, "job-anti-affinity": 0, "node-reschedule-penalty": 0}, metric, "3")
	requireScores(t, map[string]float64{
		"": 0.025355, "binpack": 0.05071, "node-affinity": 0, "job-anti-affinity": 0, "node-reschedule-penalty": 0}, metric, "1")

	selector.Add(allocation(job, job.TaskGroups[0], 0, placement))
	_, metric = r.placeOne(selector, job.TaskGroups[0], 1)
	requireScores(t, map[string]float64{
		"": 0.074662, "binpack": 0.098987, "node-affinity": 0.625, "job-anti-affinity": -0.5, "node-reschedule-penalty": 0}, metric, placement.Node.ID)
}

func TestTheAlgorithmSpreadFillsTheEmptiest(t *testing.T) {
	t.Parallel()
	r := newRegion(t, four()...)
	r.config.SchedulerAlgorithm = api.SchedulerAlgorithmSpread
	job := newJob("job", takes(1000, 64), times(3), onGroup(func(g *api.TaskGroup) { // with a spread over nothing all are scored
		g.Affinities = []*api.Affinity{api.NewAffinity("${meta.none}", "=", "x", 50)}
	}))
	_, metric := r.placeOne(r.selector(job), job.TaskGroups[0], 0)
	assert.InDelta(t, 0.737224, scoresOf(metric, "1")["binpack"], 1e-6)
	assert.InDelta(t, 0.709813, scoresOf(metric, "3")["binpack"], 1e-6)
}

func TestAPenalizedNodeIsAvoided(t *testing.T) {
	t.Parallel()
	r := newRegion(t, four()[:2]...)
	job := newJob("job", func(job *api.Job) { job.Type = new(api.JobTypeBatch) })
	request := requestOf(job)
	request.Penalized = map[string]bool{"1": true}
	placement, metric := r.selector(job).Place(request)
	require.NotNil(t, placement)
	assert.Equal(t, "2", placement.Node.ID)
	requireScores(t, map[string]float64{
		"": -0.474645, "binpack": 0.05071, "node-affinity": 0, "job-anti-affinity": 0, "node-reschedule-penalty": -1}, metric, "1")
}

func TestAPreferredNodeIsTakenWhenItFits(t *testing.T) {
	t.Parallel()
	r := newRegion(t, four()...)
	request := requestOf(newJob("job"))
	request.Preferred = "2"
	placement, metric := r.selector(newJob("job")).Place(request)
	require.NotNil(t, placement)
	assert.Equal(t, "2", placement.Node.ID)
	assert.Equal(t, 1, metric.NodesEvaluated)

	big := newJob("big", takes(3000, 64), constrained("${node.unique.name}", "=", "2"))
	r.run(big)
	job := newJob("job", takes(3000, 64))
	request = requestOf(job)
	request.Preferred = "2"
	placement, _ = r.selector(job).Place(request)
	require.NotNil(t, placement)
	assert.NotEqual(t, "2", placement.Node.ID)
}

func TestHowManyNodesAreScored(t *testing.T) {
	t.Parallel()
	var nodes []*state.Node
	for i := range 100 {
		nodes = append(nodes, newNode(nodeName(i)))
	}
	r := newRegion(t, nodes...)
	for _, test := range []struct {
		name   string
		job    *api.Job
		limit  uint
		scored int
	}{
		{"service", newJob("job"), 0, 7},
		{"batch", newJob("job", func(job *api.Job) { job.Type = new(api.JobTypeBatch) }), 0, 2},
		{"spread", newJob("job", spreadOver("${node.unique.name}")), 0, 100},
		{"spread, limited", newJob("job", spreadOver("${node.unique.name}")), 10, 10},
		{"spread, limited below the count", newJob("job", spreadOver("${node.unique.name}"), times(20)), 10, 20},
	} {
		t.Run(test.name, func(t *testing.T) {
			config := *r.config
			config.NodeLimitForFeasibilityChecks = test.limit
			limited := *r
			limited.config = &config
			_, metric := limited.placeOne(limited.selector(test.job), test.job.TaskGroups[0], 0)
			assert.Equal(t, test.scored, metric.NodesEvaluated)
			assert.Len(t, metric.ScoreMetaData, min(test.scored, 5))
		})
	}
}

func TestASearchGoesPastAFewBadNodes(t *testing.T) {
	t.Parallel()
	r := newRegion(t, four()...)
	job := newJob("job", times(9))
	selector := r.selector(job)
	evaluated := []int{}
	for i := range 9 {
		placement, metric := r.placeOne(selector, job.TaskGroups[0], i)
		require.NotNil(t, placement)
		selector.Add(allocation(job, job.TaskGroups[0], i, placement))
		evaluated = append(evaluated, metric.NodesEvaluated)
	}
	assert.Equal(t, []int{2, 2, 4, 4}, evaluated[:4])
}

func TestASystemJobIsScoredByItsFitAlone(t *testing.T) {
	t.Parallel()
	r := newRegion(t, four()...)
	job := newJob("job", func(job *api.Job) { job.Type = new(api.JobTypeSystem) })
	selector := r.selector(job)
	nodes := selector.Nodes()
	require.Len(t, nodes, 4)
	for _, node := range nodes {
		request := requestOf(job)
		request.Node = node.ID
		placement, metric := selector.Place(request)
		require.NotNil(t, placement)
		assert.Equal(t, node, placement.Node)
		assert.Equal(t, 1, metric.NodesEvaluated)
		assert.Len(t, scoresOf(metric, node.ID), 2)
	}
}

func TestOnlyNodesThatTakeAllocationsCount(t *testing.T) {
	t.Parallel()
	draining := func(n *state.Node) { n.DrainStrategy = &api.DrainStrategy{} }
	down := func(n *state.Node) { n.Status = api.NodeStatusDown }
	ineligible := func(n *state.Node) { n.SchedulingEligibility = api.NodeSchedulingIneligible }
	other := func(n *state.Node) { n.NodePool = "other" }
	r := newRegion(t, newNode("1"), newNode("2", draining), newNode("3", down), newNode("4", ineligible), newNode("5", other),
		newNode("6", inZone("eu-1")), newNode("7", inZone("eu-2")))
	for _, test := range []struct {
		name        string
		pool        string
		datacenters []string
		nodes       []string
		available   map[string]int
	}{
		{"all of the pool", "default", []string{"*"}, []string{"1", "6", "7"}, map[string]int{"dc1": 1, "eu-1": 1, "eu-2": 1}},
		{"a pattern", "default", []string{"eu-*"}, []string{"6", "7"}, map[string]int{"eu-1": 1, "eu-2": 1}},
		{"names", "default", []string{"dc1", "eu-2", "nowhere"}, []string{"1", "7"}, map[string]int{"dc1": 1, "eu-2": 1}},
		{"only a star is special", "default", []string{"eu-?", "eu.1"}, nil, map[string]int{}},
		{"another pool", "other", []string{"*"}, []string{"5"}, map[string]int{"dc1": 1}},
		{"all pools", "all", []string{"dc1"}, []string{"1", "5"}, map[string]int{"dc1": 2}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			job := newJob("job", takes(9999, 64), func(job *api.Job) { job.NodePool, job.Datacenters = &test.pool, test.datacenters })
			selector := r.selector(job)
			var names []string
			for _, node := range selector.Nodes() {
				names = append(names, node.Name)
			}
			assert.Equal(t, test.nodes, names)
			_, metric := selector.Place(requestOf(job))
			assert.Equal(t, test.available, metric.NodesAvailable)
			assert.Equal(t, len(test.nodes), metric.NodesInPool)
			assert.Equal(t, test.pool, metric.NodePool)
		})
	}
}
