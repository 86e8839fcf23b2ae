package place_test

import (
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// fill places instances until there is no place, and returns by node how many
// there are, and the metrics of the one that found none.
func (r *region) fill(job *api.Job) (map[string]int, *api.AllocationMetric) {
	selector, byNode := r.selector(job), map[string]int{}
	for i := range *job.TaskGroups[0].Count {
		placement, metric := r.placeOne(selector, job.TaskGroups[0], i)
		if placement == nil {
			return byNode, metric
		}
		byNode[placement.Node.ID]++
		selector.Add(allocation(job, job.TaskGroups[0], i, placement))
	}
	return byNode, nil
}

func TestDistinctHosts(t *testing.T) {
	t.Parallel()
	for value, allowed := range map[string]int{"true": 4, "": 4, "false": 6} {
		r := newRegion(t, four()...)
		byNode, metric := r.fill(newJob("job", times(6), constrained("", "distinct_hosts", value)))
		placed := 0
		for _, number := range byNode {
			placed += number
		}
		assert.Equal(t, allowed, placed, value)
		if allowed == 4 {
			assert.Equal(t, map[string]int{"distinct_hosts": 4}, metric.ConstraintFiltered)
		}
	}
}

func TestDistinctHostsOfTheJobAreForAllGroups(t *testing.T) {
	t.Parallel()
	r := newRegion(t, newNode("1"))
	job := newJob("job", func(job *api.Job) {
		job.Constraints = []*api.Constraint{api.NewConstraint("", "distinct_hosts", "true")}
		job.AddTaskGroup(api.NewTaskGroup("other", 1).AddTask(api.NewTask("task", "mock_driver")))
	})
	selector := r.selector(job)
	placement, _ := r.placeOne(selector, job.TaskGroups[0], 0)
	require.NotNil(t, placement)
	selector.Add(allocation(job, job.TaskGroups[0], 0, placement))
	placement, _ = r.placeOne(selector, job.TaskGroups[1], 0)
	assert.Nil(t, placement)
}

func TestDistinctProperty(t *testing.T) {
	t.Parallel()
	r := newRegion(t, four()...)
	_, metric := r.fill(newJob("job", times(6), constrained("${meta.rack}", "distinct_property", "")))
	assert.Equal(t, map[string]int{
		"distinct_property: ${meta.rack}=r1 used by 1 allocs": 1, "distinct_property: ${meta.rack}=r2 used by 1 allocs": 3}, metric.ConstraintFiltered)
	byNode, metric := r.fill(newJob("job", times(6), constrained("${meta.rack}", "distinct_property", "2")))
	assert.Equal(t, 2, byNode["1"])
	assert.Equal(t, map[string]int{
		"distinct_property: ${meta.rack}=r1 used by 2 allocs": 1, "distinct_property: ${meta.rack}=r2 used by 2 allocs": 3}, metric.ConstraintFiltered)
}

func TestWhatIsToEndCountsAsAHostButNotAsAProperty(t *testing.T) {
	t.Parallel()
	r := newRegion(t, newNode("1", withMeta("rack", "r1")))
	a := r.run(newJob("job"))[0]
	r.write(func(tx *state.Tx) {
		tx.UpdateAllocation(tx.Allocation(a.ID), func(a *state.Allocation) { a.DesiredStatus, a.ClientStatus = "stop", "running" })
	})
	r.fail(newJob("job", constrained("", "distinct_hosts", "true")))
	job := newJob("job", constrained("${meta.rack}", "distinct_property", ""), spreadOver("${meta.rack}"))
	placement, metric := r.selector(job).Place(requestOf(job))
	require.NotNil(t, placement)
	assert.InDelta(t, -2, scoresOf(metric, "1")["job-anti-affinity"], 1e-9)
	assert.NotContains(t, scoresOf(metric, "1"), "allocation-spread")
}

// TestSpreadsScoreAsTheRealOnes has the real program's boosts for an instance
// of a group of six, when others are where it says.
func TestSpreadsScoreAsTheRealOnes(t *testing.T) {
	t.Parallel()
	target := func(value string, percent uint8) *api.SpreadTarget { return api.NewSpreadTarget(value, percent) }
	zones := spreadOver("${node.datacenter}")
	shares := spreadOver("${node.datacenter}", target("dc1", 70), target("dc2", 30))
	racks := func(job *api.Job) {
		job.TaskGroups[0].Spreads = []*api.Spread{
			api.NewSpread("${meta.rack}", 80, []*api.SpreadTarget{target("r1", 50)}), api.NewSpread("${node.datacenter}", 20, nil)}
	}
	for _, test := range []struct {
		name   string
		spread func(*api.Job)
		there  []string
		boosts map[string]float64
	}{
		{"even, first", zones, nil, map[string]float64{"1": 0, "3": 0}},
		{"even, one", zones, []string{"3"}, map[string]float64{"1": 1, "3": -1}},
		{"even, as many", zones, []string{"3", "1"}, map[string]float64{"1": -1, "3": -1}},
		{"even, two and three", zones, []string{"3", "3", "1", "2", "4"}, map[string]float64{"1": -0.5, "3": 0.5}},
		{"targets, first", shares, nil, map[string]float64{"1": 0.761905, "3": 0.444444}},
		{"targets, two and one", shares, []string{"1", "2", "3"}, map[string]float64{"1": 0.285714, "3": -0.111111}},
		{"two, first", racks, nil, map[string]float64{"1": 0.533333, "2": 0.533333, "3": 0.533333}},
		{"two, one there", racks, []string{"3"}, map[string]float64{"1": 1.533333, "2": 1.266667, "3": -0.733333}},
		{"two, two there", racks, []string{"3", "1"}, map[string]float64{"1": -0.733333, "2": -0.733333, "3": -0.733333}},
		{"nodes without it", spreadOver("${meta.none}"), []string{"1"}, map[string]float64{"1": -1, "2": -1}},
		{"a value that is no target", spreadOver("${node.datacenter}", target("dc1", 100)), nil, map[string]float64{"1": 0.833333, "3": -1}},
		{"the rest by name", spreadOver("${node.datacenter}", target("*", 50)), []string{"1"}, map[string]float64{"1": 0.333333, "3": 0.666667}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRegion(t, four()...)
			job := newJob("job", times(6), test.spread)
			selector := r.selector(job)
			for i, node := range test.there {
				request := requestOf(job)
				request.Node = node
				placement, _ := selector.Place(request)
				require.NotNil(t, placement)
				selector.Add(allocation(job, job.TaskGroups[0], i, placement))
			}
			_, metric := selector.Place(requestOf(job))
			for node, boost := range test.boosts {
				assert.InDelta(t, boost, scoresOf(metric, node)["allocation-spread"], 1e-6, "node %s", node)
			}
		})
	}
}

func TestAJobsSpreadIsOfEachGroup(t *testing.T) {
	t.Parallel()
	r := newRegion(t, four()...)
	job := newJob("job", func(job *api.Job) {
		job.Spreads = []*api.Spread{api.NewSpread("${node.datacenter}", 50, nil)}
		job.AddTaskGroup(api.NewTaskGroup("other", 1).AddTask(api.NewTask("task", "mock_driver")))
	})
	selector := r.selector(job)
	placement, _ := selector.Place(requestOf(job))
	require.NotNil(t, placement)
	selector.Add(allocation(job, job.TaskGroups[0], 0, placement))
	request := requestOf(job)
	request.Group = job.TaskGroups[1]
	_, metric := selector.Place(request)
	assert.NotContains(t, scoresOf(metric, "1"), "allocation-spread")
	assert.Zero(t, scoresOf(metric, placement.Node.ID)["job-anti-affinity"])
}
